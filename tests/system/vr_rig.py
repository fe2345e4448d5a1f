"""The simulated rig with a headset, and the hand-over as an operator's hands would do it."""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from drivers.dynamixel.models import VX300S_CHAIN
from drivers.sim.operator.script import CubeStart, hand_over
from drivers.sim.world.scene import START_RAD
from station.bus import keys
from station.bus.messages import Applied, ArmState, Message, PilotState, SessionState, TeleopState, Vector
from station.bus.sockets import Subscriber
from station.devices.headset import Pairing, pairing_path
from station.kinematics.arm import Kinematics
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from station.rig.rig import Rig, find_rig, load_rig
from tests.drivers.vr.browser import wait
from tests.drivers.vr.cable import Cable

T = TypeVar("T", bound=Message)
SIDES = ("left", "right")
LIMITS = ((-3.2,) * 6, (3.2,) * 6)
FRAME_S = 1 / 60


class Truth(NamedTuple):
    """What the world knows of the cube."""

    position_m: tuple[float, ...]
    yaw_rad: float
    """How it lies, while it lies."""
    in_left: bool
    in_right: bool
    on_table: bool


class VrRig:
    """A running station with the newest of what its nodes say."""

    def __init__(self, rig: Rig, port: int, link: Cable, log: Path) -> None:
        self.rig, self.port, self.link, self.log = rig, port, link, log
        self.supervisor = 0
        """Its process."""
        followers = [(kind, name) for name in rig.followers for kind in ("arm_state", "applied")]
        states = [
            ("pilot", "pilot"),
            ("session", "session"),
            ("teleop", "vr_teleop"),
            ("vector", "world"),
            ("health", "vr"),
        ]
        self._bus = Subscriber(rig.name, [*followers, *states])
        self._newest: dict[tuple[str, str], Any] = {}
        self.on_truth: Callable[[Truth], object] = lambda truth: None
        """Called with every truth that is looked at."""

    def close(self) -> None:
        self._bus.close()

    def heard(self, kind: str, node: str) -> Any:
        """The newest body of a stream; None before the first."""
        for key, sample in self._bus.newest().items():
            self._newest[key] = sample.body
        return self._newest.get((kind, node))

    def said(self, kind: str, node: str, body: type[T]) -> T:
        """The same of a node that speaks: its first is waited for."""
        end = time.monotonic() + 30
        while not isinstance(found := self.heard(kind, node), body):
            assert time.monotonic() < end, f"{node} said nothing: {self._newest}"
            time.sleep(0.02)
        return found

    def pilot(self) -> PilotState:
        return self.said("pilot", "pilot", PilotState)

    def session(self) -> SessionState:
        return self.said("session", "session", SessionState)

    def teleop(self) -> TeleopState:
        return self.said("teleop", "vr_teleop", TeleopState)

    def arm(self, side: str) -> ArmState:
        return self.said("arm_state", f"follower_{side}", ArmState)

    def truth(self) -> Truth | None:
        found: Vector | None = self.heard("vector", "world")
        if found is None:
            return None
        left, right, table = (value > 0.5 for value in found.values[7:10])
        w, _, _, z = found.values[3:7]
        truth = Truth(found.values[:3], 2 * math.atan2(z, w), left, right, table)
        self.on_truth(truth)
        return truth

    @property
    def code(self) -> str:
        """The pairing code."""
        return msgspec.json.decode(pairing_path(self.port).read_bytes(), type=Pairing).code

    @property
    def url(self) -> str:
        """The page, with the code, at the other end of `link`."""
        return f"http://localhost:{self.link.port}/#{self.code}"

    def gripper_m(self, side: str) -> np.ndarray:
        """Where the fingertips really are, in the rig frame."""
        return np.array(chain(self.rig, side).forward(self.arm(side).position[:6]).position_m)

    def place_of(self, side: str, joints: np.ndarray) -> np.ndarray:
        """Where the fingertips are with these joints (7,), in the rig frame."""
        return np.array(chain(self.rig, side).forward(tuple(joints[:6])).position_m)

    def goal(self, side: str) -> np.ndarray:
        """What the arm is told to hold, (7,); where it is before it was told anything."""
        told: Applied | None = self.heard("applied", f"follower_{side}")
        return np.array(self.arm(side).position if told is None else told.goal)

    def until(self, what: str, poll: Any, seconds: float = 30.0) -> Any:
        """Wait until `poll()` is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = poll()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {what} within {seconds} s: {self._newest}\n{self.log.read_text()[-2000:]}")

    def ready(self) -> None:
        """Wait until every node this test needs speaks."""

        def speaks() -> bool:
            needed = [("session", "session"), ("vector", "world"), ("teleop", "vr_teleop")]
            needed += [("arm_state", f"follower_{side}") for side in SIDES]
            return all(self.heard(kind, node) is not None for kind, node in needed)

        self.until("station", speaks, 90)
        self.until("page", lambda: pairing_path(self.port).exists())


@contextmanager
def vr_rig(port: int, folder: Path, fps: int = 5) -> Iterator[VrRig]:
    """The shipped rig `sim_vr` on a port of the test's own, its cameras at `fps`."""
    text = find_rig("sim_vr").read_text().replace("port: 8443", f"port: {port}").replace("fps: 10", f"fps: {fps}")
    # a browser that draws without a GPU beside a whole simulated rig misses frames; what 100 ms do is tested elsewhere
    text += "safety: {stale_ms: 1500, resume_ms: 3000}\n"
    path = folder / "rig.yaml"
    path.write_text(text)
    rig = load_rig(path)
    log = folder / "supervisor.log"
    with log.open("w") as out, Cable(port + 1) as link:
        command = [sys.executable, "-m", "station.runtime.supervisor", "--rig", str(path), "--child"]
        station = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        try:
            wait("keys of the station", keys.client_file(rig.name).exists, else_=log.read_text)
            made = VrRig(rig, port, link, log)
            made.supervisor = station.pid
            try:
                made.ready()
                yield made
            finally:
                made.close()
        finally:
            station.terminate()
            station.wait(30)


