"""RLDS: records that protobuf reads, that read back, and in which planted faults are found."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastcrc.crc32 import iscsi
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from station.datasets.formats import tf_records
from station.datasets.formats.rlds_description import INNER
from station.errors import EpisodeError
from tests.consumers.truth import assert_equal, rows
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make

pytestmark = pytest.mark.slow

LENGTHS = (12, 15, 18)
SUCCESS = (True, False, None)


def example_class() -> Any:
    """tf.train.Example as TensorFlow's example.proto and feature.proto describe it."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")
    field = descriptor_pb2.FieldDescriptorProto
    for name, kind in (
        ("BytesList", field.TYPE_BYTES),
        ("FloatList", field.TYPE_FLOAT),
        ("Int64List", field.TYPE_INT64),
    ):
        file.message_type.add(name=name).field.add(name="value", number=1, type=kind, label=field.LABEL_REPEATED)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("bytes_list", "float_list", "int64_list"), 1):
        full_name = ".t." + name.title().replace("_", "")
        feature.field.add(
            name=name, number=number, type=field.TYPE_MESSAGE, type_name=full_name, label=1, oneof_index=0
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=field.TYPE_MESSAGE, type_name=".t.Feature", label=1)
    inside = ".t.Features.FeatureEntry"
    features.field.add(name="feature", number=1, type=field.TYPE_MESSAGE, type_name=inside, label=field.LABEL_REPEATED)
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type=field.TYPE_MESSAGE, type_name=".t.Features", label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Example"))


EXAMPLE = example_class()
features = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.one_of(
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30).map(lambda v: np.array(v, np.int64)),
        st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=200).map(lambda v: np.array(v, np.float32)),
        st.lists(st.binary(max_size=300), min_size=1, max_size=8),
    ),
    max_size=5,
)


@given(features)
def test_protobuf_reads_what_is_written(written: dict[str, Any]) -> None:
    file = io.BytesIO()
    tf_records.write_record(file, written)
    data = file.getvalue()[12:-4]
    read = EXAMPLE.FromString(data)
    assert set(read.features.feature) == set(written)
    for name, values in written.items():
        feature = read.features.feature[name]
        (kind,) = (one for one in ("bytes_list", "float_list", "int64_list") if feature.HasField(one))
        assert list(getattr(feature, kind).value) == list(values)


