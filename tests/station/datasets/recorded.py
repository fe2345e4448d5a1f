"""Episodes for datasets, through the real journal and builder. Every picture carries its camera and its number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from station.bus.messages import ArmState, Command, Description, Dimension, Frame, Row, SourceName, Tick
from station.bus.requests import RecordingInfo
from station.bus.streams import stream_names
from station.bus.wire import Sample
from station.episodes import naming
from station.episodes.finalise import finalise
from station.episodes.journal import JournalWriter
from station.episodes.labels import set_success
from tests.station.episodes.recording import T0_NS, TICK_NS, Stream, arm_description, camera_description, header

BIMANUAL, SINGLE = ("left", "right"), ("right",)
SIZE = 160, 128
_BITS = 12
_CELL = 10


@dataclass(frozen=True)
class Recorded:
    """What an episode is made of."""

    rows: int = 60
    sides: Sequence[str] = BIMANUAL
    cameras: Sequence[str] = ("cam_high", "cam_left_wrist")
    task: str = "cube"
    episode: int = 0
    instruction: str = "hand the cube over"
    operator: str = "ann"
    scene: str = "table"
    object: str = ""
    rate_hz: float = 30.0
    size: tuple[int, int] = SIZE
    sources: Sequence[SourceName] = ()
    """By row; "leader" where it ends."""
    taken_over: Sequence[int] = ()
    """Rows in which a human had taken over from a policy."""
    stalled: Sequence[int] = ()
    still: tuple[int, int] = (0, 0)
    """Rows at the beginning and at the end in which nothing moves."""
    success: bool | None = True
    images: str = "jpeg"
    tick_hz: float = 50.0
    depths: Sequence[str] = ()
    """Cameras that have depth."""
    arms: Mapping[str, Description] = field(default_factory=dict)
    """By side, where they are not ALOHA's."""

    def arm(self, side: str) -> Description:
        """That of a side, leader and follower alike."""
        return self.arms.get(side, arm_description())

    @property
    def dimensions(self) -> list[tuple[str, Dimension]]:
        """The vector's, by name."""
        return [(f"{side}_{one.name}", one) for side in self.sides for one in self.arm(side).streams[0].dimensions]


