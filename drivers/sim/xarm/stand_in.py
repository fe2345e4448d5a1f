"""A UFACTORY controller on the network: what is spoken on each of its ports, and what people do to it."""

from collections import deque
from collections.abc import Callable
from functools import partial

from drivers.sim.network.joints import Arm, Fingers, FreeArm, Logged
from drivers.sim.network.line import Line
from drivers.sim.network.stand_in import StandIn, Talk
from drivers.sim.xarm import reports
from drivers.sim.xarm.controller import BY_HAND, COLLISION, ESTOP, POSITION, Controller
from drivers.sim.xarm.gripper import Flange
from drivers.sim.xarm.uxbus import Session
from station.clock import Clock

RT, NORMAL, RICH, REAL = 30000, 30001, 30002, 30003
RATE_HZ = 400.0
COMMANDS = 10502
"""Instead of 502, which an ordinary user may not have."""

Do = Callable[["XArm", float, int], object]


class XArm(StandIn):
    """One controller, and the gripper on its arm if it has one."""

    def __init__(
        self,
        address: str,
        arm: Arm,
        fingers: Fingers | None,
        clock: Clock,
        joints: int = 7,
        kind: int = 7,
        command_port: int = COMMANDS,
        skew_ppm: float = 0.0,
        old: bool = False,
        robotiq: bool = False,
    ) -> None:
        """`kind`: the make, as the controller numbers it; `old`: a firmware without port 30000; `robotiq`: one on its flange."""
        super().__init__(address, clock, RATE_HZ)
        self.controller: Controller = Controller(arm, joints, kind, clock(), skew_ppm)
        self.flange = Flange(fingers, robotiq)
        self.fingers, self._commands, self._old = fingers, command_port, old
        if old:
            self.controller.firmware = "v1.12.0"

    def press(self, what: str, value: float, now_ns: int) -> str:
        """One of `DOES`."""
        if what not in DOES:
            return f"no {what!r}; there are {', '.join(DOES)}"
        with self.lock:
            DOES[what](self, value, now_ns)
        return ""

    def _log(self) -> deque[Logged]:
        return self.controller.log

    def _ports(self) -> tuple[int, ...]:
        ports = (self._commands, NORMAL, RICH, REAL)
        return ports if self._old else (*ports, RT)

    def _talk(self, port: int, line: Line, now_ns: int) -> Talk:  # noqa: ARG002
        told = {RT: (reports.real_time, reports.RT_HZ), REAL: (reports.real, reports.REAL_HZ),
                NORMAL: (reports.normal, reports.SLOW_HZ), RICH: (reports.rich, reports.SLOW_HZ)}  # fmt: skip
        if port in told:
            make, rate_hz = told[port]
            return reports.Reports(partial(make, self.controller), rate_hz, now_ns)
        return Session(self.controller, self.flange)

    def _step(self, now_ns: int) -> None:
        self.controller.step(now_ns)
        self.flange.step()


def _release(it: XArm, _: float, __: int) -> None:
    it.controller.pressed = False


def _clear(it: XArm, _: float, now_ns: int) -> None:
    it.controller.pressed, it.controller.error = False, 0
    it.controller.enable(True, now_ns)


def _mode(it: XArm, value: float, now_ns: int) -> None:
    it.controller.set_mode(round(value))
    it.controller.set_state(0, now_ns)


def _teach(it: XArm, value: float, now_ns: int) -> None:
    _mode(it, BY_HAND if value else POSITION, now_ns)


def _push(it: XArm, value: float, _: int) -> None:
    if isinstance(it.controller.arm, FreeArm):
        it.controller.arm.push(value)
        it.controller._stay()


def _hold_object(it: XArm, value: float, _: int) -> None:
    if it.fingers is not None:
        it.fingers.object_opening = value


def _gripper_off(it: XArm, _: float, __: int) -> None:
    if it.flange.robotiq is not None:
        it.flange.robotiq.deactivate()


def _baud(it: XArm, value: float, _: int) -> None:
    it.flange.baud_place = round(value)


def _set(what: str) -> Do:
    def do(it: XArm, value: float, _: int) -> None:
        for thing in (it.controller, it.weather):
            if hasattr(thing, what):
                setattr(thing, what, type(getattr(thing, what))(value))

    return do


DOES: dict[str, Do] = {
    "collision": lambda it, _, now_ns: it.controller.fail(COLLISION, now_ns),
    "emergency_stop": lambda it, _, now_ns: it.controller.fail(ESTOP, now_ns),
    "error": lambda it, value, now_ns: it.controller.fail(round(value), now_ns),
    "release": _release,
    "clear": _clear,
    "warning": _set("warning"),
    "stop": lambda it, _, now_ns: it.controller.stop(now_ns, "stop button"),
    "pause": lambda it, _, now_ns: it.controller.set_state(3, now_ns),
    "mode": _mode,
    "motors_off": lambda it, _, now_ns: it.controller.enable(False, now_ns),
    "motors_on": lambda it, _, now_ns: it.controller.enable(True, now_ns),
    "teach": _teach,
    "collision_sensitivity": _set("collision_sensitivity"),
    "silent": _set("silent"),
    "latency_ms": _set("latency_ms"),
    "jitter_ms": _set("jitter_ms"),
    "hang_up": lambda it, _, __: it.hang_up(),
    "unplug": lambda it, _, __: it.shut(),
    "replug": lambda it, _, __: it.listen(),
    "skew_ppm": lambda it, value, now_ns: it.controller.set_skew(value, now_ns),
    "payload_kg": _set("payload_kg"),
    "push": _push,
    "object": _hold_object,
    "gripper_error": lambda it, value, _: it.flange.fail(round(value)),
    "gripper_baud": _baud,
    "gripper_off": _gripper_off,
}
