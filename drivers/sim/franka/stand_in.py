"""A Franka robot of a simulated world: franky-sim in its own environment has its joints, and the world's arm goes where they are."""

import json
import signal
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from drivers.sim.franka.environment import command
from drivers.sim.network.joints import Arm, Fingers, Logged
from station.runtime.realtime import start_ordinary

TOLD_HZ = 100.0
START_RAD = (0.0, 0.0, 0.0, -1.5708, 0.0, 1.5708, 0.0)
"""Where `served` begins."""
_NUMBERS = struct.Struct("<8d")
_WIDTH_M, _FORCE = 0.08, 0.3
_WAIT_S = 0.2


class FrankySim:
    """One robot, in a process."""

    def __init__(self, address: str, arm: Arm, fingers: Fingers | None) -> None:
        self._address, self._arm, self._fingers = address, arm, fingers
        self._process: subprocess.Popen[str] | None = None
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"franky-sim {address}", daemon=True)
        self._folder = tempfile.TemporaryDirectory(prefix="franky-")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def start(self) -> None:
        """Have it listen. Raises StationError where there is no franky-sim, OSError where it does not come up."""
        path = Path(self._folder.name) / "joints"
        self._socket.bind(str(path))
        self._socket.settimeout(_WAIT_S)
        # not at the world's priority: two of these with their thousand cycles a second use up what Linux lets real-time threads have
        # (95 % of each second), and then drivers and servos fall silent for a tenth of one
        start_ordinary()
        self._process = subprocess.Popen(
            command(self._address, "--tell", str(path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._answer() != "ready":
            raise OSError(f"franky-sim did not come up at {self._address}")
        self._thread.start()

    def stop(self) -> None:
        """Over."""
        self._finish.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._socket.close()
        self._folder.cleanup()

    def press(self, what: str, value: float, now_ns: int) -> str:  # noqa: ARG002
        """What somebody does beside it (`served.Loop.press`); `silent`, 1 or 0: its cable says nothing meanwhile."""
        if what == "silent" and self._process is not None:
            self._process.send_signal(signal.SIGSTOP if value else signal.SIGCONT)
            return ""
        answered = self._tell({"do": what, "value": value})
        return "" if answered == "done" else answered

    def log(self, since_ns: int = 0) -> list[Logged]:
        """What has happened to the arm since then. `q`: where its joints are, every other step."""
        path = Path(self._folder.name) / "log.jsonl"
        self._tell({"log": str(path), "since": since_ns})
        entries = (json.loads(line) for line in path.read_text().splitlines())
        return [Logged(at_ns, what, tuple(numbers)) for at_ns, what, numbers in entries]

    def _tell(self, what: dict[str, object]) -> str:
        """Have it do that; what it answers."""
        if self._process is None or self._process.stdin is None:
            return "it does not run"
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _follow(self) -> None:
        while not self._finish.is_set():
            try:
                told = self._socket.recv(_NUMBERS.size)
            except TimeoutError:
                continue
            *joints, width_m = _NUMBERS.unpack(told)
            self._arm.drive(joints, 1 / TOLD_HZ)
            if self._fingers is not None:
                self._fingers.drive(width_m / _WIDTH_M, 1.0, _FORCE)
