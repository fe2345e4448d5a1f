import gc
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq
from hypothesis import settings

from station.bus import keys
from station.bus.keys import KeyRing
from tests.giving_back import giving_back

settings.register_profile("station", deadline=None)  # a busy computer is slow, not wrong
settings.register_profile("fast", deadline=None, max_examples=25)
settings.load_profile("station")


def pytest_collection_finish() -> None:
    """What was imported and collected stays for good, and is looked through no more: with 6000 tests a whole collection of garbage takes a
    quarter of a second, in which every thread of a test that keeps appointments stands still, a driver's word to its arm among them.
    """
    gc.collect()
    gc.freeze()


class _Everybody(dict[str, str]):
    """Public keys of whatever node a test thinks of, made when first asked for, with the secrets beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[str, str] = {}
        self._one_at_a_time = threading.Lock()

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        with self._one_at_a_time:
            if (known := self.get(name)) is None:
                key, secret = zmq.curve_keypair()
                self.secrets[name] = secret.decode()
                known = self[name] = key.decode()
        return known

    def ring(self, name: str) -> KeyRing:
        public = self[name]
        assert public
        return KeyRing(name, self.secrets[name], self)


@pytest.fixture
def everybody(monkeypatch: pytest.MonkeyPatch) -> _Everybody:
    """The test's process may be any node, in as many threads as it likes, and is a client otherwise."""
    made, of_the_rig = _Everybody(), keys.read_client

    def client(rig: str) -> KeyRing:
        """Of the station that runs, where one does."""
        return of_the_rig(rig) if os.path.lexists(keys.client_file(rig)) else made.ring(keys.CLIENT)

    monkeypatch.setattr(keys, "held", lambda node: keys._held.get(node) or made.ring(node))
    monkeypatch.setattr(keys, "read_client", client)
    return made


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Commands that tests start end at Ctrl-C, also where the tests were begun in the background of a script, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests look at is in no index of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, everybody: _Everybody) -> Iterator[str]:
    """A runtime folder of the test's own, with a path short enough for unix sockets; calibration and checks in it too.

    Nodes that the test plays itself have keys (`everybody`).
    """
    folder = tempfile.mkdtemp(prefix="st-", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{folder}/config")
    monkeypatch.setenv("XDG_STATE_HOME", f"{folder}/state")
    yield folder
    shutil.rmtree(Path(folder))


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Every test gives back what it takes."""
    with giving_back():
        yield


@pytest.fixture
def stranger() -> Iterator[Callable[[int], "zmq.Socket[bytes]"]]:
    """Sockets of a ZeroMQ of somebody's own, without a key."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made: list[zmq.Socket[bytes]] = []

    def socket(kind: int) -> "zmq.Socket[bytes]":
        made.append(context.socket(kind))
        made[-1].linger = 0
        return made[-1]

    yield socket
    for one in made:
        one.close()
    context.term()
