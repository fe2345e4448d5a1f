"""What goes into a journal comes out exactly, up to wherever the file breaks off."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import pytest
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from foxglove_schemas_protobuf.RawImage_pb2 import RawImage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import NonSeekingReader
from mcap.writer import MCAP0_MAGIC

from station.bus.messages import (
    SCHEMA,
    Applied,
    ArmState,
    Chosen,
    Command,
    Frame,
    Hand,
    HandPose,
    Header,
    Row,
    SessionState,
    Setpoint,
    Tick,
    Vector,
)
from station.bus.requests import RecordingInfo
from station.bus.wire import Sample
from station.episodes import naming
from station.episodes.finalise import finalise, held
from station.episodes.journal import JournalWriter, journal_header
from station.episodes.journal_reader import JournalReader
from station.errors import DiskFull, EpisodeError
from station.rig.file import Base, Safety
from station.rig.rig import Device, Rig, Side
from tests.station.episodes.recording import JOINTS, Recording, arm_description, header, jpeg, write

finite = st.floats(allow_nan=False, allow_infinity=False)
anything = st.floats()
int64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
vectors = st.lists(anything, max_size=5).map(tuple)
optional_vectors = st.none() | vectors
hands = st.none() | st.builds(
    Hand,
    st.none() | st.tuples(anything, anything, anything),
    st.none() | st.tuples(anything, anything, anything, anything),
    anything, stick_pressed=st.booleans(), primary=st.booleans(),
)  # fmt: skip
sources = st.sampled_from(["none", "leader", "vr", "policy", "replay", "park", "hold"])
bodies = {
    "arm_state": st.builds(
        ArmState, vectors, vectors, vectors, st.none() | anything, st.none() | anything, st.booleans(), int64
    ),
    "hand_pose": st.builds(HandPose, hands, hands, st.none() | anything, int64),
    "vector": st.builds(Vector, vectors),
    "setpoint": st.builds(Setpoint, sources, int64, int64, vectors, st.booleans(), text),
    "command": st.builds(Command, text, sources, int64, int64, int64, vectors, st.booleans(), text, st.booleans()),
    "applied": st.builds(Applied, text, sources, int64, int64, int64, vectors, st.booleans(), st.booleans(), text),
    "tick": st.builds(
        Tick,
        int64,
        int64,
        st.lists(st.builds(Chosen, text, int64, int64, int64, int64, st.booleans()), max_size=3).map(tuple),
        vectors,
        vectors,
        vectors,
    ),
    "row": st.builds(
        Row, int64, int64, vectors, vectors, sources, st.booleans(), optional_vectors, optional_vectors, st.booleans()
    ),
}
headers = st.builds(Header, st.integers(SCHEMA, 9), st.integers(0, 2**48), st.integers(0, 2**40), int64, int64)
small = st.integers(0, 2**20)
frames = st.builds(
    Frame,
    st.sampled_from(["jpeg", "bgr8", "rgb8", "z16"]),
    small,
    small,
    st.sampled_from(["device", "driver", "arrival"]),
    st.none() | int64,
)
nodes = st.sampled_from(["follower_left", "cam_high", "vr"])


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    kind = draw(st.sampled_from([*bodies, "frame", "depth"]))
    if kind in bodies:
        extra = draw(st.lists(st.binary(max_size=4), max_size=2)) if draw(st.booleans()) else []
        return Sample(kind, draw(nodes), draw(headers), draw(bodies[kind]), tuple(extra))
    # A picture has one payload; anything else must come back too.
    payload = draw(
        st.lists(st.binary(max_size=40), min_size=1, max_size=1) | st.lists(st.binary(max_size=4), max_size=3)
    )
    return Sample(kind, draw(nodes), draw(headers), draw(frames), tuple(payload))


def same(left: object, right: object) -> bool:
    """Equality to the last bit: NaN equals NaN, −0.0 is not 0.0."""
    return repr(left) == repr(right)


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(samples(), max_size=6), max_size=4), why=text)
def test_whatever_is_appended_comes_back_exactly(tmp_path: Path, batches: list[list[Sample]], why: str) -> None:
    path = tmp_path / "episode_1.mcap.part"
    path.unlink(missing_ok=True)
    first = header()
    writer = JournalWriter(path, first)
    for batch in batches:
        for sample in batch:
            writer.append(sample)
        writer.flush()
    writer.close(3, why)
    with JournalReader(path) as reader:
        assert reader.header == first
        got = list(reader.samples())
        assert same(got, [sample for batch in batches for sample in batch])
        assert reader.ending is not None
        assert reader.ending.how == "closed"
        assert reader.end is not None
        assert (reader.end.rows, reader.end.why) == (3, why)


@pytest.mark.slow
def test_a_torn_tail_costs_only_what_was_not_flushed(tmp_path: Path) -> None:
    """Cut after every byte around each flush, and all over: what was flushed is there, nothing is invented."""
    path = tmp_path / "episode_1.mcap.part"
    recording = Recording(3, [b"\xff\xd8\xffabc"], cameras=("cam_high",))
    writer = JournalWriter(path, header(cameras=("cam_high",)))
    flushed = []
    appended: list[Sample] = []
    for batch in recording.batches():
        for sample in batch:
            writer.append(sample)
        writer.flush()
        appended += batch
        flushed.append((path.stat().st_size, len(appended)))
    writer.close(3)
    whole = path.read_bytes()
    cut = tmp_path / "cut"
    near = {at + byte for at, _ in [(0, 0), *flushed] for byte in range(-60, 60) if 0 <= at + byte < len(whole)}
    for size in sorted(near | set(range(0, len(whole), 23))):
        cut.write_bytes(whole[:size])
        with JournalReader(cut) as reader:
            got = list(reader.samples())
            assert reader.ending is not None
            assert reader.ending.how == ("torn" if size < len(whole) - len(MCAP0_MAGIC) else "closed")
        expected = max((count for at, count in flushed if at <= size), default=0)
        assert got == appended[:expected]
    for size in range(0, len(whole), 97):  # a power cut may leave zeros where data had been announced
        cut.write_bytes(whole[:size] + bytes(500))
        with JournalReader(cut) as reader:
            got = list(reader.samples())
        assert got == appended[: len(got)]
        assert len(got) >= max((count for at, count in flushed if at <= size), default=0)


@pytest.mark.slow
def test_a_flipped_byte_ends_the_journal_there_and_is_never_data(tmp_path: Path) -> None:
    path = tmp_path / "episode_1.mcap.part"
    recording = Recording(3, [b"\xff\xd8\xffabc"], cameras=("cam_high",))
    write(path, recording, header(cameras=("cam_high",)))
    whole = path.read_bytes()
    with JournalReader(path) as reader:
        appended = list(reader.samples())
    hurt = tmp_path / "hurt"
    damaged = 0
    for place in range(0, len(whole), 41):
        hurt.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        with JournalReader(hurt) as reader:
            got = list(reader.samples())
            assert reader.ending is not None
            damaged += reader.ending.how == "damaged"
            assert reader.header in (None, header(cameras=("cam_high",)))
        assert got == appended[: len(got)]
    assert damaged > 20


def test_losses_are_counted_from_sequence_numbers_once_ticks_flow(tmp_path: Path) -> None:
    path = tmp_path / "episode_1.mcap.part"
    recording = Recording(5, [b"\xff\xd8\xff"], cameras=("cam_high",))
    batches = list(recording.batches())
    dropped = [sample for sample in batches[2] if sample.node == "leader_left"][1:3]
    early = [sample for sample in batches[0] if sample.node == "leader_right"][1]
    writer = JournalWriter(path, header(cameras=("cam_high",)))
    for sample in (sample for batch in batches for sample in batch):
        if not any(sample is gone for gone in (*dropped, early)):
            writer.append(sample)
    writer.close(5)
    with JournalReader(path) as reader:
        assert list(reader.stored({"row"}))
        assert reader.lost == {("arm_state", "leader_left"): 2}


def test_it_opens_as_stock_mcap_with_stock_foxglove_pictures(tmp_path: Path) -> None:
    path = tmp_path / "episode_1.mcap.part"
    writer = JournalWriter(path, header())
    head = Header(1, 7, 0, 5_000_000_123, 5_000_900_000)
    writer.append(Sample("frame", "cam_high", head, Frame("jpeg", 640, 480, "driver", 41), (jpeg(),)))
    writer.append(Sample("depth", "cam_high", head, Frame("z16", 2, 1, "device", None), (b"\1\2\3\4",)))
    writer.append(Sample("vector", "force", head, Vector((1.5, 2.0)), ()))
    writer.close(0)
    with path.open("rb") as file:
        got = {channel.topic: (schema, message) for schema, channel, message in NonSeekingReader(file).iter_messages()}
    schema, message = got["frame/cam_high"]
    picture = CompressedImage.FromString(message.data)
    assert schema is not None and schema.name == "foxglove.CompressedImage"
    assert (picture.format, picture.data, picture.frame_id) == ("jpeg", jpeg(), "cam_high")
    assert (picture.timestamp.seconds, picture.timestamp.nanos) == (5, 123)
    assert (message.publish_time, message.log_time) == (5_000_000_123, 5_000_900_000)
    _, message = got["depth/cam_high"]
    raw = RawImage.FromString(message.data)
    assert (raw.encoding, raw.width, raw.height, raw.step, raw.data) == ("16UC1", 2, 1, 4, b"\1\2\3\4")
    schema, message = got["vector/force"]
    assert schema is not None
    assert (schema.encoding, message.data) == ("jsonschema", b'{"values":[1.5,2.0]}')
    assert b'"type":"object"' in schema.data.replace(b" ", b"")


def test_the_header_names_the_vector_in_the_rigs_order(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("name: two\n")
    base = Base()
    rig = Rig(
        name="two", file=file, sha256="ab", tick_hz=50.0, settle_ms=3.0, data=tmp_path, images="jpeg",
        sides=(
            Side("right", base, "leader_right", "follower_right"),
            Side("middle", base, "leader_middle", None),
            Side("left", base, None, "follower_left"),
        ),
        devices=(Device("cam_high", "camera", "x:Y", None), Device("cam_low", "camera", "x:Y", None)),
        safety=Safety(), world=None,
    )  # fmt: skip
    arms = {name: arm_description() for name in ("follower_left", "leader_right", "leader_middle", "follower_right")}
    info = RecordingInfo("cube", 3)
    made = journal_header(rig, info, arms, 5, 6)
    assert made.dim_names == tuple(f"{side}_{joint}" for side in ("right", "left") for joint in JOINTS)
    assert made.units == ("rad",) * 6 + ("1",) + ("rad",) * 6 + ("1",)
    assert (made.cameras, made.simulated, made.rig_yaml) == (("cam_high", "cam_low"), False, "name: two\n")
    assert (made.start_ns, made.start_wall_ns, made.info) == (5, 6, info)


def test_a_journal_is_locked_while_written_and_never_replaced(tmp_path: Path) -> None:
    path = naming.journal_path(tmp_path, 4)
    writer = JournalWriter(path, header())
    with held(path) as free:
        assert not free
    with pytest.raises(EpisodeError, match="writing or saving"):
        finalise(path)
    writer.close(0)
    with held(path) as free:
        assert free
    with pytest.raises(EpisodeError, match="exists already"):
        JournalWriter(path, header())
    assert naming.next_number(tmp_path) == 5
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".highest_episode", path.name]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cube").write_text("a file where the folder should be")
    with pytest.raises(EpisodeError, match="cannot be made"):
        JournalWriter(naming.journal_path(tmp_path / "cube", 0), header())


@pytest.mark.slow
def test_a_full_disk_is_said_and_costs_nothing_flushed(tmp_path: Path) -> None:
    """RLIMIT_FSIZE makes the kernel take half a write and then none: what a full disk does."""
    path = tmp_path / "episode_0.mcap.part"
    script = f"""
        import resource, sys
        from pathlib import Path
        from station.episodes.journal import JournalWriter, journal_header
        from station.errors import DiskFull
        from tests.station.episodes.recording import Recording, header
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        writer, flushed = JournalWriter(Path({str(path)!r}), header(cameras=("cam_high",))), 0
        try:
            for batch in Recording(500, [b"\\xff\\xd8\\xff" + bytes(3000)], cameras=("cam_high",)).batches():
                for sample in batch:
                    writer.append(sample)
                writer.flush()
                flushed += len(batch)
        except DiskFull as error:
            writer.close(0)
            print(flushed)
            sys.exit("what was flushed is kept" not in str(error))
        sys.exit("no DiskFull")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with JournalReader(path) as reader:
        got = list(reader.samples())
        assert reader.ending is not None
        assert reader.ending.how == "torn"
    assert len(got) == int(done.stdout) > 100


