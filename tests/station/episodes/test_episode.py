"""From journal to HDF5: everything exactly, in every loader's terms, whatever is killed or missing."""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import h5py
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.bus.messages import SOURCES, ArmState, Chosen, Frame, Hand, HandPose, Header, Row, Tick, Vector
from station.bus.wire import Sample
from station.devices.contract import Description, Dimension, StreamDescription
from station.episodes import layout, naming
from station.episodes.finalise import finalise as run
from station.episodes.journal import JournalHeader, JournalWriter
from station.episodes.verify import verify
from station.files import calibration_files
from tests.station.episodes import loaders
from tests.station.episodes.recording import (
    CAMERAS,
    T0_NS,
    TICK_NS,
    Recording,
    arm_description,
    camera_description,
    header,
    jpeg,
    write,
)

RED_LEFT_BLUE_RIGHT = (200, 30)
"""How strong the patch's own colour is, and the other one, at least and at most."""


def patch_bgr() -> Any:
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :320, 2] = 255  # red on the left
    picture[:, 320:, 0] = 255  # blue on the right
    return picture


def patch_jpeg() -> bytes:
    done, data = cv2.imencode(".jpg", patch_bgr())
    assert done
    return data.tobytes()


def is_patch(picture_rgb: Any) -> bool:
    left, right = picture_rgb[240, 160].astype(int), picture_rgb[240, 480].astype(int)
    strong, weak = RED_LEFT_BLUE_RIGHT
    return bool(left[0] > strong and left[2] < weak and right[2] > strong and right[0] < weak)


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    part = naming.journal_path(tmp_path_factory.mktemp("jpeg"), 3)
    write(part, Recording(10, [patch_jpeg()]), header(episode=3))
    return run(part)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    part = naming.journal_path(tmp_path_factory.mktemp("raw"), 0)
    write(part, Recording(6, [patch_bgr().tobytes()], frame_encoding="bgr8"), header(images="raw"))
    return run(part)


def test_keys_types_and_shapes_are_alohas(compressed: Path, raw: Path) -> None:
    with h5py.File(compressed) as file:
        for name in ("/observations/qpos", "/observations/qvel", "/observations/effort", "/action"):
            assert file[name].dtype == np.float32
            assert file[name].shape == (10, 14)
        padded = file["/observations/images/cam_high"].shape[1]
        for name in CAMERAS:
            images = file[f"/observations/images/{name}"]
            assert (images.dtype, images.shape, images.chunks) == (np.uint8, (10, padded), (1, 7168))
        assert (file["/compress_len"].dtype, file["/compress_len"].shape) == (np.float32, (4, 10))
        assert (file["/compress_len"][:] == len(patch_jpeg())).all()
        assert tuple(file["/compress_len"].attrs["camera_names"]) == CAMERAS
        assert bool(file.attrs["compress"]) is True
        assert bool(file.attrs["sim"]) is False
        assert list(file["/control/source"].attrs["names"]) == list(SOURCES)
    with h5py.File(raw) as file:
        assert not file.attrs["compress"]
        assert "/compress_len" not in file
        images = file["/observations/images/cam_low"]
        assert (images.dtype, images.shape, images.chunks) == (np.uint8, (6, 480, 640, 3), (1, 480, 640, 3))
    assert verify(compressed) == []
    assert verify(raw) == []


def test_a_picture_that_was_never_written_is_missed(raw: Path, tmp_path: Path) -> None:
    holed = tmp_path / raw.name
    shutil.copy(raw, holed)
    name = "/observations/images/cam_high"
    with h5py.File(holed, "r+") as file:
        pictures = file[name][:]
        del file[name]
        file.create_dataset(name, pictures.shape, pictures.dtype, chunks=(1, *pictures.shape[1:]))[:5] = pictures[:5]
    assert verify(holed) == [f"{name}: 5 pictures, not 6"]


def test_act_reads_raw_in_right_colours(raw: Path) -> None:
    got = loaders.act(raw, list(CAMERAS), 2)
    assert got["image"].shape == (4, 480, 640, 3)
    assert is_patch(got["image"][0] * 255)
    assert got["action"].shape == (6, 14)
    assert (got["qpos"].shape, got["qvel"].shape) == ((14,), (14,))