@contextmanager
def short_folders(folder: Path) -> Iterator[None]:
    """Runtime, configuration and state folders, for the length of a module."""
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as runtime:
        os.environ.update(XDG_RUNTIME_DIR=runtime, XDG_CONFIG_HOME=str(folder), XDG_STATE_HOME=f"{folder}/state")
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def chain(rig: Rig, side: str) -> Kinematics:
    """An arm's kinematics in the rig frame."""
    base = next(found.base for found in rig.sides if found.name == side)
    return Kinematics(chain_model(VX300S_CHAIN, *LIMITS, base.xyz_m, base.rpy_rad), FRAME)


def to_webxr(position_m: np.ndarray, wxyz: np.ndarray) -> dict[str, list[float]]:
    """A pose in the rig frame as a controller's, for an operator who faces the rig's forward."""
    w, x, y, z = (float(value) for value in wxyz)
    return {"p": [-float(position_m[1]), float(position_m[2]) + 0.8, -float(position_m[0])], "q": [-y, z, -x, w]}


def hands(rig: Rig, joints: dict[str, list[tuple[float, ...]]]) -> list[dict[str, Any]]:
    """Controller poses that make the grippers pass through these joints (7,) per side, one list entry a frame."""
    chains = {side: chain(rig, side) for side in joints}
    frames = []
    for row in zip(*joints.values(), strict=True):
        frame = {}
        for side, values in zip(joints, row, strict=True):
            pose = chains[side].forward(values[:6])
            frame[side] = {**to_webxr(pose.position_m, pose.quaternion_wxyz), "trigger": 1.0 - float(values[6])}
        frames.append(frame)
    return frames


def to_start(rig: VrRig, seconds: float = 3.0) -> list[dict[str, Any]]:
    """From where the arms are held to the start of the hand-over."""
    joints = {}
    for side in SIDES:
        here, there = rig.goal(side), np.array([*START_RAD, 0.0])
        times = np.linspace(0, 1, int(seconds / FRAME_S))
        joints[side] = [tuple(here + smooth(t) * (there - here)) for t in times]
    return hands(rig.rig, joints)


def the_hand_over(rig: VrRig, slower: float = 1.2) -> list[dict[str, Any]]:
    """The scripted hand-over of a cube that lies where it does now, as poses of both controllers."""
    truth = rig.truth()
    assert truth is not None
    plan = hand_over(CubeStart(truth.position_m[0], truth.position_m[1], truth.yaw_rad))
    times = np.arange(0, plan.seconds * slower, FRAME_S) / slower
    return hands(rig.rig, {side: [tuple(plan.at(t)[side]) for t in times] for side in SIDES})


def smooth(t: float) -> float:
    """Minimum jerk."""
    return float(t**3 * (10 - 15 * t + 6 * t * t))
