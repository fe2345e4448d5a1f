"""A made-up recording of a two-armed rig, message by message as the bus would bring it: no clock, no device."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from drivers.dynamixel.models import VX300S_CHAIN
from station.bus.messages import SCHEMA, ArmState, Chosen, Command, Frame, Message, Row, Tick
from station.bus.messages import Header as BusHeader
from station.bus.requests import RecordingInfo
from station.bus.wire import Sample
from station.devices.contract import Description, Dimension, StreamDescription
from station.episodes.journal import LAYOUT, JournalHeader, JournalWriter

T0_NS = 1_000_000_000_000
TICK_NS = 20_000_000
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
ARMS = ("leader_left", "leader_right", "follower_left", "follower_right")
CAMERAS = ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist")


def arm_description(rate_hz: float = 200.0) -> Description:
    dimensions = tuple(Dimension(name, "1" if name == "gripper" else "rad", -3.2, 3.2) for name in JOINTS)
    return Description(
        "vx300s", "FT0", "1", (StreamDescription("arm_state", rate_hz, dimensions),), "position", chain=VX300S_CHAIN
    )


def camera_description(rate_hz: float = 30.0, depth: bool = False) -> Description:
    streams = [StreamDescription("frame", rate_hz, width=640, height=480)]
    if depth:
        streams.append(StreamDescription("depth", rate_hz, width=640, height=480))
    return Description("webcam", "C0", "", tuple(streams))


def header(
    images: str = "jpeg",
    cameras: tuple[str, ...] = CAMERAS,
    descriptions: dict[str, Description] | None = None,
    dim_names: tuple[str, ...] | None = None,
    episode: int = 0,
    start_ns: int = T0_NS,
) -> JournalHeader:
    names = (
        tuple(f"{side}_{joint}" for side in ("left", "right") for joint in JOINTS) if dim_names is None else dim_names
    )
    devices = {arm: arm_description() for arm in ARMS} | {camera: camera_description() for camera in cameras}
    return JournalHeader(
        rig="aloha", rig_yaml="name: aloha\n", rig_sha256="0" * 64, station_version="0.1.0",
        info=RecordingInfo("cube", episode, "hand the cube over", "ann"),
        descriptions=devices if descriptions is None else descriptions, dim_names=names, units=("rad",) * len(names),
        start_ns=start_ns, start_wall_ns=1_800_000_000_000_000_000, tick_hz=50.0, images=images, cameras=cameras,
        simulated=False, layout=LAYOUT,
    )  # fmt: skip


def jpeg(
    colour_bgr: tuple[int, int, int] = (30, 120, 200), size: tuple[int, int] = (480, 640), quality: int = 90
) -> bytes:
    picture = np.empty((*size, 3), np.uint8)
    picture[:] = colour_bgr
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


@dataclass
class Stream:
    """One publisher: counts its sequence, remembers its newest sample."""

    kind: str
    node: str
    period_ns: int
    start_id: int = 7
    sequence: int = -1
    due_ns: int = T0_NS - 40_000_000
    newest: Sample | None = None
    chosen: int = -1

    def send(self, captured_ns: int, body: Message, payload: tuple[bytes, ...] = ()) -> Sample:
        self.sequence += 1
        head = BusHeader(SCHEMA, self.start_id, self.sequence, captured_ns, captured_ns + 1_000_000)
        self.newest = Sample(self.kind, self.node, head, body, payload)
        return self.newest

    def choose(self, t_ns: int) -> Chosen:
        assert self.newest is not None
        got = self.newest.header
        new = got.sequence != self.chosen
        self.chosen = got.sequence
        return Chosen(self.node, got.start_id, got.sequence, got.captured_at_ns, t_ns - got.captured_at_ns, new)


@dataclass
class Recording:
    """Messages of `rows` rows: four arms at 200 Hz, cameras at 30 Hz, commands, ticks and rows."""

    rows: int
    pictures: list[bytes]
    cameras: tuple[str, ...] = CAMERAS
    frame_encoding: Literal["jpeg", "bgr8"] = "jpeg"
    arms: list[Stream] = field(init=False)
    lenses: list[Stream] = field(init=False)

    def __post_init__(self) -> None:
        self.arms = [Stream("arm_state", arm, 5_000_000) for arm in ARMS]
        self.lenses = [Stream("frame", camera, 33_333_333) for camera in self.cameras]
        self._commands = Stream("command", "pilot", 0)
        self._ticks = Stream("tick", "synchronizer", 0)
        self._rows = Stream("row", "synchronizer", 0)

    def batches(self) -> Iterator[list[Sample]]:
        """One list per tick; its last message is the row of the tick before."""
        for tick in range(self.rows + 1):
            t_ns = T0_NS + tick * TICK_NS
            batch = [sample for stream in (*self.arms, *self.lenses) for sample in self._until(stream, t_ns)]
            chosen = tuple(stream.choose(t_ns) for stream in (*self.arms, *self.lenses))
            batch.append(
                self._ticks.send(t_ns, Tick(tick, t_ns, chosen, vector(tick), vector(tick + 0.1), vector(tick + 0.2)))
            )
            if tick:
                action = vector(tick - 1 + 0.3)
                batch.append(self._rows.send(t_ns, Row(tick - 1, tick - 1, action, vector(tick - 1 + 0.4), "leader")))
            yield batch

    def _until(self, stream: Stream, t_ns: int) -> Iterator[Sample]:
        while stream.due_ns <= t_ns:
            at = stream.due_ns
            stream.due_ns += stream.period_ns
            if stream.kind == "frame":
                picture = self.pictures[(stream.sequence + 1) % len(self.pictures)]
                yield stream.send(at, Frame(self.frame_encoding, 640, 480, "driver", stream.sequence + 1), (picture,))
            else:
                joints = tuple(0.1 * index + at * 1e-12 for index in range(7))
                yield stream.send(at, ArmState(joints, joints, joints, 0.5, 0.01, True, 1_500_000))
                if stream.node.startswith("leader"):
                    yield self._commands.send(at, Command(stream.node, "leader", -1, stream.sequence, at, joints))


def vector(seed: float) -> tuple[float, ...]:
    return tuple(float(np.sin(seed * 0.1 + index)) for index in range(14))


def write(path: Path, recording: Recording, first: JournalHeader | None = None, close: bool = True) -> JournalWriter:
    writer = JournalWriter(path, first or header())
    for batch in recording.batches():
        for sample in batch:
            writer.append(sample)
        writer.flush()
    if close:
        writer.close(recording.rows)
    return writer
