"""The driver's end of a process that does what may take long beside the stream of targets: asked for something, told something.

Apart from the stream, because a vendor's library waits for its answers, and no target may wait for them. JSON, one message each: `{"id":
1, "do": "clean"}` is answered by `{"id": 1, "why": ""}` when it is over; what else is told, either way, is the maker's. Nothing here waits.
"""

import json
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from station.clock import NS_PER_S
from station.devices.networked.readings import Fingers

ENDED = "the process of the vendor's library has ended"
_ENDS_S = 0.3
_FRESH_NS = NS_PER_S


class Asked:
    """A question under way."""

    def __init__(self) -> None:
        self.why: str | None = None
        """None while there is no answer; "" where it was done; else why not."""


class Beside(ABC):
    """One process, started anew when it has ended; and the gripper that it has, if it has one."""

    def __init__(self, module: str, arguments: Sequence[object], trouble: str) -> None:
        """`module`: what is run, with our socket, no priority and these arguments; `trouble`: the gripper's until it was looked at."""
        self._command = [sys.executable, "-m", module]
        self._arguments = tuple(map(str, arguments))
        self._trouble = trouble
        self._fingers: Fingers | None = None
        self._asked: dict[int, Asked] = {}
        self._number = 0
        self._start()

    @abstractmethod
    def _told(self, told: dict[str, Any]) -> None:
        """Take what is told beside answers and the gripper."""

    def _start(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        command = [*self._command, str(theirs.fileno()), "0", *self._arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, pass_fds=(theirs.fileno(),))
        theirs.close()

    @property
    def trouble(self) -> str:
        """What is wrong with the gripper; "" if nothing is."""
        self.hear()
        return self._trouble

    @property
    def fingers(self) -> Fingers | None:
        """The newest reading of the gripper; None before the first."""
        self.hear()
        return self._fingers

    def newest(self, now_ns: int) -> Fingers | None:
        """The newest reading, unless it is old."""
        fingers = self.fingers
        return fingers if fingers is not None and now_ns - fingers.at_ns < _FRESH_NS else None

    def go(self, opening: float) -> None:
        """Where the fingers are to be; the newest counts."""
        self.tell({"grip": round(opening, 4)})

    def rest(self) -> None:
        """Nothing more is asked of the gripper; it stays as it is."""
        self.tell({"grip": None})

    def ask(self, what: str) -> Asked:
        """Have it done; look at what is returned for the answer."""
        self._number += 1
        asked = self._asked[self._number] = Asked()
        self.tell({"id": self._number, "do": what})
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

    def _take(self, told: dict[str, Any]) -> None:
        if "trouble" in told:
            self._trouble = str(told["trouble"])
            if (read := told["fingers"]) is not None:
                self._fingers = Fingers(*read)
        elif "id" in told:
            if (asked := self._asked.pop(int(told["id"]), None)) is not None:
                asked.why = str(told["why"])
        else:
            self._told(told)

    def tell(self, what: dict[str, Any]) -> None:
        """On its way; where it listens to nothing just now the newest is told again in a moment."""
        try:
            self._ours.send(json.dumps(what).encode())
        except BlockingIOError:
            pass
        except OSError:
            self._died()

    def _died(self) -> None:
        """It has ended: whoever waits is told, and another one is started."""
        for asked in self._asked.values():
            asked.why = ENDED
        self._asked = {}
        self._trouble = ENDED
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
