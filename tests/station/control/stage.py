"""A rig without processes: pilot core, real gates, and arms that go where their gates say, all in a time of its own."""

from collections.abc import Callable
from pathlib import Path

from station.bus.messages import (
    Act,
    Applied,
    ArmState,
    Command,
    Description,
    Dimension,
    PilotState,
    Setpoint,
    SourceName,
    StreamDescription,
)
from station.bus.messages.arms import ArmMode
from station.bus.requests import (
    ArmRequest,
    Done,
    PilotRequest,
    Refused,
    Reply,
    Resume,
    TorqueLeave,
    TorqueOff,
    TorqueOn,
)
from station.control.arms import Answer
from station.control.core import PilotCore
from station.errors import CommandRefused, RequestRefused
from station.rig.file import Base, Safety, Teleop
from station.rig.rig import Rig, Side
from station.safety import Gate
from station.safety.leave import Leave

Pose = tuple[float, ...]
MS = 1_000_000
LIMITS, TELEOP = Safety(), Teleop()
PERIOD_NS = 5 * MS
DIMENSIONS = (
    Dimension("waist", "rad", -3.0, 3.0, sleep=0.0, start=0.3),
    Dimension("elbow", "rad", -1.5, 1.5, sleep=1.2, start=0.5),
    Dimension("gripper", "1", 0.0, 1.0, rad_per_unit=1.7, compliant=True, sleep=0.0, start=0.0),
)
ARM = Description(
    "vx300s",
    "1",
    "50",
    (StreamDescription("arm_state", 200.0, DIMENSIONS),),
    "position",
    acts=(Act("recover", "x"), Act("guide", "y")),
    gentle="by little current",
)


def rig(*sides: str, safety: Safety = LIMITS, teleop: Teleop = TELEOP) -> Rig:
    """`left`: leader and follower; `left-`: follower only; `-left`: leader only."""
    made = []
    for side in sides:
        name = side.strip("-")
        leader = None if side.endswith("-") else f"leader_{name}"
        follower = None if side.startswith("-") else f"follower_{name}"
        made.append(Side(name, Base(), leader, follower))
    return Rig(
        "bench", Path("bench.yaml"), "", 50.0, 3.0, Path("data"), "jpeg", tuple(made), (), safety, None, teleop=teleop
    )


def refused(reply: Reply) -> str:
    """Why it was."""
    assert isinstance(reply, Refused), reply
    return reply.why


def done(reply: Reply) -> Done:
    assert isinstance(reply, Done), reply
    return reply


class Host:
    """An arm's host: gate, torque, and servos that follow, with a sag of their own. A leader is in a hand while limp."""

    def __init__(
        self, node: str, safety: Safety, torque: bool = True, pose: Pose = (0.0, 0.0, 0.5), sag: float = 0.0
    ) -> None:
        self.node, self.gate, self.torque, self.sag = node, Gate(DIMENSIONS, safety), torque, sag
        self.pose, self.stuck = pose, False
        self.refusals: list[str] = []
        self.free: tuple[str, ...] = ()
        self.keeps_torque = ""
        self.condition: tuple[ArmMode, str, str] = ("ready", "", "")
        self.leave = Leave(node, node.startswith("leader"))

    def open(self, now_ns: int) -> None:
        if self.torque:
            self.gate.reset(self.pose, now_ns)
        else:
            self.gate.close("torque is off")

    def state(self) -> ArmState:
        position = (self.pose[0], self.pose[1] - self.sag, self.pose[2])
        return ArmState(position, (0.0,) * 3, (0.0,) * 3, self.pose[2], 0.0, self.torque, 0, *self.condition)

    def applied(self, now_ns: int) -> Applied:
        gate = self.gate
        return Applied(
            self.node, "hold" if gate.holding else "none", -1, -1, now_ns, gate.goal or self.pose,
            hold=bool(gate.holding), why=gate.holding,
        )  # fmt: skip

    def request(self, request: ArmRequest, now_ns: int) -> Reply:
        try:
            if isinstance(request, TorqueOn):
                self.free = request.free
                if not self.torque:
                    self.gate.reset(self.pose, now_ns)
                self.torque = True
            elif isinstance(request, TorqueLeave):
                self.leave.give(request, now_ns)
            elif isinstance(request, TorqueOff) and self.keeps_torque:
                return Refused(self.keeps_torque)
            elif isinstance(request, TorqueOff):
                self.leave.use(request, now_ns)
                self.torque = False
                self.gate.close("torque is off")
            elif isinstance(request, Resume):
                self.gate.resume()
        except (CommandRefused, RequestRefused) as error:
            return Refused(str(error))
        return Done()

    def command(self, command: Command, now_ns: int) -> None:
        try:
            self.move(self.gate.command(command, now_ns))
        except CommandRefused as error:
            self.refusals.append(str(error))

    def cycle(self, now_ns: int) -> None:
        self.move(self.gate.tick(now_ns, self.pose, (0.0,) * 3))

    def move(self, goal: Pose | None) -> None:
        if goal is not None and not self.stuck:
            self.pose = tuple(
                here if dimension.name in self.free else there
                for dimension, here, there in zip(DIMENSIONS, self.pose, goal, strict=True)
            )


