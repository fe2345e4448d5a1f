"""The VR source as a process of its own on a real bus: hand poses in, asks out."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers.dynamixel.models import VX300S_CHAIN
from station.bus.messages import (
    ArmState,
    Description,
    Dimension,
    Hand,
    HandPose,
    PilotState,
    Setpoint,
    SourceName,
    StreamDescription,
)
from station.bus.sockets import Publisher, Subscriber
from station.clock import monotonic_ns
from station.control.states import State
from station.control.vr_teleop import hand_of
from station.errors import StationError
from station.rig.file import Base
from station.rig.rig import Side, find_rig, load_rig
from tests.keyed import start_node

RIG = "sim_vr"
JOINTS = (0.0, -0.5, 0.8, 0.0, 0.4, 0.0, 0.5)
LOWER = (-3.1, -1.85, -1.76, -3.1, -1.86, -3.1, 0.0)
UPPER = (3.1, 1.25, 1.6, 3.1, 2.23, 3.1, 1.0)
UNITS = (*("rad",) * 6, "1")
DIMENSIONS = tuple(
    Dimension(f"d{i}", unit, low, high) for i, (unit, low, high) in enumerate(zip(UNITS, LOWER, UPPER, strict=True))
)
ZEROS = (0.0,) * 7


def side(name: str) -> Side:
    return Side(name, Base(), None, f"follower_{name}")


def test_hands_are_told_by_the_sides_names() -> None:
    assert hand_of([side("left"), side("right")]) == {"follower_left": "left", "follower_right": "right"}
    assert hand_of([side("left")]) == {"follower_left": "left"}
    assert hand_of([side("only")]) == {"follower_only": "right"}
    with pytest.raises(StationError, match="no hand for the side upper, lower"):
        hand_of([side("upper"), side("lower")])


class Bus:
    """Plays the arms, the pilot and the headset, all in step, and hears the setpoints."""

    def __init__(self) -> None:
        nodes = ("follower_left", "follower_right", "pilot", "vr")
        self._publishers = {node: Publisher(RIG, node, 1, monotonic_ns) for node in nodes}
        self._heard = Subscriber(RIG, [("setpoint", "vr_teleop"), ("teleop", "vr_teleop")])
        self.pilot: State = "idle"
        self.grip, self.x, self.link = 0.0, 0.0, True
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        described = Description(
            "vx300s", "1", "1", (StreamDescription("arm_state", 100, DIMENSIONS),), "position", chain=VX300S_CHAIN
        )
        while not self._end.wait(0.01):
            for arm in ("follower_left", "follower_right"):
                self._publishers[arm].publish("description", described)
                self._publishers[arm].publish("arm_state", ArmState(JOINTS, ZEROS, ZEROS, 0.5, 0.0, True))
            source: SourceName = "none" if self.pilot == "idle" else "vr"
            self._publishers["pilot"].publish("pilot", PilotState(self.pilot, source, "", ()))
            if self.link:
                hand = Hand((self.x, 0.2, 1.0), (1.0, 0.0, 0.0, 0.0), grip=self.grip)
                self._publishers["vr"].publish("hand_pose", HandPose(hand, None, 0.0, 1))

    def until(self, what: str, fits: Callable[[Any], bool]) -> Any:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            sample = self._heard.receive(100)
            if sample is not None and fits(sample.body):
                return sample.body
        raise AssertionError(f"no {what}")

    def squeeze(self) -> None:
        """Close the clutch. A pause of the computer while the grip is held asks for an open grip anew, as it should: then again."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.grip = 0.0
            for _ in range(5):  # the node speaks ten times a second: it has seen the open grip
                self.until("word of the hands", lambda body: hasattr(body, "hands"))
            self.grip = 1.0
            for _ in range(10):
                if any(
                    hand.clutched for hand in self.until("word of the hands", lambda body: hasattr(body, "hands")).hands
                ):
                    return
        raise AssertionError("no closed clutch")

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._heard.close()
        for publisher in self._publishers.values():
            publisher.close()


@pytest.fixture
def bus(runtime: str) -> Iterator[Bus]:
    made = Bus()
    process = start_node(load_rig(find_rig(RIG)), "station.control.vr_teleop", "vr_teleop")
    yield made
    process.terminate()
    assert process.wait(20) == 0
    made.close()


def _is_setpoint(body: object) -> bool:
    return isinstance(body, Setpoint) and not body.hold


@pytest.mark.slow
def test_it_asks_for_all_arms_and_asks_to_hold_when_the_link_is_gone(bus: Bus) -> None:
    setpoint = bus.until("a setpoint", _is_setpoint)
    assert isinstance(setpoint, Setpoint)
    assert (setpoint.source, setpoint.tick, setpoint.goal) == ("vr", -1, (*JOINTS, *JOINTS))
    assert 0 < setpoint.at_ns <= monotonic_ns()
    bus.pilot = "engaged"
    bus.until("engagement", lambda body: getattr(body, "state", "") == "engaged")
    bus.squeeze()
    bus.x += 0.05
    moved = bus.until("a move of the left arm", lambda body: _is_setpoint(body) and body.goal[:7] != JOINTS)
    assert isinstance(moved, Setpoint)
    assert moved.goal[7:] == JOINTS
    bus.link = False
    held = bus.until("a setpoint to hold", lambda body: isinstance(body, Setpoint) and body.hold)
    assert isinstance(held, Setpoint)
    assert "no hand pose for" in held.why
    assert load_rig(find_rig(RIG)).teleop.scale == 1.0
