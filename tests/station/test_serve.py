"""The process around an arm, with real sockets, a driver of the test's own and a clock that can be put forward."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from station.bus.messages import Command
from station.bus.sockets import Publisher
from station.clock import NS_PER_MS, monotonic_ns
from station.device import Description, Dimension, Reading, StreamDescription
from station.node import Node
from station.rig import load_rig
from station.serve import _ArmHost

ARM = "follower_left"
RIG = """
name: serverig
arms: {left: {follower: {driver: dynamixel, model: vx300s, port: ports/none, generation: aloha1}}}
world: {driver: bench}
"""
PATIENCE_MS = 10_000


class Arm:
    """One joint that does as it is told, behind a bus that can take its time; meanwhile the pilot sends `commands`."""

    def __init__(self, node: Node, pilot: Publisher) -> None:
        self._node, self._pilot = node, pilot
        self.late_ns = self.read_ns = 0
        self.commands: list[float] = []
        self.written: list[tuple[float, ...]] = []
        self.host: _ArmHost

    def clock(self) -> int:
        return monotonic_ns() + self.late_ns

    def read(self) -> list[Reading]:
        self.late_ns += self.read_ns
        for goal in self.commands:
            self.send(goal)
            assert self.host.commands.socket.poll(PATIENCE_MS)
        return []

    def send(self, goal: float) -> None:
        """The pilot's command."""
        self._pilot.publish("command", Command(ARM, "leader", -1, 0, self.clock(), (goal,)), node=ARM)

    def write(self, goal: tuple[float, ...]) -> int:
        self.written.append(goal)
        return self.clock()

    def goal(self) -> tuple[float, ...]:
        return (0.0,)

    def measured(self) -> tuple[float | None, ...]:
        return (0.0,)

    def current_ma(self) -> tuple[float | None, ...]:
        return (None,)

    def torque_on(self) -> bool:
        return True

    def tripped(self) -> bool:
        return False

    def limp(self) -> tuple[str, ...]:
        return ()

    def health(self) -> dict[str, float]:
        return {}

    def warnings(self) -> tuple[str, ...]:
        return ()


@pytest.fixture
def arm(runtime: str, tmp_path: Path) -> Iterator[Arm]:
    path = tmp_path / "rig.yaml"
    path.write_text(RIG)
    rig = load_rig(path)
    pilot = Publisher(rig.name, "pilot", 7, monotonic_ns)
    node = Node(rig, ARM, lambda: arm.clock())
    arm = Arm(node, pilot)
    host = arm.host = _ArmHost(node, arm)  # type: ignore[arg-type]
    joint = Dimension("waist", "rad", -3.0, 3.0)
    host.opened(Description("vx300s", "1", "1", (StreamDescription("arm_state", 200, (joint,)),), "position"))
    host.gate.resume()
    while not host.gate.following:  # until the subscription has reached the pilot
        arm.send(0.0)
        host._serve(500)
    yield arm
    host.close()
    node.close()
    pilot.close()


def test_a_bus_that_kept_the_driver_is_no_silence_of_the_pilots(arm: Arm) -> None:
    arm.read_ns = 150 * NS_PER_MS
    arm.commands = [0.01]
    before = len(arm.written)
    arm.host.step()
    assert arm.host.gate.holding == ""
    ((goal,),) = arm.written[before:]
    assert 0 < goal <= 0.01


def test_a_pilot_that_was_silent_meanwhile_is(arm: Arm) -> None:
    arm.read_ns = 150 * NS_PER_MS
    arm.host.step()
    assert arm.host.gate.holding == "no command for 100 ms"
