import resource
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from drivers.vr.webxr import WebXrHeadset
from station.clock import monotonic_ns
from station.devices.contract import Place
from station.devices.headset import Pairing, pairing_path


def free_port() -> int:
    """A port that is free together with the next one."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return int(port)


@pytest.fixture
def many_files() -> Iterator[None]:
    """The strangers of a test live in its own process, and need descriptors of their own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Runtime and configuration folders of the test's own."""
    with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        yield tmp_path


def headset(port: int) -> WebXrHeadset:
    return WebXrHeadset(WebXrHeadset.Settings(port=port), Place("vr", "vr", monotonic_ns, 3.14, 100.0))


@pytest.fixture
def driver(home: Path) -> Iterator[WebXrHeadset]:
    made = headset(free_port())
    made.open()
    yield made
    made.close()


@pytest.fixture
def port(driver: WebXrHeadset) -> int:
    return int(driver.describe().serial)


@pytest.fixture
def code(port: int) -> str:
    return msgspec.json.decode(pairing_path(port).read_bytes(), type=Pairing).code
