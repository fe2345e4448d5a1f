"""A package of somebody's own, with a driver of an arm that this repository knows nothing of, put where Python finds it."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.rig import entries

PACKAGE = Path(__file__).parent / "package"
PORT = 45454
"""The driver's: as with any maker's, two arms are two addresses."""
_NUMBERS = itertools.count(1)


def own_address() -> str:
    """A loopback address that no other arm has, of this run of tests or of another one beside it."""
    pid = os.getpid()
    return f"127.{128 + (pid >> 8) % 127}.{pid % 256}.{next(_NUMBERS)}"


class Metal:
    """The controller in a process of its own, at an address of its own; its pendant is the pipe to it."""

    def __init__(self, skew_ppm: float = 0.0) -> None:
        self.address, self._skew = own_address(), str(skew_ppm)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "acme_arm.controller", self.address, str(PORT), self._skew]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "ready"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def press(self, what: str, **more: object) -> None:
        """A button of the pendant, or a hand."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()

    def hush(self) -> None:
        self._signal(signal.SIGSTOP)

    def speak(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def __enter__(self) -> "Metal":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@pytest.fixture(scope="module", autouse=True)
def installed() -> Iterator[None]:
    """The package, as pip would have installed it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PACKAGE))
        patch.setenv("PYTHONPATH", str(PACKAGE))
        entries.installed.cache_clear()
        yield
        entries.installed.cache_clear()
