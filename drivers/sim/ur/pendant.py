"""What people do to a simulated UR, at its pendant, at its cable and beside it: one word, and a number where it needs one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.sim.network.joints import FreeArm

if TYPE_CHECKING:
    from drivers.sim.ur.stand_in import UR

Do = Callable[["UR", float, int], object]


def _power_off(it: "UR", _: float, now_ns: int) -> None:
    it.controller.power_off(now_ns)


def _power_on(it: "UR", _: float, now_ns: int) -> None:
    it.controller.release_brakes(now_ns)


def _remote(it: "UR", value: float, now_ns: int) -> None:
    it.controller.remote = bool(value)
    if not value:
        it.controller.end_program(now_ns, "local control")


def _teach(it: "UR", value: float, now_ns: int) -> None:
    it.controller.teaching = bool(value)
    if value:
        it.controller.end_program(now_ns, "teach button")


def _push(it: "UR", value: float, _: int) -> None:
    if isinstance(it.controller.arm, FreeArm):
        it.controller.arm.push(value)
        it.controller.target = it.controller.arm.joints().position_rad


def _hold_object(it: "UR", value: float, _: int) -> None:
    if it.gripper is not None:
        it.gripper.fingers.object_opening = value


def _registers(it: "UR", value: float, _: int) -> None:
    taken = {f"input_int_register_{n}" for n in range(24)} | {f"input_double_register_{n}" for n in range(24)}
    it.taken = it.taken | taken if value else it.taken - taken


def _set(what: str) -> Do:
    def do(it: "UR", value: float, _: int) -> None:
        for thing in (it.controller, it.weather):
            if hasattr(thing, what):
                setattr(thing, what, type(getattr(thing, what))(value))

    return do


DOES: dict[str, Do] = {
    "protective_stop": lambda it, _, now_ns: it.controller.stop("protective", now_ns),
    "emergency_stop": lambda it, _, now_ns: it.controller.stop("robot_estop", now_ns),
    "safeguard": lambda it, _, now_ns: it.controller.stop("safeguard", now_ns),
    "fault": lambda it, _, now_ns: it.controller.stop("fault", now_ns),
    "release": lambda it, _, now_ns: it.controller.release(now_ns),
    "clear": lambda it, _, now_ns: it.controller._become("normal", now_ns),
    "power_off": _power_off,
    "power_on": _power_on,
    "remote": _remote,
    "teach": _teach,
    "slider": _set("slider"),
    "program_stop": lambda it, _, now_ns: it.controller.end_program(now_ns, "stop button"),
    "foreign_program": _set("foreign_program"),
    "starts": _set("starts"),
    "registers_in_use": _registers,
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
    "gripper_off": lambda it, _, __: it.gripper is not None and it.gripper.hear("SET ACT 0"),
}


def press(it: "UR", what: str, value: float, now_ns: int) -> str:
    """Do it; "" or what is wrong with what was asked."""
    if what not in DOES:
        return f"no {what!r}; there are {', '.join(DOES)}"
    with it.lock:
        DOES[what](it, value, now_ns)
    return ""
