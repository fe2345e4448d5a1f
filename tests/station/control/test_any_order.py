"""Whatever is asked of the pilot while arms go silent, limp, stop and come back: it goes on, and no follower jumps or moves unasked."""

from typing import get_args

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from station.bus.messages.arms import ArmMode
from station.bus.messages.commanding import SOURCES, SourceName
from station.bus.requests import Disengage, Engage, Hold, Opening, OperatorAct, Park, PilotRequest, Recover
from tests.station.control.stage import LIMITS, PERIOD_NS, Stage

NODES = ("leader_left", "follower_left", "leader_right", "follower_right")
FOLLOWERS, LEADERS = NODES[1::2], NODES[0::2]
ARMS = st.sampled_from([*NODES, "nobody"])
REQUESTS: st.SearchStrategy[PilotRequest] = st.one_of(
    st.builds(Engage, st.sampled_from(SOURCES)), st.builds(Engage, st.sampled_from(["leader", "policy"])),
    st.builds(Opening, st.booleans()), st.just(Hold("a hand")), st.just(Disengage()),
    st.builds(Park, st.booleans(), st.sampled_from([(), ("follower_left",), ("nobody",)]), st.sampled_from(["", "x"])),
    st.builds(Recover, ARMS), st.builds(OperatorAct, ARMS, st.sampled_from(["guide", "dance"])),
)  # fmt: skip
POSES = st.tuples(st.floats(-3.5, 3.5), st.floats(-2.0, 2.0), st.floats(-0.5, 1.5))
GOALS = st.one_of(st.none(), st.lists(st.floats(-4.0, 4.0), min_size=6, max_size=6).map(tuple))
SLACK_S = 0.025
BRAKED = 40
"""Periods after which every arm has come to rest: full speed is braked in 31 ms."""


class AnyOrder(RuleBasedStateMachine):
    """A stage whose devices and clients do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.jumped, self.rested = "", 0
        """What is wrong; for how many periods nobody has commanded."""

    @rule(periods=st.sampled_from([1, 5, 20, 100, 400]))
    def go_on(self, periods: int) -> None:
        for _ in range(periods):
            before = {node: self.stage.followers[node].pose for node in FOLLOWERS}
            self.stage._period()
            for node in FOLLOWERS:
                moved = max(
                    abs(b - a) for a, b in zip(before[node][:2], self.stage.followers[node].pose[:2], strict=True)
                )
                if moved > LIMITS.velocity_rad_s * (PERIOD_NS / 1e9 + SLACK_S) + 1e-9:
                    self.jumped = f"{node} by {moved:.3f} rad in one period"
                if moved > 1e-6 and self.rested > BRAKED:
                    self.jumped = f"{node} by {moved:.6f} rad while {self.stage.state.state}"
            rests = self.stage.state.state in ("idle", "hold")
            self.rested = self.rested + 1 if rests else 0

    @rule(request=REQUESTS)
    def ask(self, request: PilotRequest) -> None:
        self.stage.request(request)

    @rule(node=st.sampled_from(LEADERS), pose=POSES)
    def hand(self, node: str, pose: tuple[float, ...]) -> None:
        self.stage.leaders[node] = pose

    @rule(source=st.sampled_from(["policy", "replay", "vr"]), goal=GOALS)
    def setpoint(self, source: SourceName, goal: tuple[float, ...] | None) -> None:
        self.stage.setpoints[source] = goal

    @rule(source=st.sampled_from(["policy", "vr", "leader"]))
    def source_holds(self, source: SourceName) -> None:
        self.stage.hold_setpoint(source, "it lost its way")

    @rule(node=st.sampled_from(NODES), silent=st.booleans())
    def silence(self, node: str, silent: bool) -> None:
        (self.stage.silent.add if silent else self.stage.silent.discard)(node)

    @rule(ms=st.sampled_from([5, 90, 250, 2000]))
    def stall(self, ms: int) -> None:
        self.stage.stop(ms)

    @rule(node=st.sampled_from(FOLLOWERS))
    def torque_is_lost(self, node: str) -> None:
        host = self.stage.followers[node]
        host.torque = False
        host.gate.close("torque is off")

    @rule(node=st.sampled_from(FOLLOWERS), stuck=st.booleans(), keeps=st.sampled_from(["", "hot"]),
          condition=st.sampled_from(["ready", "hold", "stopped", "guiding", "off"]))  # fmt: skip
    def arm(self, node: str, stuck: bool, keeps: str, condition: ArmMode) -> None:
        host = self.stage.followers[node]
        host.stuck, host.keeps_torque = stuck, keeps
        host.condition = (condition, "" if condition == "ready" else "its own reason", "wait")

    @rule(node=st.sampled_from([*NODES, "policy", "vr"]))
    def new_life(self, node: str) -> None:
        self.stage.lives[node] = self.stage.lives.get(node, 0) + 1
        if node in FOLLOWERS:
            self.stage.followers[node].open(self.stage.now_ns)

    @invariant()
    def tells_where_it_stands(self) -> None:
        state = self.stage.state
        assert state.source in get_args(SourceName)
        assert not self.jumped


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