@given(written=features)
def test_we_read_what_is_written(written: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "records"
    with path.open("wb") as file:
        for _ in range(2):
            tf_records.write_record(file, written)
    found = tf_records.records(path)
    assert len(found) == 2
    example = tf_records.Example(path, *found[1])
    assert example.names() == set(written)
    for name, values in written.items():
        if isinstance(values, list):
            assert [bytes(one) for one in example.strings(name)] == values
        elif values.dtype == np.float32:
            assert_equal(example.floats(name), values)
        else:
            assert_equal(example.integers(name), values)


def test_a_known_checksum() -> None:
    """RFC 3720, B.4: 32 bytes of zeros; masked as TFRecord has it."""
    crc = 0x8A9136AA
    assert iscsi(bytes(32)) == crc
    assert tf_records._masked(crc) == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes, one of each label, as shot and encoded anew, in a shard of each episode, beside their sources."""
    folder = tmp_path_factory.mktemp("whole")
    for k, (length, success) in enumerate(zip(LENGTHS, SUCCESS, strict=True)):
        make(folder / "data", Recorded(length, SINGLE, episode=k, instruction=f"do {k % 2}", success=success))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("station.datasets.plan.SHARD_SECONDS", 0.4)
        for video in ("as-shot", "jpeg"):
            export_to(folder / video, folder / "data", "rlds", video=video)
    return folder


@pytest.mark.parametrize("video", ["as-shot", "jpeg"])
def test_what_is_written_reads_back(whole: Path, video: str) -> None:
    assert findings(whole / video) == ()
    info = json.loads((whole / video / INNER / "dataset_info.json").read_bytes())
    assert sum(int(count) for split in info["splits"] for count in split["shardLengths"]) == 3
    files = sorted(path.name for path in (whole / video / INNER).glob("*.tfrecord*"))
    assert len(files) == 3 and all(
        name.startswith(("rlds-train.tfrecord-0000", "rlds-val.tfrecord-0000")) for name in files
    )


def test_a_record_is_an_episode(whole: Path) -> None:
    record = json.loads((whole / "as-shot" / "station/dataset.json").read_bytes())["plan"]
    paths = []
    for path in sorted((whole / "as-shot" / INNER).glob("*.tfrecord*")):
        ((first, length),) = tf_records.records(path)
        paths.append(EXAMPLE.FromString(path.read_bytes()[first : first + length]).features.feature)
    for index, feature in enumerate(paths):
        episode = record["episodes"][index]
        source = record["sources"][episode["source"]]["source"]
        truth = list(rows(whole / "data" / source["name"]))
        said = {True: "success", False: "failure", None: "unset"}[episode["success"]]
        assert feature["episode_metadata/file_path"].bytes_list.value[0].decode().startswith(f"{said}/cube/episode_")
        actions = np.array(feature["steps/action"].float_list.value, np.float32).reshape(len(truth), 7)
        assert_equal(actions, np.stack([one.action for one in truth]))
        assert feature["steps/is_last"].int64_list.value == [0] * (len(truth) - 1) + [1]
        assert feature["steps/reward"].float_list.value[-1] == float(said == "success")
        assert set(feature["steps/language_instruction"].bytes_list.value) == {truth[0].instruction.encode()}


def _rewritten(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    """A record with other features, its checks right."""

    def apply(folder: Path) -> None:
        path = folder / INNER / name
        ((first, length),) = tf_records.records(path)
        example = EXAMPLE.FromString(path.read_bytes()[first : first + length])
        change(example.features.feature)
        written: dict[str, Any] = {}
        for key, feature in example.features.feature.items():
            if feature.HasField("bytes_list"):
                written[key] = list(feature.bytes_list.value)
            elif feature.HasField("float_list"):
                written[key] = np.array(feature.float_list.value, np.float32)
            else:
                written[key] = np.array(feature.int64_list.value, np.int64)
        with path.open("wb") as file:
            tf_records.write_record(file, written)

    return apply


def _json(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        content = json.loads((folder / INNER / name).read_bytes())
        change(content)
        (folder / INNER / name).write_text(json.dumps(content))

    return apply


def _steps(content: Any) -> Any:
    return content["featuresDict"]["features"]["steps"]["sequence"]["feature"]["featuresDict"]["features"]


def _another_size(content: Any) -> None:
    cameras = _steps(content)["observation"]["featuresDict"]["features"]
    cameras["cam_high"]["image"]["shape"]["dimensions"] = ["64", "64", "3"]


def _another_width(content: Any) -> None:
    _steps(content)["action"]["tensor"]["shape"]["dimensions"] = ["9"]


def _another_text(feature: Any) -> None:
    feature["steps/language_instruction"].bytes_list.value[3] = b"do it"


def _another_label(feature: Any) -> None:
    path = feature["episode_metadata/file_path"].bytes_list.value
    path[0] = b"failure/1" if b"success" in path[0] else b"success/1"


def _shifted(feature: Any) -> None:
    stored = feature["steps/observation/cam_high"].bytes_list.value
    stored[:] = [*stored[1:], stored[0]]


def _cameras(feature: Any) -> None:
    one, other = (feature[f"steps/observation/{name}"].bytes_list.value for name in ("cam_high", "cam_left_wrist"))
    kept = list(one)
    one[:] = other
    other[:] = kept


def _split_renamed(folder: Path) -> None:
    inner = folder / INNER
    files = {split: sorted(inner.glob(f"rlds-{split}.*")) for split in ("train", "val")}
    for one, other in zip(files["train"], files["val"], strict=False):
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(kept)


def _damaged(place: int) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / INNER / FILE
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    return apply


FILE = "rlds-val.tfrecord-00000-of-00002"
INFO = "dataset_info.json"
FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "an action changed": (_rewritten(FILE, lambda f: f["steps/action"].float_list.value.__setitem__(9, 0.5)), "action is not its source's"),
    "pictures shifted by one": (_rewritten(FILE, _shifted), "not its row's"),
    "cameras swapped": (_rewritten(FILE, _cameras), "not its row's"),
    "a picture missing": (_rewritten(FILE, lambda f: f["steps/observation/cam_high"].bytes_list.value.pop()), "pictures, "),
    "a text of one step": (_rewritten(FILE, _another_text), "'do it'"),
    "another label in the path": (_rewritten(FILE, _another_label), "success is"),
    "no end": (_rewritten(FILE, lambda f: f["steps/is_last"].int64_list.value.__setitem__(-1, 0)), "is_last is not 1"),
    "a feature missing": (_rewritten(FILE, lambda f: f.pop("steps/discount")), "steps/discount is missing"),
    "numbers missing": (_rewritten(FILE, lambda f: f["steps/action"].float_list.value.pop()), "action has not 7 numbers"),
    "a bit of a record": (_damaged(400), "is damaged"),
    "a bit of a length": (_damaged(3), "is damaged"),
    "a file cut off": (lambda folder: (folder / INNER / FILE).write_bytes((folder / INNER / FILE).read_bytes()[:-40]), "cannot be read"),  # type: ignore[dict-item]
    "a file away": (lambda folder: (folder / INNER / FILE).unlink(), "is missing"),
    "splits exchanged": (_split_renamed, "is not its source's"),
    "a split renamed": (_json(INFO, lambda v: [one.update(name="valid") for one in v["splits"] if one["name"] == "val"]), "is missing"),
    "too many episodes said": (_json(INFO, lambda v: v["splits"][1].update(shardLengths=["1", "2"])), "is said to have [1, 2]"),
    "other bytes said": (_json(INFO, lambda v: v["splits"][0].update(numBytes="5")), "is said to have 5 bytes"),
    "another width said": (_json("features.json", _another_width), "has not 9 numbers"),
    "another size said": (_json("features.json", _another_size), "not 64 × 64"),
    "a feature not said": (_json("features.json", lambda v: _steps(v).pop("row")), "not in features.json"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(whole: Path, tmp_path: Path, fault: str) -> None:
    plant, told = FAULTS[fault]
    shutil.copytree(whole / "as-shot", tmp_path / "set")
    plant(tmp_path / "set")
    found = findings(tmp_path / "set")
    assert any(told in finding for finding in found), found


def test_an_episode_that_no_record_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf_records, "_LARGEST", 100)
    with pytest.raises(EpisodeError, match="more than a record can hold"):
        tf_records.write_record(io.BytesIO(), {"steps/action": np.zeros(100, np.float32)})
