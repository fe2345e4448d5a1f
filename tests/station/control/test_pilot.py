"""The pilot's node and the arms' hosts on real sockets, each in a thread of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from station.bus.messages import Applied, ArmState, Description, PilotState, StreamDescription
from station.bus.requests import Disengage, Engage, Park
from station.bus.sockets import RequestClient, Subscriber
from station.clock import monotonic_ns
from station.control import pilot
from station.devices import serving as serve
from station.devices.contract import Condition, Place, Reading
from station.errors import RequestRefused
from station.rig.file import Base, Safety
from station.rig.rig import Device, Rig, Side
from station.runtime.node import Node
from tests.station.control.stage import DIMENSIONS

RATE_HZ = 50.0
SAFETY = Safety(stale_ms=1500.0, resume_ms=3000.0)  # a loaded machine is no fault


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


class LoopArm:
    """An arm that is at once where it is told to be; a leader is where the test puts it."""

    Settings: ClassVar[Any] = Settings
    paced: ClassVar[bool] = True
    poses: ClassVar[dict[str, tuple[float, ...]]] = {}
    torques: ClassVar[dict[str, bool]] = {}

    def __init__(self, settings: Settings, place: Place) -> None:
        self._place = place
        self.poses.setdefault(place.node, (0.0, 0.2, 0.5))
        self.torques[place.node] = False

    def opens_with(self) -> tuple[str, ...]:
        return ()

    def open(self) -> None: ...
    def close(self) -> None: ...

    def describe(self) -> Description:
        return Description("loop", "1", "1", (StreamDescription("arm_state", RATE_HZ, DIMENSIONS),), "position")

    def read(self) -> list[Reading]:
        pose = self.poses[self._place.node]
        state = ArmState(pose, (0.0,) * 3, (0.0,) * 3, pose[2], 0.0, self.torque_on())
        return [Reading("arm_state", self._place.clock(), state)]

    def health(self) -> dict[str, float]:
        return {}

    def warnings(self) -> tuple[str, ...]:
        return ()

    def goal(self) -> tuple[float, ...]:
        return self.poses[self._place.node]

    def measured(self) -> tuple[float | None, ...]:
        return self.poses[self._place.node]

    def effort(self) -> tuple[float | None, ...]:
        return (0.0,) * 3

    def write(self, goal: tuple[float, ...]) -> int:
        self.poses[self._place.node] = goal
        return self._place.clock()

    def condition(self) -> Condition:
        return Condition("ready" if self.torque_on() else "off")

    def torque(self, on: bool, free: tuple[str, ...] = ()) -> None:
        self.torques[self._place.node] = on

    def torque_on(self) -> bool:
        return self.torques[self._place.node]

    def act(self, name: str) -> Iterator[str]:
        yield from ()


class Station:
    """Nodes in threads."""

    def __init__(self) -> None:
        nodes = {"leader_left": "leader", "follower_left": "follower"}
        devices = tuple(Device(n, role, f"{__name__}:LoopArm", Settings(), "left") for n, role in nodes.items())  # type: ignore[arg-type]
        side = Side("left", Base(), "leader_left", "follower_left")
        self.rig = Rig("b", Path("b"), "", 50.0, 3.0, Path("d"), "jpeg", (side,), devices, SAFETY, None)
        self._running: dict[str, tuple[Node, threading.Thread]] = {}

    def start(self, name: str, main: Callable[[Node], None]) -> None:
        def live(node: Node) -> None:
            try:
                main(node)
            finally:
                node.close()

        node = Node(self.rig, name)
        thread = threading.Thread(target=live, args=(node,), name=name)
        self._running[name] = (node, thread)
        thread.start()

    def stop(self, name: str) -> None:
        node, thread = self._running.pop(name)
        node.finish.set()
        thread.join(10)

    def stop_all(self) -> None:
        for name in list(self._running):
            self.stop(name)


@pytest.fixture
def station(runtime: str) -> Iterator[Station]:
    LoopArm.poses.clear()
    made = Station()
    made.start("leader_left", serve.main)
    made.start("follower_left", serve.main)
    made.start("pilot", pilot.main)
    yield made
    made.stop_all()


def hear(heard: Subscriber, kind: type, true: Callable[[Any], bool], within_s: float = 20.0) -> Any:
    deadline_ns = monotonic_ns() + int(within_s * 1e9)
    while monotonic_ns() < deadline_ns:
        sample = heard.receive(100)
        if sample is not None and isinstance(sample.body, kind) and true(sample.body):
            return sample.body
    raise AssertionError(f"no such {kind.__name__} within {within_s} s")


def engage(client: RequestClient) -> None:
    """The sockets need a moment to find each other; the pilot says what it has not heard yet."""
    deadline_ns = monotonic_ns() + 20 * 10**9
    while True:
        try:
            client.ask(Engage("leader"), 30_000)
            return
        except RequestRefused:
            if monotonic_ns() > deadline_ns:
                raise


@pytest.mark.slow
def test_from_leader_to_follower_and_into_hold(station: Station) -> None:
    heard = Subscriber(station.rig.name, [("pilot", "pilot"), ("applied", "follower_left")])
    with RequestClient(station.rig.name, "pilot") as client:
        LoopArm.poses["leader_left"] = (0.3, 0.2, 0.5)
        engage(client)
        assert LoopArm.torques == {"leader_left": False, "follower_left": True}
        assert LoopArm.poses["follower_left"] == pytest.approx((0.3, 0.2, 0.5), abs=0.05)
        LoopArm.poses["leader_left"] = (0.31, 0.25, 1.0)
        applied = hear(heard, Applied, lambda command: command.goal == (0.31, 0.25, 1.0))
        assert (applied.source, applied.arm, applied.hold) == ("leader", "follower_left", False)
        station.stop("leader_left")
        state = hear(heard, PilotState, lambda state: state.state == "hold")
        assert "leader_left has been silent" in state.why
        assert hear(heard, Applied, lambda command: command.hold).source == "hold"
        assert LoopArm.torques["follower_left"]
        with pytest.raises(RequestRefused, match="leader_left"):
            client.ask(Engage("leader"), 30_000)
        station.start("leader_left", serve.main)
        engage(client)
        client.ask(Disengage(), 10_000)
        hear(heard, PilotState, lambda state: state.state == "idle")
    heard.close()


@pytest.mark.slow
def test_park_and_release(station: Station) -> None:
    with RequestClient(station.rig.name, "pilot") as client:
        engage(client)
        first = client.ask(Park(release=True), 30_000)
        assert LoopArm.torques["follower_left"]
        client.ask(Park(release=True, confirmation=first.token), 30_000)
        assert LoopArm.poses["follower_left"] == pytest.approx((0.0, 1.2, 0.0), abs=0.05)
        assert not LoopArm.torques["follower_left"]


@pytest.mark.slow
def test_an_idle_pilot_does_next_to_nothing(station: Station) -> None:
    station.stop("leader_left")
    station.stop("follower_left")
    station.stop("pilot")
    alone = Node(station.rig, "pilot")
    turns = 0

    class Counted(pilot.Pilot):
        def _turn(self) -> None:
            nonlocal turns
            turns += 1
            super()._turn()

    counted = Counted(alone)
    thread = threading.Thread(target=counted.run)
    thread.start()
    time.sleep(1.0)
    alone.finish.set()
    thread.join(5)
    alone.close()
    assert turns < 40, "10 states a second and as many timers"