def picture(camera: str, number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """(H, W, 3) BGR: a scene that moves with the number, the number in black and white cells, a red and a blue patch."""
    width, height = size
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    seed = sum(map(ord, camera))
    scene = np.empty((height, width, 3), np.uint8)
    scene[..., 0] = 110 + 60 * np.sin((across + 3 * number + seed) / 17)
    scene[..., 1] = 120 + 60 * np.sin((down + 2 * number) / 13)
    scene[..., 2] = 100 + 50 * np.sin((across + down - 4 * number) / 23)
    scene[-30:-6, 6:40] = (20, 20, 220)
    scene[-30:-6, 50:84] = (220, 20, 20)
    scene = np.asarray(cv2.GaussianBlur(scene, (9, 9), 0), np.uint8)  # decoders differ at sharp edges of colour
    for bit in range(_BITS):
        left = 4 + bit * _CELL
        scene[4 : 4 + _CELL, left : left + _CELL] = 255 if number >> bit & 1 else 0
    return scene


def depth(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint16]:
    """(H, W) millimetres, over all sixteen bits, another with each number."""
    width, height = size
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    return np.asarray((across * 401 + down * 7 + number * 13) % 65536, np.uint16)


def number_in(rgb: NDArray[np.uint8]) -> int:
    """The number that a picture carries."""
    grey = rgb.mean(axis=2)
    cells = [grey[6 : 2 + _CELL, 6 + bit * _CELL : 2 + (bit + 1) * _CELL].mean() for bit in range(_BITS)]
    return sum((cell > 127) << bit for bit, cell in enumerate(cells))


def encoded(camera: str, number: int, size: tuple[int, int] = SIZE) -> bytes:
    """The picture as the camera makes it."""
    done, data = cv2.imencode(".jpg", picture(camera, number, size), [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert done
    return data.tobytes()


def make(data: Path, recorded: Recorded = Recorded(), wall_s: int = 0) -> Path:
    """Record it into the data folder; the episode."""
    folder = data / recorded.task
    folder.mkdir(parents=True, exist_ok=True)
    part = naming.journal_path(folder, recorded.episode)
    names = tuple(name for name, _ in recorded.dimensions)
    devices = {f"{role}_{side}": recorded.arm(side) for role in ("leader", "follower") for side in recorded.sides}
    devices |= {camera: camera_description(recorded.rate_hz, camera in recorded.depths) for camera in recorded.cameras}
    first = header(recorded.images, tuple(recorded.cameras), devices, names, recorded.episode, T0_NS + recorded.episode)
    info = RecordingInfo(
        recorded.task,
        recorded.episode,
        recorded.instruction,
        recorded.operator,
        scene=recorded.scene,
        object=recorded.object,
    )
    units = tuple(dimension.unit for _, dimension in recorded.dimensions)
    efforts = tuple(dimension.effort_unit for _, dimension in recorded.dimensions)
    wall_ns = first.start_wall_ns + (recorded.episode * 600 + wall_s) * 10**9
    writer = JournalWriter(
        part,
        msgspec.structs.replace(
            first, info=info, units=units, start_wall_ns=wall_ns, tick_hz=recorded.tick_hz, effort_units=efforts
        ),
    )
    for sample in _samples(recorded, list(devices)):
        writer.append(sample)
    writer.flush()
    writer.close(recorded.rows)
    episode = finalise(part)
    assert episode is not None
    if recorded.success is not None:
        set_success(episode, recorded.success)
    return episode


def _samples(recorded: Recorded, devices: Sequence[str]) -> Iterator[Sample]:
    streams = [
        Stream("frame", device, round(1e9 / recorded.rate_hz), start_id=7)
        if device in recorded.cameras
        else Stream("arm_state", device, 5_000_000)
        for device in devices
    ]
    streams += [Stream("depth", camera, round(1e9 / recorded.rate_hz), start_id=7) for camera in recorded.depths]
    ticks, rows = Stream("tick", "synchronizer", 0), Stream("row", "synchronizer", 0)
    commands = Stream("command", "pilot", 0)
    step_ns = round(TICK_NS * 50 / recorded.tick_hz)
    for tick in range(recorded.rows + 1):
        t_ns = T0_NS + tick * step_ns
        for stream in streams:
            while stream.due_ns <= t_ns:
                at = stream.due_ns
                stream.due_ns += stream.period_ns
                yield _sample(stream, at, recorded)
                if stream.node.startswith("leader"):
                    joints = (0.1,) * _width(recorded, stream.node)
                    yield commands.send(at, Command(stream.node, "leader", -1, stream.sequence, at, joints))
        chosen = tuple(
            msgspec.structs.replace(
                stream.choose(t_ns), stream=stream_names(stream.node, ("frame", "depth"))[stream.kind]
            )
            if stream.kind == "depth"
            else stream.choose(t_ns)
            for stream in streams
        )
        vectors = [_vector(recorded, tick, shift) for shift in (0.0, 0.1, 0.2)]
        yield ticks.send(t_ns, Tick(tick, t_ns, chosen, *vectors))
        if tick:
            yield rows.send(t_ns, _row(recorded, tick - 1))


def _sample(stream: Stream, at: int, recorded: Recorded) -> Sample:
    if stream.kind == "depth":
        width, height = recorded.size
        return stream.send(
            at,
            Frame("z16", width, height, "driver", stream.sequence + 1),
            (depth(stream.sequence + 1, recorded.size).tobytes(),),
        )
    if stream.kind != "frame":
        still = (0.0,) * _width(recorded, stream.node)
        return stream.send(at, ArmState((0.1,) * len(still), still, still, 0.5, 0.01, True, 1_500_000))
    number, (width, height) = stream.sequence + 1, recorded.size
    if recorded.images == "raw":
        pixels = picture(stream.node, number, recorded.size).tobytes()
        return stream.send(at, Frame("bgr8", width, height, "driver", number), (pixels,))
    return stream.send(
        at, Frame("jpeg", width, height, "driver", number), (encoded(stream.node, number, recorded.size),)
    )


def _row(recorded: Recorded, row: int) -> Row:
    source = recorded.sources[row] if row < len(recorded.sources) else "leader"
    action = _vector(recorded, row, 0.3)
    human = action if source in ("leader", "vr") else None
    policy = action if source == "policy" else None
    sent = _vector(recorded, row, 0.4)
    return Row(
        row, row, action, sent, source, row in recorded.taken_over, policy, human, stalled=row in recorded.stalled
    )


def _width(recorded: Recorded, node: str) -> int:
    return len(recorded.arm(node.rpartition("_")[2]).streams[0].dimensions)


def _vector(recorded: Recorded, row: int, shift: float) -> tuple[float, ...]:
    first, last = recorded.still[0], recorded.rows - 1 - recorded.still[1]
    at = float(np.clip(row, first, last)) + shift
    return tuple(
        float(0.5 + 0.5 * np.sin(at * 0.1 + place) if one.unit == "1" else np.sin(at * 0.1 + place + recorded.episode))
        for place, (_, one) in enumerate(recorded.dimensions)
    )
