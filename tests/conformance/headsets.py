"""The headsets: a page of the driver's own, worn by a process that is told to put it on and take it off."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.vr.webxr import WebXrHeadset, WebXrSettings
from station.clock import monotonic_ns
from station.devices.conformance import Subject
from station.devices.contract import Place
from tests.conformance.subject import Factory
from tests.drivers.vr.conftest import free_port

PLACE = Place("vr", "vr", monotonic_ns, 3.14, 100.0)


class WornHeadset:
    """The process that wears it."""

    def __init__(self, settings: WebXrSettings) -> None:
        module = "tests.drivers.vr.emulated_headset"
        command = [sys.executable, "-m", module, str(settings.port), str(settings.rate_hz)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._heard("ready")

    def put_on(self) -> None:
        self._tell("on")

    def take_off(self) -> None:
        self._tell("off")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _tell(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        self._heard(what)

    def _heard(self, what: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == what


@contextmanager
def webxr(folder: Path) -> Iterator[Subject]:
    settings = WebXrHeadset.Settings(port=free_port())
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as runtime:
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        worn = WornHeadset(settings)
        try:
            worn.put_on()
            yield Subject(lambda: WebXrHeadset(settings, PLACE), worn.take_off, worn.put_on)
        finally:
            worn.close()


HEADSETS: dict[str, Factory] = {"webxr": webxr}