def test_no_space_left_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "episode_0.mcap.part"
    writer = JournalWriter(path, header())
    with open("/dev/full", "wb", buffering=0) as full:
        real = os.writev
        monkeypatch.setattr(os, "writev", lambda fd, parts: real(full.fileno(), parts))
        writer.append(Sample("vector", "force", Header(1, 1, 0, 0, 0), Vector((1.0,)), ()))
        with pytest.raises(DiskFull, match="No space left"):
            writer.flush()
        writer.append(Sample("vector", "force", Header(1, 1, 1, 0, 0), Vector((1.0,)), ()))
        with pytest.raises(DiskFull, match="failed before"):
            writer.flush()
    writer.close(0)
    with JournalReader(path) as reader:
        assert reader.header == header()


KILLED = """
    import os, sys, time
    from pathlib import Path
    from station.clock import monotonic_ns
    from station.episodes.journal import JournalWriter, journal_header
    from station.episodes.journal_thread import JournalThread
    from tests.station.episodes.recording import Recording, header, jpeg
    thread = JournalThread(JournalWriter(Path(sys.argv[1]), header(cameras=("cam_high",))), monotonic_ns)
    told = 0
    try:
        for rows, batch in enumerate(Recording(100_000, [jpeg()], cameras=("cam_high",)).batches()):
            for sample in batch:
                thread.put(sample)
            thread.flush(rows)
            while thread.flushed_rows < rows - 3 and thread.error is None:
                time.sleep(0.0005)
            if thread.flushed_rows > told:
                told = thread.flushed_rows
                os.write(1, b"%d\\n" % told)
    finally:  # its thread would keep it alive, and whoever waits for its end waiting
        thread.close()
"""


