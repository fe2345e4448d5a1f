"""The door of this process's sockets: whoever connects must hold one of the rig's keys, and is called by name from then on.

ZeroMQ asks a ZAP handler (its RFC 27) at every handshake; pyzmq's authenticator speaks that protocol. Its thread waits for
handshakes alone, one for all sockets of the process, as long as any of them is bound.
"""

import contextlib
import logging
import threading
import weakref
from collections.abc import Awaitable, Callable

import zmq
from zmq.auth.base import Authenticator
from zmq.utils import z85

from station.bus.keys import KeyRing
from station.clock import NS_PER_S, monotonic_ns

DOMAIN = "station"
ZAP, STOP = "inproc://zeromq.zap.01", "inproc://station.door"
HANDSHAKE_MS = 2000
"""A peer that does not finish its handshake by then is hung up on, and tried again: it may be a stranger at a dead node's place."""

MEND_NS = NS_PER_S // 4

_log = logging.getLogger(__name__)


class _KeyAuthenticator(Authenticator):
    """Lets in whose key is on the ring. The thread's own asyncio loop (pyzmq's way) would cost each process 3 MB."""

    def __init__(self, ring: KeyRing) -> None:
        super().__init__()
        self._ring = ring
        self.credentials_providers[DOMAIN] = self
        self._told: set[bytes] = set()

    def callback(self, _domain: str, key: bytes) -> bool:
        """Is it one of the rig's?"""
        if self._ring.owner(key.decode()):
            return True
        if not self._told:  # once a life: a stranger may try for ever
            self._told.add(key)
            _log.warning("somebody without a key of this station was turned away (%s)", key.decode())
        return False

    def curve_user_id(self, client_public_key: bytes) -> str:
        """The name it is called by."""
        return self._ring.owner(z85.encode(client_public_key).decode())

    def watch(self, stop: "zmq.Socket[bytes]") -> None:
        """The thread: until something comes through `stop`."""
        poller = zmq.Poller()
        poller.register(stop, zmq.POLLIN)
        poller.register(self.zap_socket, zmq.POLLIN)
        while stop not in (ready := dict(poller.poll())):
            if self.zap_socket in ready:
                _run(self.handle_zap_message(self.zap_socket.recv_multipart()))
        stop.close()
        self.zap_socket.unbind(ZAP)  # at once: a closed socket keeps its name for a moment, and another door may open
        self.stop()


def _run(coroutine: Awaitable[None]) -> None:
    """To its end: with a callback that awaits nothing it never waits."""
    for _ in coroutine.__await__():
        raise AssertionError("the doorkeeper waits for nobody")


class _Door:
    """Counts who is bound; the first opens, the last closes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bound = 0
        self._thread: threading.Thread | None = None
        self._stop: zmq.Socket[bytes] | None = None

    def enter(self, ring: KeyRing) -> None:
        """Before a socket is bound."""
        with self._lock:
            self._bound += 1
            if self._bound == 1:
                self._open(ring)

    def leave(self) -> None:
        """After it was closed."""
        with self._lock:
            self._bound -= 1
            if self._bound == 0 and self._stop is not None and self._thread is not None:
                self._stop.send(b"")
                self._thread.join()
                self._stop.unbind(STOP)
                self._stop.close()
                self._thread = self._stop = None

    def _open(self, ring: KeyRing) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        keeper = _KeyAuthenticator(ring)
        keeper.start()
        self._stop, there = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        self._stop.bind(STOP)
        there.connect(STOP)
        self._thread = threading.Thread(target=keeper.watch, args=(there,), name="door", daemon=True)
        self._thread.start()


_door = _Door()


def bind(socket: "zmq.Socket[bytes]", ring: KeyRing, endpoint: str) -> None:
    """Bind behind the door: no byte from anybody without a key. `unbind` gives the door back."""
    socket.curve_server = True
    socket.curve_secretkey = ring.secret.encode()
    socket.zap_domain = DOMAIN.encode()
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    socket.handshake_ivl = HANDSHAKE_MS
    _door.enter(ring)
    try:
        socket.bind(endpoint)
    except BaseException:
        _door.leave()
        raise


def unbind(socket: "zmq.Socket[bytes]") -> None:
    """Close a socket that was bound here."""
    if not socket.closed:
        socket.close()
        _door.leave()


class Line:
    """A connecting socket that believes nobody but the nodes it was connected to. For the thread that made it."""

    def __init__(self, socket: "zmq.Socket[bytes]", ring: KeyRing, newer: Callable[[], KeyRing]) -> None:
        """`newer` gives the ring as it is by now: a client outlives the station that it is attached to."""
        self._socket, self._ring, self._newer = socket, ring, newer
        self._nodes: dict[str, str] = {}
        self._mended_ns = monotonic_ns()
        socket.handshake_ivl = HANDSHAKE_MS
        self._trouble: zmq.Socket[bytes] = socket.get_monitor_socket(int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL))
        _lines().add(self)

    def connect(self, node: str, endpoint: str) -> None:
        """To `node` and to nobody else: who is bound there without its secret is never heard."""
        self._nodes[endpoint] = node
        self._socket.curve_secretkey = self._ring.secret.encode()
        self._socket.curve_publickey = self._ring.key_of(self._ring.name)
        self._socket.curve_serverkey = self._ring.key_of(node)
        self._socket.connect(endpoint)

    def mend(self) -> None:
        """Connect again where a stranger answered in a way that made ZeroMQ give the endpoint up for good, and everywhere when the
        station was started anew, with other keys. Looks four times a second at most.
        """
        now_ns = monotonic_ns()
        if now_ns - self._mended_ns < MEND_NS:
            return
        self._mended_ns = now_ns
        lost = set()
        while self._trouble.poll(0):
            # zmq_socket_monitor(3): what, and where. (pyzmq's own reader of it brings asyncio: 45 ms at each start, and 3 MB.)
            _, where = self._trouble.recv_multipart()
            lost.add(where.decode())
        ring = self._newer()
        if ring != self._ring and all(node in ring.public for node in self._nodes.values()):
            self._ring = ring
            lost = set(self._nodes)
        for endpoint in lost:
            with contextlib.suppress(zmq.ZMQError):  # it may have forgotten the endpoint by itself
                self._socket.disconnect(endpoint)
            self.connect(self._nodes[endpoint], endpoint)

    def close(self) -> None:
        """Disconnect."""
        if not self._socket.closed:
            _lines().discard(self)
            self._socket.disable_monitor()
            self._trouble.close()
            self._socket.close()


_here = threading.local()


def _lines() -> "weakref.WeakSet[Line]":
    """This thread's."""
    if not hasattr(_here, "lines"):
        _here.lines = weakref.WeakSet[Line]()
    found: weakref.WeakSet[Line] = _here.lines
    return found


def mend() -> None:
    """All lines of this thread. Now and then: a stranger at a dead node's place must not cost us its next life."""
    for line in tuple(_lines()):
        line.mend()
