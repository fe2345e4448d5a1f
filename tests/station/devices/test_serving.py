"""The process around an arm, with real sockets, a driver of the test's own and a clock of the test's own."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.bus.messages import Applied, Command
from station.bus.sockets import Publisher, Subscriber
from station.clock import NS_PER_MS, monotonic_ns
from station.devices.contract import Condition, Description, Dimension, Reading, StreamDescription
from station.devices.serving import _ArmHost
from station.rig.rig import load_rig
from station.runtime.node import Node

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
        self._now_ns = monotonic_ns()
        self.read_ns = 0
        self.commands: list[float] = []
        self.written: list[tuple[float, ...]] = []
        self.host: _ArmHost

    def clock(self) -> int:
        """It goes on a little with every look, and else only by what a read takes: a loaded computer makes no stall."""
        self._now_ns += NS_PER_MS // 10
        return self._now_ns

    def read(self) -> list[Reading]:
        self._now_ns += self.read_ns
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

    def effort(self) -> tuple[float | None, ...]:
        return (None,)

    def torque_on(self) -> bool:
        return True

    def condition(self) -> Condition:
        return Condition("ready")

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
    node = Node(rig, ARM, lambda: made.clock())
    made = Arm(node, pilot)
    host = made.host = _ArmHost(node, made)  # type: ignore[arg-type]
    joint = Dimension("waist", "rad", -3.0, 3.0)
    host.opened(Description("vx300s", "1", "1", (StreamDescription("arm_state", 200, (joint,)),), "position"))
    host.gate.resume()
    while not host.gate.following:  # until the subscription has reached the pilot
        made.send(0.0)
        host._serve(500)
    yield made
    host.close()
    node.close()
    pilot.close()


def listener(arm: Arm) -> Subscriber:
    """Who hears what the host tells from now on: its subscription has reached it, and what that took is read."""
    heard = Subscriber(arm.host.node.rig.name, [("applied", ARM)])
    publish = arm.host.node.publisher.publish
    while heard.receive(50) is None:
        publish("applied", Applied(ARM, "none", -1, 0, 0, (0.0,)), arm.clock())
    publish("applied", Applied(ARM, "none", 99, 0, 0, (0.0,)), arm.clock())
    while (sample := heard.receive(PATIENCE_MS)) is not None:
        assert isinstance(sample.body, Applied)
        if sample.body.tick == 99:
            return heard
    raise AssertionError("the last was not heard")


@pytest.mark.slow
def test_a_bus_that_kept_the_driver_for_a_moment_is_a_stall(arm: Arm) -> None:
    arm.read_ns = 150 * NS_PER_MS
    arm.commands = [0.01]
    before = len(arm.written)
    arm.host.step()
    assert (arm.host.gate.holding, arm.host.gate.stalled, arm.written[before:]) == ("", True, [])
    arm.read_ns, arm.commands = 0, []
    arm.send(0.01)
    assert arm.host.commands.socket.poll(PATIENCE_MS)
    arm.host.step()
    ((goal,),) = arm.written[before:]
    assert 0 < goal <= 0.01
    assert arm.host.own_readings()["stalls"] == 1


@pytest.mark.slow
def test_a_pilot_that_was_silent_meanwhile_holds_only_after_resume_ms(arm: Arm) -> None:
    arm.read_ns = 150 * NS_PER_MS
    arm.host.step()
    assert (arm.host.gate.holding, arm.host.gate.stalled) == ("", True)
    arm.read_ns = 160 * NS_PER_MS
    arm.host.step()
    assert arm.host.gate.holding.startswith("no command for 3")


@pytest.mark.slow
def test_a_hardware_error_ends_a_stall_in_hold(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    arm.read_ns = 150 * NS_PER_MS
    arm.host.step()
    monkeypatch.setattr(arm, "condition", lambda: Condition("ready", "elbow reports input voltage"))
    arm.read_ns = 0
    arm.host.step()
    assert arm.host.gate.holding == "elbow reports input voltage"


@pytest.mark.slow
def test_another_pilot_s_command_is_not_followed(arm: Arm) -> None:
    arm._pilot.close()
    arm._pilot = Publisher(arm.host.node.rig.name, "pilot", 8, monotonic_ns)
    while not arm.host.gate.holding:
        arm.send(0.0)
        arm.host._serve(20)
    assert arm.host.gate.holding == "the pilot was restarted"
    arm._pilot.close()


@pytest.mark.slow
def test_what_it_tells_in_a_stall_is_the_source_that_stays(arm: Arm) -> None:
    heard = listener(arm)
    arm.read_ns = 150 * NS_PER_MS
    arm.host.step()
    sample = heard.receive(PATIENCE_MS)
    assert sample is not None
    told = sample.body
    assert isinstance(told, Applied)
    assert told.stalled
    assert (told.source, told.hold, told.goal) == ("leader", False, (0.0,))
    heard.close()


@pytest.mark.slow
def test_a_goal_is_told_whole_or_not_at_all(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torque is off and a servo silent: where the arm stands is not known, and no part of it is told as if it were."""
    heard = listener(arm)
    found: list[float | None] = []
    joints = tuple(Dimension(name, "rad", -3.0, 3.0) for name in ("waist", "shoulder"))
    monkeypatch.setattr(arm, "torque_on", lambda: False)
    monkeypatch.setattr(arm, "measured", lambda: tuple(found))
    arm.host.opened(Description("vx300s", "1", "1", (StreamDescription("arm_state", 200, joints),), "position"))
    blind: list[list[float | None]] = [[], [None, None], [None, 0.2]]
    for found in blind:
        arm.host.step()
        assert not heard.socket.poll(100), f"of {found}"
    found = [0.1, 0.2]
    arm.host.step()
    sample = heard.receive(PATIENCE_MS)
    assert sample is not None
    assert isinstance(sample.body, Applied)
    assert (sample.body.goal, sample.body.hold, sample.body.why) == ((0.1, 0.2), True, "torque is off")
    heard.close()


def test_a_gripper_that_answers_late_ends_nothing_and_the_gate_opens_with_it(
    arm: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process takes longer to come up than the arm's on a computer that does much else."""
    described = Description(
        "m", "1", "1", (StreamDescription("arm_state", 200, (Dimension("gripper", "1", 0, 1),)),), "position"
    )
    monkeypatch.setattr(arm, "goal", lambda: (math.nan,))
    arm.host.opened(described)
    arm.host.step()
    assert arm.host.gate.closed and "has said where it is" in arm.host.gate.holding
    monkeypatch.undo()
    arm.host.step()
    assert not arm.host.gate.closed and arm.host.gate.goal == (0.0,)