def test_act_plus_plus_reads_raw_right_and_jpeg_with_red_and_blue_swapped(raw: Path, compressed: Path) -> None:
    assert is_patch(loaders.act_plus_plus(raw, list(CAMERAS), 1)["images"]["cam_high"])
    swapped = loaders.act_plus_plus(compressed, list(CAMERAS), 1)["images"]["cam_high"]
    assert swapped.shape == (480, 640, 3)
    assert not is_patch(swapped)
    assert is_patch(swapped[:, :, ::-1])


def test_openpi_reads_both_in_right_colours(raw: Path, compressed: Path) -> None:
    for path, rows in ((raw, 6), (compressed, 10)):
        pictures, state, action, velocity, effort = loaders.openpi(path)
        assert all(picture.shape == (rows, 480, 640, 3) and is_patch(picture[-1]) for picture in pictures.values())
        assert state.dtype == action.dtype == np.float32
        assert state.shape == action.shape == velocity.shape == effort.shape == (rows, 14)


def test_a_jpeg_camera_on_a_raw_rig_is_decoded_once_to_rgb(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(3, [patch_jpeg()], cameras=("cam_high",)), header(images="raw", cameras=("cam_high",)))
    with h5py.File(run(part)) as file:
        assert is_patch(file["/observations/images/cam_high"][2])


# -- hypothesis: whatever rows and streams are written come out exactly --

single = st.floats(width=32, allow_nan=False, allow_infinity=False)
double = st.floats(allow_nan=False, allow_infinity=False)


