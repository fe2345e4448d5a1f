"""The driver's end of `desk_process`: what is asked of a controller beside targets, and its gripper. Nothing here waits."""

import json
import socket
import subprocess
import sys

from drivers.xarm.settings import XArmSettings
from station.clock import NS_PER_S
from station.devices.networked.readings import Fingers

_ENDS_S = 0.3
_FRESH_NS = NS_PER_S
_NOT_YET = "the gripper has not answered yet"


class Asked:
    """A question under way."""

    def __init__(self) -> None:
        self.why: str | None = None
        """None while there is no answer; "" where it was done; else why not."""


class Desk:
    """One process."""

    def __init__(self, settings: XArmSettings) -> None:
        self._settings = settings
        self.serial = ""
        self._fingers: Fingers | None = None
        self._trouble = _NOT_YET
        self._asked: dict[int, Asked] = {}
        self._number, self._goal = 0, None
        self._start()

    def _start(self) -> None:
        s = self._settings
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        numbers = (s.gripper.open_pulse, s.gripper.closed_pulse, s.gripper.speed)
        arguments = (theirs.fileno(), 0, s.address, s.command_port, s.gripper.kind, *numbers)
        command = [sys.executable, "-m", "drivers.xarm.desk_process", *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, pass_fds=(theirs.fileno(),))
        theirs.close()

    @property
    def fingers(self) -> Fingers | None:
        """The newest reading of the gripper; None before the first."""
        self.hear()
        return self._fingers

    @property
    def unheard(self) -> bool:
        """Has its process not come to look at the gripper yet?"""
        return self._settings.gripper.kind != "none" and self.trouble == _NOT_YET

    @property
    def trouble(self) -> str:
        """What is wrong with the gripper; "" if nothing is."""
        self.hear()
        return self._trouble if self._settings.gripper.kind != "none" else ""

    def newest(self, now_ns: int) -> Fingers | None:
        """The newest reading, unless it is old."""
        fingers = self.fingers
        return fingers if fingers is not None and now_ns - fingers.at_ns < _FRESH_NS else None

    def go(self, opening: float) -> None:
        """Where the fingers are to be; the newest counts."""
        self._tell({"grip": round(opening, 4)})

    def rest(self) -> None:
        """Nothing more is asked of the gripper; it stays as it is."""
        self._tell({"grip": None})

    def ask(self, what: str) -> Asked:
        """`clean`, `enable`, `disable`, `set_up_gripper`; look at what is returned for the answer."""
        self._number += 1
        asked = self._asked[self._number] = Asked()
        self._tell({"id": self._number, "do": what})
        return asked

    def hear(self) -> None:
        """Take what it told."""
        try:
            while told := self._ours.recv(4096):
                self._take(json.loads(told))
            self._died()
        except BlockingIOError:
            pass
        except OSError:
            self._died()

    def _take(self, told: dict[str, object]) -> None:
        if "serial" in told:
            self.serial = str(told["serial"])
        elif "trouble" in told:
            self._trouble = str(told["trouble"])
            if (read := told["fingers"]) is not None:
                self._fingers = Fingers(*read)  # type: ignore[misc]
        elif (asked := self._asked.pop(int(str(told["id"])), None)) is not None:
            asked.why = str(told["why"])

    def _tell(self, what: dict[str, object]) -> None:
        try:
            self._ours.send(json.dumps(what).encode())
        except BlockingIOError:
            pass  # it is busy with a gripper that does not answer: the newest goal is told again in a moment
        except OSError:
            self._died()

    def _died(self) -> None:
        """It has ended: whoever waits is told, and another one is started."""
        for asked in self._asked.values():
            asked.why = "the process of UFACTORY's library has ended"
        self._asked = {}
        self._trouble = "the process of UFACTORY's library has ended"
        self._ours.close()
        self._process.kill()
        self._process.wait()
        self._start()

    def close(self) -> None:
        """The gripper stays as it is."""
        self._ours.close()
        try:
            self._process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