@pytest.mark.slow
@pytest.mark.timeout(300)  # twenty interpreters are started
def test_kill_9_at_random_loses_no_acknowledged_row(tmp_path: Path) -> None:
    for number, acknowledged in enumerate([1, 2, 3, 4, 5, 7, 9, 11, 14, 17, 21, 26, 32, 39, 47, 55, 70, 90, 120, 160]):
        part = naming.journal_path(tmp_path, number)
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(part)], stdout=subprocess.PIPE
        ) as recorder:
            assert recorder.stdout is not None
            told = 0
            try:
                for line in recorder.stdout:
                    told = int(line)
                    if told >= acknowledged:
                        break
            finally:  # whatever went wrong here: it is waited for below
                recorder.kill()
            told = max([told, *map(int, recorder.stdout.read().split(b"\n")[:-1])])
        assert recorder.returncode == -signal.SIGKILL, "it ended before it was killed"
        episode = finalise(part)
        with h5py.File(episode) as file:
            assert len(file["/action"]) >= told >= acknowledged
            assert file.attrs["recovered"]


def test_what_the_table_keeps_out_of_journals_is_refused(tmp_path: Path) -> None:
    told = SessionState("ready", "t", "", 0, 0, 0, 0, 0, ())
    writer = JournalWriter(naming.journal_path(tmp_path, 0), header())
    try:
        with pytest.raises(ValueError, match="session is nothing that a journal keeps"):
            writer.append(Sample("session", "session", Header(1, 1, 0, 0, 0), told, ()))
    finally:
        writer.close(0)
