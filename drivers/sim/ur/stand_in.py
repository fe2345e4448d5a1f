"""A UR controller on the network: what is spoken on each of its ports."""

from collections import deque
from collections.abc import Callable

from drivers.sim.network.joints import Arm, Fingers, Logged
from drivers.sim.network.line import Line
from drivers.sim.network.stand_in import StandIn, Talk
from drivers.sim.ur import dashboard, pendant
from drivers.sim.ur.controller import UNLOCK_NS, Controller
from drivers.sim.ur.robotiq import Robotiq
from drivers.sim.ur.rtde import Session
from station.clock import Clock

DASHBOARD, PRIMARY, SECONDARY, REALTIME, RTDE, URCAP = 29999, 30001, 30002, 30003, 30004, 63352
_SCRIPTS = (PRIMARY, SECONDARY, REALTIME)
RATE_HZ = 500.0


class _Lines:
    """A port that is spoken line by line."""

    def __init__(self, answer: Callable[[str, int], str]) -> None:
        self._answer, self._left = answer, b""

    def hear(self, got: bytes, now_ns: int) -> bytes:
        *lines, self._left = (self._left + got).split(b"\n")
        return "".join(self._answer(line.decode("ascii", "replace"), now_ns) for line in lines).encode()

    def due(self, now_ns: int) -> bytes:  # noqa: ARG002
        return b""

    def close(self) -> None:
        pass


class _Scripts(_Lines):
    """A port that takes programs: from `def` to the `end` at the margin."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(self._line)
        self._controller, self._text = controller, ""

    def _line(self, line: str, now_ns: int) -> str:
        if not self._text and not line.startswith(("def ", "sec ")):
            return ""
        self._text += line + "\n"
        if line.rstrip() == "end":
            self._controller.load(self._text, now_ns)
            self._text = ""
        return ""


class UR(StandIn):
    """One controller, and the gripper on its arm if it has one."""

    def __init__(
        self,
        address: str,
        arm: Arm,
        fingers: Fingers | None,
        clock: Clock,
        skew_ppm: float = 0.0,
        unlock_ns: int = UNLOCK_NS,
    ) -> None:
        super().__init__(address, clock, RATE_HZ)
        self.controller: Controller = Controller(arm, clock(), skew_ppm, unlock_ns)
        self.gripper: Robotiq | None = Robotiq(fingers) if fingers is not None else None
        self.taken: set[str] = set()
        """Input registers that somebody has; a field bus has some, too."""

    def press(self, what: str, value: float, now_ns: int) -> str:
        """See `pendant`."""
        return pendant.press(self, what, value, now_ns)

    def _log(self) -> deque[Logged]:
        return self.controller.log

    def _ports(self) -> tuple[int, ...]:
        ports = (DASHBOARD, *_SCRIPTS, RTDE)
        return (*ports, URCAP) if self.gripper is not None else ports

    def _talk(self, port: int, line: Line, now_ns: int) -> Talk:
        controller, gripper = self.controller, self.gripper
        if port == RTDE:
            return Session(controller, self.taken, now_ns)
        if port == DASHBOARD:
            line.send(f"{dashboard.GREETING}\n".encode(), now_ns)
            return _Lines(lambda text, at_ns: dashboard.answer(text, controller, at_ns) + "\n")
        if port == URCAP and gripper is not None:
            return _Lines(lambda text, _: gripper.hear(text))
        return _Scripts(controller)

    def _step(self, now_ns: int) -> None:
        self.controller.step(now_ns)
        if self.gripper is not None:
            self.gripper.step()
