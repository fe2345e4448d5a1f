"""The driver's end of a vendor's library (`vendor_process`): started with the driver, given up with the link, started again."""

import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from typing import Literal

from station.runtime.realtime import has

ENDS_S = 0.3
"""How long it may take to stop following; then it is killed."""
State = Literal["idle", "starting", "running", "lost"]


class Library:
    """One process with the library in it. Never blocks, but in `close`."""

    ends_s = ENDS_S

    def __init__(self, module: str, width: int, arguments: Sequence[object], descriptors: Sequence[int] = ()) -> None:
        """`module`: what is run, with our socket, our priority and these arguments; `width`: how many numbers a goal has; `descriptors`:
        what else it inherits.
        """
        self.state: State = "idle"
        self.why = ""
        """Why it is lost, or could not start."""
        self._packed = struct.Struct(f"<{width}d")
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        command = [sys.executable, "-m", module, *map(str, (theirs.fileno(), has(), *arguments))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=2, pass_fds=(theirs.fileno(), *descriptors)
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def start(self, target_rad: Sequence[float]) -> None:
        """Have the program sent and started, following from there."""
        self.state, self.why = "starting", ""
        self._tell(b"S" + self._packed.pack(*target_rad))

    def follow(self, goal_rad: Sequence[float]) -> None:
        """The next goal."""
        self._tell(b"G" + self._packed.pack(*goal_rad))

    def beat(self) -> None:
        """The driver lives."""
        if self.state == "running":
            self._tell(b"B")

    def hear(self) -> State:
        """How it stands by now."""
        try:
            while told := self._ours.recv(1024):
                if told[:1] == b"R":
                    self.state = "running"
                else:
                    self._lost(told[1:].decode(errors="replace") or "it did not say why")
            self._died()
        except BlockingIOError:
            pass
        except OSError:
            self._died()
        return self.state

    def _tell(self, what: bytes) -> None:
        try:
            self._ours.send(what)
        except BlockingIOError:
            self._lost("its process does not listen")
        except OSError:
            self._died()

    def _died(self) -> None:
        code = self._process.poll()
        self._lost(f"its process has ended ({'by itself' if code is None else code})")

    def _lost(self, why: str) -> None:
        if self.state != "lost":
            self.state, self.why = "lost", why

    def rest(self) -> None:
        """The arm stops following and stays where it is; the process is there for the next start."""
        self._tell(b"E")
        self.state, self.why = "idle", ""

    def close(self, at_once: bool = False) -> None:
        """The arm stops following and stays where it is. `at_once`: with a link that is broken there is nobody to tell."""
        if at_once:
            self._process.kill()
        else:
            self._tell(b"E")
        self._ours.close()
        try:
            self._process.wait(self.ends_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