class Made:
    """A drawn recording: its messages and what must be in the file."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.dimensions = draw(st.integers(1, 5))
        self.rows = draw(st.integers(1, 7))
        self.first_tick = draw(st.integers(0, 1000))
        self.cameras = tuple(draw(st.lists(st.sampled_from(["cam_high", "cam_low", "top"]), max_size=2, unique=True)))
        self.others = draw(st.lists(st.sampled_from(["force", "vr", "depth"]), unique=True))
        self.images = draw(st.sampled_from(["jpeg", "raw"]))
        self.samples: list[Sample] = []
        self.expected: dict[str, list[Any]] = {}
        self._sequences: dict[str, int] = {}
        self._now: dict[str, tuple[Header, Any, bytes]] = {}
        self._record(draw)

    def descriptions(self) -> dict[str, Description]:
        found = {"follower_left": arm_description()} | {
            camera: camera_description(depth="depth" in self.others and place == 0)
            for place, camera in enumerate(self.cameras)
        }
        if "force" in self.others:
            axes = (Dimension("x", "N", -9, 9), Dimension("y", "N", -9, 9))
            found["force"] = Description("ft", "", "", (StreamDescription("vector", 50.0, axes),))
        if "vr" in self.others:
            found["vr"] = Description("quest", "", "", (StreamDescription("hand_pose", 72.0),))
        return found

    def header(self) -> JournalHeader:
        names = tuple(f"j{index}" for index in range(self.dimensions))
        return header(self.images, self.cameras, self.descriptions(), names)

    def _record(self, draw: st.DrawFn) -> None:
        streams = layout.streams(self.descriptions())
        joints = st.lists(single, min_size=self.dimensions, max_size=self.dimensions).map(tuple)
        for row in range(self.rows + 1):
            t_ns = T0_NS + (self.first_tick + row) * TICK_NS
            chosen = []
            for stream, (kind, node) in streams.items():
                fresh = row == 0 or draw(st.booleans())
                if fresh:
                    for back in range(draw(st.integers(1, 2)), 0, -1):  # the last one sent is the one chosen
                        self._send(draw, stream, kind, node, t_ns - back * 1_000_000)
                got = self._now[stream][0]
                age = t_ns - got.captured_at_ns
                chosen.append(Chosen(stream, got.start_id, got.sequence, got.captured_at_ns, age, fresh))
                if row < self.rows:
                    self._note(f"/timestamps/{stream}", got.captured_at_ns)
                    self._note(f"/sync/age/{stream}", age)
                    self._note(f"/sync/is_new/{stream}", fresh)
                    self._note(f"content/{stream}", self._now[stream][1:])
            draw(st.randoms()).shuffle(chosen)
            vectors = [draw(joints) for _ in range(3)]
            tick = Tick(self.first_tick + row, t_ns, tuple(chosen), *vectors)
            self.samples.append(Sample("tick", "synchronizer", Header(1, 2, row, t_ns, t_ns), tick, ()))
            if row < self.rows:
                for name, vector in zip(("qpos", "qvel", "effort"), vectors, strict=True):
                    self._note(f"/observations/{name}", vector)
                self._note("/timestamps/tick", t_ns)
            if row:
                self._close(draw, row - 1, joints, t_ns)

    def _close(self, draw: st.DrawFn, row: int, joints: Any, t_ns: int) -> None:
        body = Row(
            self.first_tick + row, row, draw(joints), draw(joints), draw(st.sampled_from(SOURCES)), draw(st.booleans()),
            draw(st.none() | joints), draw(st.none() | joints), draw(st.booleans()), draw(st.booleans()),
        )  # fmt: skip
        self.samples.append(Sample("row", "synchronizer", Header(1, 2, row, t_ns, t_ns), body, ()))
        nothing = (np.nan,) * self.dimensions
        self._note("/action", body.action)
        self._note("/action_sent", body.action_sent)
        self._note("/policy_action", body.policy_action or nothing)
        self._note("/human_action", body.human_action or nothing)
        self._note("/control/source", SOURCES.index(body.source))
        self._note("/control/intervention", body.intervention)
        self._note("/control/late", body.late)
        self._note("/control/stalled", body.stalled)

    def _send(self, draw: st.DrawFn, stream: str, kind: str, node: str, at: int) -> None:
        sequence = self._sequences[stream] = self._sequences.get(stream, -1) + 1
        payload: tuple[bytes, ...] = ()
        body: Any
        if kind == "arm_state":
            body = ArmState((0.1,), (0.2,), (0.3,), None, None, True)
        elif kind == "frame":
            jpeg_like = self.images == "jpeg"
            body = Frame("jpeg" if jpeg_like else draw(st.sampled_from(["rgb8", "bgr8"])), 4, 3, "driver", sequence)
            size = {"max_size": 200} if jpeg_like else {"min_size": 36, "max_size": 36}
            payload = ((b"\xff\xd8\xff" if jpeg_like else b"") + draw(st.binary(**size)),)
        elif kind == "depth":
            body = Frame("z16", 4, 3, "device", None)
            payload = (draw(st.binary(min_size=24, max_size=24)),)
        elif kind == "vector":
            body = Vector((draw(double), draw(double)))
        else:
            hand = st.none() | st.builds(Hand, st.tuples(double, double, double), st.none(), double)
            body = HandPose(draw(hand), draw(hand), draw(st.none() | double), 3)
        head = Header(1, 9, sequence, at, at + 500)
        self._now[stream] = head, body, payload[0] if payload else b""
        self.samples.append(Sample(kind, node, head, body, payload))

    def _note(self, path: str, value: Any) -> None:
        self.expected.setdefault(path, []).append(value)


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(made=st.composite(Made)())
def test_everything_written_comes_out_exactly(tmp_path: Path, made: Made) -> None:
    part = naming.journal_path(Path(tempfile.mkdtemp(dir=tmp_path)), 0)
    writer = JournalWriter(part, made.header())
    for sample in made.samples:
        writer.append(sample)
    writer.close(made.rows)
    episode = run(part)
    assert verify(episode) == []
    with h5py.File(episode) as file:
        for path, values in made.expected.items():
            if path.startswith("content/"):
                check_content(file, made, path.removeprefix("content/"), values)
            else:
                np.testing.assert_array_equal(file[path][:], np.array(values, file[path].dtype), strict=True)
        assert file.attrs["late_ticks"] == sum(made.expected["/control/late"])
        stalled = made.expected["/control/stalled"]
        assert file.attrs["stalls"] == sum(now and not before for before, now in pairwise([False, *stalled]))
        assert file.attrs["recovered"] == 0
    episode.unlink()


def check_content(file: h5py.File, made: Made, stream: str, values: list[tuple[Any, bytes]]) -> None:
    kind, node = layout.streams(made.descriptions())[stream]
    for row, (body, data) in enumerate(values):
        if kind == "depth":
            expected = np.frombuffer(data, "<u2").reshape(3, 4)
            np.testing.assert_array_equal(file[f"/observations/depth/{node}"][row], expected)
        elif kind == "frame" and made.images == "jpeg":
            length = int(file["/compress_len"][made.cameras.index(stream), row])
            got = file[f"/observations/images/{stream}"][row].tobytes()
            assert (got[:length], got[length:].strip(b"\0")) == (data, b"")
        elif kind == "frame":
            pixels = np.frombuffer(data, np.uint8).reshape(3, 4, 3)
            rgb = pixels if body.encoding == "rgb8" else pixels[:, :, ::-1]
            np.testing.assert_array_equal(file[f"/observations/images/{stream}"][row], rgb)
        elif kind == "vector":
            dataset = file[f"/observations/extra/{stream}"]
            assert list(dataset.attrs["dim_names"]) == ["x", "y"]
            np.testing.assert_array_equal(dataset[row], body.values)
        elif kind == "hand_pose":
            check_hands(file, stream, row, body)


def check_hands(file: h5py.File, stream: str, row: int, body: HandPose) -> None:
    dataset = file[f"/observations/extra/{stream}"]
    got = dict(zip(map(str, dataset.attrs["dim_names"]), dataset[row], strict=True))
    for name, hand in (("left", body.left), ("right", body.right)):
        for place, axis in enumerate("xyz"):
            value = got.pop(f"{name}.position_m.{place}", np.nan)
            known = None if hand is None else hand.position_m
            assert np.isnan(value) if known is None else value == known[place], axis
        value = got.pop(f"{name}.grip", np.nan)
        assert np.isnan(value) if hand is None else value == hand.grip
        still = {key: got.pop(key) for key in list(got) if key.startswith(f"{name}.")}
        assert all(np.isnan(value) if hand is None else value == 0 for value in still.values())
    yaw = got.pop("head_yaw_rad", np.nan)
    assert np.isnan(yaw) if body.head_yaw_rad is None else yaw == body.head_yaw_rad
    assert got.pop("space") == 3
    assert all(np.isnan(value) for value in got.values())


def test_late_lost_and_stale_are_told(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    recording = Recording(40, [jpeg()], cameras=("cam_high",))
    writer = JournalWriter(part, header(cameras=("cam_high",)))
    lens = recording.lenses[0]
    for tick, batch in enumerate(recording.batches()):
        if tick == 9:
            lens.due_ns += 400_000_000  # the camera freezes for 0.4 s …
            lens.sequence += 5  # … and five of its pictures never arrive
        for sample in batch:
            writer.append(sample)
        writer.flush()
    writer.close(40, "cam_high was lost")
    with h5py.File(run(part)) as file:
        assert file["/timestamps/cam_high"].attrs["lost"] == file.attrs["lost_samples"] == 5
        stale = int((file["/sync/age/cam_high"][:] > 100_000_000).sum())
        assert file["/timestamps/cam_high"].attrs["stale"] == file.attrs["stale_samples"] == stale > 10
        assert file.attrs["ended"] == "cam_high was lost"
        assert not file["/sync/is_new/cam_high"][20]


def test_a_file_of_the_first_layout_is_whole_without_what_came_later(tmp_path: Path) -> None:
    episode = run(write(naming.journal_path(tmp_path, 0), Recording(5, [jpeg()])).path)
    assert verify(episode) == []
    with h5py.File(episode, "r+") as file:
        del file["/control/stalled"], file.attrs["stalls"], file["/marks"]
    assert any("stalled is missing" in found or "stalls is missing" in found for found in verify(episode))
    with h5py.File(episode, "r+") as file:
        file.attrs["layout"] = np.int64(1)
    assert verify(episode) == []


def test_a_row_of_an_older_journal_was_not_stalled() -> None:
    row = msgspec.to_builtins(Row(7, 0, (0.1,), (0.1,), "leader"))
    del row["stalled"]
    assert not msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=Row).stalled


def test_calibration_and_check_travel_into_the_file(tmp_path: Path) -> None:
    made = calibration_files.Made("2026-01-02T03:04:05+00:00", "ada", "motion", 120)
    known = calibration_files.Calibration(
        "C0", "cam_high", "webcam", 3, latency=calibration_files.Latency(made, 41.5, 1.0)
    )
    first = header()
    devices = first.descriptions | {"cam_high": msgspec.structs.replace(camera_description(), calibration=known)}
    info = msgspec.structs.replace(first.info, check_result='{"verdict": "fail", "override": "last one today"}')
    part = tmp_path / "episode_0.mcap.part"
    write(part, Recording(3, [patch_jpeg()]), msgspec.structs.replace(first, descriptions=devices, info=info))
    run(part)
    with h5py.File(tmp_path / "episode_0.hdf5") as file:
        kept = msgspec.json.decode(file.attrs["calibration"], type=dict[str, calibration_files.Calibration])
        assert kept == {"cam_high": known}
        assert "41.5" not in file.attrs["devices"]
        assert file.attrs["check_result"] == info.check_result
