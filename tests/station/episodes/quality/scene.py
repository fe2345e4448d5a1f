"""A made-up recording in which nothing is wrong, as a rig would make one: moving arms, followers 40 ms behind, noisy pictures; and where
to spoil it. It is written as a journal and built like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from station.bus.messages import ArmState, Frame, Row, Tick
from station.devices.contract import Description
from station.episodes import naming
from station.episodes.finalise import finalise
from station.episodes.journal import JournalHeader, JournalWriter
from station.files.check_results import SessionCheck
from tests.station.episodes.recording import ARMS, T0_NS, TICK_NS, Stream, arm_description, camera_description, header

HZ, ARM_HZ, CAMERA_HZ = 50, 200, 30
CAMERAS = ("cam_high", "cam_low")
LAG_ROWS = 2
SIZE = (120, 160)
Vector = NDArray[np.float64]


@cache
def scenery(camera: str) -> Any:
    """What a camera looks at: edges, colours, some light and some shadow."""
    random = np.random.default_rng(len(camera))
    picture = np.full((*SIZE, 3), 110, np.uint8)
    for _ in range(60):
        x, y, width, height = random.integers(0, (140, 100, 40, 40))
        colour = tuple(map(int, random.integers(40, 210, 3)))
        cv2.rectangle(picture, (int(x), int(y)), (int(x + width), int(y + height)), colour, -1)
    return picture


def jpeg(picture: Any, moment: int) -> bytes:
    """As a camera has it: noise makes no two alike."""
    noise = np.random.default_rng(moment).normal(0, 2, picture.shape)
    done, data = cv2.imencode(".jpg", np.clip(picture + noise, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return data.tobytes()


@cache
def clean_picture(camera: str, moment: int) -> bytes:
    return jpeg(scenery(camera), moment)


@dataclass
class Scene:
    """Everything that can be spoiled. Times in s from the first row."""

    seconds: float = 6.0
    goal: Callable[[float], Vector] = lambda at_s: moving(at_s)
    """What the source asks at a time. (14,)"""
    asked: Callable[[float, Vector], Vector] = lambda at_s, goal: goal
    """From the goal that is sent to what had been asked for."""
    measured: Callable[[float, Vector], Vector] = lambda at_s, pose: pose
    """From the pose that follows the goal by two rows to what is read."""
    picture: Callable[[str, int, float], bytes] = lambda camera, moment, at_s: clean_picture(camera, moment)
    drop: Callable[[str, float], bool] = lambda stream, at_s: False
    """Samples that are never captured."""
    lose: Callable[[str, float], bool] = lambda stream, at_s: False
    """Samples that are captured and lost on the way."""
    stamp: Callable[[str, float], float] = lambda stream, at_s: at_s
    """From when a sample should have been captured to when it was."""
    source: Callable[[float], Any] = lambda at_s: "leader"
    stalled: Callable[[float], bool] = lambda at_s: False
    check: SessionCheck | None = field(default_factory=lambda: SessionCheck("pass", WALL_S - 3600, "", ()))
    descriptions: dict[str, Description] = field(default_factory=dict)

    def header(self) -> JournalHeader:
        devices = {arm: arm_description(ARM_HZ) for arm in ARMS} | {
            camera: camera_description(CAMERA_HZ) for camera in CAMERAS
        }
        made = header(cameras=CAMERAS, descriptions=devices | self.descriptions)
        text = msgspec.json.encode(self.check).decode() if self.check is not None else ""
        units = tuple("1" if name.endswith("gripper") else "rad" for name in made.dim_names)
        return msgspec.structs.replace(made, units=units, info=msgspec.structs.replace(made.info, check_result=text))

    def pose(self, at_s: float) -> Vector:
        return self.measured(at_s, self.goal(at_s - LAG_ROWS / HZ))

    def build(self, folder: Path, number: int = 0) -> Path:
        """The episode's file."""
        folder.mkdir(parents=True, exist_ok=True)
        first = self.header()
        first = msgspec.structs.replace(first, info=msgspec.structs.replace(first.info, episode=number))
        writer = JournalWriter(naming.journal_path(folder, number), first)
        rows = self._write(writer)
        writer.close(rows)
        return finalise(writer.path)

    def _write(self, writer: JournalWriter) -> int:
        streams = [Stream("arm_state", arm, 10**9 // ARM_HZ) for arm in ARMS]
        streams += [Stream("frame", camera, 10**9 // CAMERA_HZ) for camera in CAMERAS]
        ticks, closed = Stream("tick", "synchronizer", 0), Stream("row", "synchronizer", 0)
        rows = round(self.seconds * HZ)
        for tick in range(rows + 1):
            t_ns = T0_NS + tick * TICK_NS
            for stream in streams:
                self._until(stream, t_ns, writer)
            chosen = tuple(stream.choose(t_ns) for stream in streams)
            newest = next(each for each in chosen if each.stream == "follower_left").captured_at_ns
            pose = self.pose((newest - T0_NS) / 1e9)
            velocity = (pose - self.pose((newest - T0_NS) / 1e9 - 0.01)) / 0.01
            writer.append(
                ticks.send(
                    t_ns, Tick(tick, t_ns, chosen, *(tuple(each.tolist()) for each in (pose, velocity, pose * 100)))
                )
            )
            if tick:
                at_s = (tick - 1) / HZ
                goal = self.goal(at_s)
                asked = self.asked(at_s, goal)
                row = Row(
                    tick - 1,
                    tick - 1,
                    tuple(asked.tolist()),
                    tuple(goal.tolist()),
                    self.source(at_s),
                    stalled=self.stalled(at_s),
                )
                writer.append(closed.send(t_ns, row))
            writer.flush()
        return rows

    def _until(self, stream: Stream, t_ns: int, writer: JournalWriter) -> None:
        while (at_ns := T0_NS + round(self.stamp(stream.node, (stream.due_ns - T0_NS) / 1e9) * 1e9)) <= t_ns:
            stream.due_ns += stream.period_ns
            at_s = (at_ns - T0_NS) / 1e9
            if stream.newest is not None and self.drop(stream.node, at_s):
                continue
            if stream.kind == "frame":
                data = self.picture(stream.node, stream.sequence + 1, at_s)
                body: Frame | ArmState = Frame("jpeg", SIZE[1], SIZE[0], "driver", stream.sequence + 1)
                payload: tuple[bytes, ...] = (data,)
            else:
                joints = tuple(float(value) for value in self.pose(at_s)[:7])
                body, payload = ArmState(joints, joints, joints, 0.5, 0.01, True, 1_500_000), ()
            if stream.newest is not None and self.lose(stream.node, at_s):
                stream.sequence += 1
                continue
            writer.append(stream.send(at_ns, body, payload))


WALL_S = 1_800_000_000.0
"""When a made-up recording began: `header`'s."""


def moving(at_s: float) -> Vector:
    """A smooth move that begins at 0.2 s and never rests: every joint, and both grippers."""
    place = np.arange(14)
    pose = 0.4 * np.sin(1.2 * at_s + place) + 0.1 * np.sin(3.0 * at_s + 2 * place)
    pose[[6, 13]] = 0.5 + 0.4 * np.sin(1.5 * at_s + place[[6, 13]])
    return np.asarray(pose)
