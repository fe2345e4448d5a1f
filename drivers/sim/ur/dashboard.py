"""The dashboard server of a UR controller: a line in, a line out. Pure.

Source: Universal Robots, "Dashboard Server e-Series" (its answers, word for word where clients read them).
"""

from collections.abc import Callable

from drivers.sim.ur.controller import Controller
from drivers.sim.ur.rtde import VERSION

GREETING = "Connected: Universal Robots Dashboard Server"
_SAFETY = {
    "normal": "NORMAL", "reduced": "REDUCED", "protective": "PROTECTIVE_STOP", "safeguard": "SAFEGUARD_STOP",
    "system_estop": "SYSTEM_EMERGENCY_STOP", "robot_estop": "ROBOT_EMERGENCY_STOP", "violation": "VIOLATION", "fault": "FAULT",
}  # fmt: skip
_POWER = {"off": "POWER_OFF", "idle": "IDLE", "running": "RUNNING"}
_LOCAL = "Command is not allowed in local control"
_TOO_EARLY = (
    "Cannot unlock protective stop until 5s after occurrence. Always inspect cause of protective stop before unlocking"
)

Answer = Callable[[Controller, int], str]


def _told(did: Callable[[Controller, int], bool], done: str, refused: str) -> Answer:
    return lambda controller, now_ns: done if did(controller, now_ns) else refused


def _stop(controller: Controller, now_ns: int) -> bool:
    controller.end_program(now_ns, "stopped by the dashboard")
    controller.foreign_program = False
    return True


def _power_off(controller: Controller, now_ns: int) -> bool:
    controller.power_off(now_ns)
    return True


_ASKED: dict[str, Answer] = {
    "polyscopeversion": lambda _, __: f"URSoftware {'.'.join(map(str, VERSION))} (Oct 19 2021)",
    "version": lambda _, __: "5.11.1",
    "get serial number": lambda _, __: "20215500001",
    "get robot model": lambda _, __: "UR5",
    "is in remote control": lambda c, _: str(c.remote).lower(),
    "robotmode": lambda c, _: f"Robotmode: {_POWER[c.power]}",
    "safetymode": lambda c, _: f"Safetymode: {_SAFETY[c.safety]}",
    "safetystatus": lambda c, _: f"Safetystatus: {_SAFETY[c.safety]}",
    "running": lambda c, _: f"Program running: {str(c.playing).lower()}",
    "programstate": lambda c, _: f"{'PLAYING' if c.playing else 'STOPPED'} <unnamed>",
    "get loaded program": lambda _, __: "No program loaded",
}
_DONE: dict[str, Answer] = {
    "close popup": lambda _, __: "closing popup",
    "close safety popup": lambda _, __: "closing safety popup",
    "unlock protective stop": _told(Controller.unlock, "Protective stop releasing", _TOO_EARLY),
    "power on": _told(Controller.power_on, "Powering on", "Cannot power on: safety mode"),
    "brake release": _told(Controller.release_brakes, "Brake releasing", "Cannot release brakes: safety mode"),
    "power off": _told(_power_off, "Powering off", ""),
    "restart safety": _told(Controller.restart_safety, "Restarting safety", "Cannot restart safety"),
    "stop": _told(_stop, "Stopped", ""),
}


def answer(line: str, controller: Controller, now_ns: int) -> str:
    """What it answers to a line."""
    asked = " ".join(line.lower().split())
    if asked in _ASKED:
        return _ASKED[asked](controller, now_ns)
    if asked in _DONE:
        return _DONE[asked](controller, now_ns) if controller.remote else _LOCAL
    return f"could not understand: {line.strip()}"
