"""A simulated controller in a process of its own, at an address of its own; the pipe to it is its pendant and its cable."""

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_NUMBERS = itertools.count(1)


def own_address() -> str:
    """A loopback address that no other arm has, of this run of tests or of another one beside it."""
    pid = os.getpid()
    return f"127.{2 + (pid >> 8) % 100}.{pid % 256}.{next(_NUMBERS)}"


class Entry(NamedTuple):
    """One line of the controller's log."""

    at_ns: int
    what: str
    numbers: tuple[float, ...]


class Metal:
    """It begins as somebody left it who switched it on: brakes released, ready to be told, its gripper active."""

    def __init__(self, maker: str, **keys: float) -> None:
        """`maker`, `keys`: see `drivers.sim.network.alone`."""
        self.address = own_address()
        given = [f"{key}={value}" for key, value in keys.items()]
        self._command = [sys.executable, "-m", "drivers.sim.network.alone", maker, self.address, *given]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._answer() == "ready"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def press(self, what: str, value: float = 0.0) -> None:
        """A button of the pendant, a hand, a cable."""
        self._tell({"do": what, "value": value})
        assert (answer := self._answer()) == "done", answer

    def log(self, folder: Path) -> list[Entry]:
        """What has happened to the arm."""
        path = folder / "log.jsonl"
        self._tell({"log": str(path)})
        assert self._answer() == "done"
        return [Entry(at, what, tuple(numbers)) for at, what, numbers in map(json.loads, path.read_text().splitlines())]

    def hush(self) -> None:
        self._signal(signal.SIGSTOP)

    def speak(self) -> None:
        self._signal(signal.SIGCONT)

    def _tell(self, what: dict[str, object]) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def __enter__(self) -> "Metal":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