class Stage:
    """Runs a core against followers and leaders every 5 ms."""

    def __init__(
        self, *sides: str, safety: Safety = LIMITS, teleop: Teleop = TELEOP, torque: bool = True,
        pose: Pose = (0.0, 0.0, 0.5), sag: float = 0.0,
    ) -> None:  # fmt: skip
        self.rig = rig(*(sides or ("left", "right")), safety=safety, teleop=teleop)
        self.now_ns = 10**12
        self.core = PilotCore(self.rig, self)
        self.followers = {node: Host(node, safety, torque, pose, sag) for node in self.rig.followers}
        self.leaders: dict[str, Pose] = dict.fromkeys(self.rig.leaders, (0.1, 0.2, 0.5))
        self.leader_hosts = {
            node: Host(node, safety, torque=False, pose=self.leaders[node]) for node in self.rig.leaders
        }
        self.silent: set[str] = set()
        self.lives: dict[str, int] = {}
        self.setpoints: dict[SourceName, Pose | None] = {}
        self.commands: list[tuple[int, Command]] = []
        self.requests: list[tuple[str, ArmRequest]] = []
        self.answers: list[Reply] = []
        self._questions: list[tuple[str, ArmRequest, Answer]] = []
        self._delivered = 0
        self._sequence = 0
        self._timer_ns = 0
        for host in (*self.followers.values(), *self.leader_hosts.values()):
            host.open(self.now_ns)

    # the core's ports
    def command(self, command: Command) -> None:
        self.commands.append((self.now_ns, command))

    def ask(self, arm: str, request: ArmRequest, then: Answer) -> None:
        self.requests.append((arm, request))
        self._questions.append((arm, request, then))

    # what the test does
    def request(self, request: PilotRequest) -> None:
        self.core.request(request, self.answers.append, self.now_ns)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Run on; stops early, and says True, when `until` holds."""
        for _ in range(round(seconds * 1e9 / PERIOD_NS)):
            self._period()
            if until():
                return True
        return False

    def stop(self, ms: int) -> None:
        """The computer stands still, and everybody with it."""
        self.now_ns += ms * MS

    def hold_setpoint(self, source: SourceName, why: str) -> None:
        """A source asks to hold."""
        self._sequence += 1
        setpoint = Setpoint(source, self._sequence, self.now_ns, (), hold=True, why=why)
        self.core.asked(source, setpoint, self._sequence, self.now_ns, self.lives.get(source, 0))

    @property
    def _hosts(self) -> dict[str, Host]:
        return {**self.followers, **self.leader_hosts}

    def answered(self) -> bool:
        return bool(self.answers)

    @property
    def state(self) -> PilotState:
        return self.core.state(self.now_ns)

    def sent_to(self, node: str) -> list[Command]:
        return [command for _, command in self.commands if command.arm == node]

    def _period(self) -> None:
        self.now_ns += PERIOD_NS
        self._sequence += 1
        for node in (*self.leaders, *self.followers):
            if self._sequence % 100 == 1 and node not in self.silent:
                self.core.described(node, ARM)
        for node, goal in self.setpoints.items():
            if self._sequence % 4 == 0 and node not in self.silent and goal is not None:
                setpoint = Setpoint(node, self._sequence // 4, self.now_ns - MS, goal)
                self.core.asked(node, setpoint, self._sequence // 4, self.now_ns, self.lives.get(node, 0))
        for node, pose in self.leaders.items():
            if node not in self.silent:
                self._lead(node, pose)
        if self.now_ns >= self._timer_ns:
            self.core.tick(self.now_ns)
            self._timer_ns = self.core.due_ns(self.now_ns)
        self._deliver()
        for node, follower in self.followers.items():
            if node not in self.silent:
                follower.cycle(self.now_ns)
                life = self.lives.get(node, 0)
                self.core.arm_state(node, follower.state(), self.now_ns, self._sequence, self.now_ns, life)
                self.core.applied(node, follower.applied(self.now_ns), self.now_ns)

    def _lead(self, node: str, pose: Pose) -> None:
        """A limp leader is where the hand has it; with torque only what is free is the hand's."""
        host = self.leader_hosts[node]
        if host.torque:
            host.cycle(self.now_ns)
        host.pose = tuple(
            hand if not host.torque or d.name in host.free else here
            for d, hand, here in zip(DIMENSIONS, pose, host.pose, strict=True)
        )
        self.core.applied(node, host.applied(self.now_ns), self.now_ns)
        state = ArmState(host.pose, (0.0,) * 3, (0.0,) * 3, host.pose[2], 0.0, host.torque)
        life = self.lives.get(node, 0)
        self.core.arm_state(node, state, self.now_ns - 2 * MS, self._sequence, self.now_ns, life)

    def _deliver(self) -> None:
        for _, command in self.commands[self._delivered :]:
            if command.arm not in self.silent:
                self._hosts[command.arm].command(command, self.now_ns)
        self._delivered = len(self.commands)
        questions, self._questions = self._questions, []
        for arm, request, then in questions:
            if arm in self.silent:
                then(Refused(f"{arm} did not answer"))
            else:
                then(self._hosts[arm].request(request, self.now_ns))
