"""Who may speak on the bus: the CURVE keys of one rig, made anew by its supervisor at each start.

Every node is handed its own secret and everybody's public keys through an inherited pipe, never by argument, environment or
file. A client reads its own from a file that only the user may read and that is gone when the supervisor ends: it buys
subscriptions and requests, nothing that is published.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import zmq

from station.errors import NodeAbsent, NoKey, Planted
from station.files.runtime_folder import open_own, replace_own, runtime_folder

CLIENT = "client"
"""The name that whoever attaches to a running station asks under."""
FILE = "client.key"
LARGEST = 1 << 20
"""No rig's keys take more bytes than this (60 a node)."""


class KeyRing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one node, or the clients, know: their own secret, and who everybody is. Keys are Z85 text (ZeroMQ's RFC 32)."""

    name: str
    secret: str
    public: dict[str, str]

    def owner(self, key: str) -> str:
        """Whose public key that is; "" if it is a stranger's."""
        return next((name for name, known in self.public.items() if known == key), "")

    def key_of(self, node: str) -> bytes:
        """A node's public key. Raises NoKey for one that the supervisor does not know."""
        if node not in self.public:
            raise NoKey(
                f"{node} is no node of the station that runs (it has {', '.join(self.public)}). "
                "Next: was the rig file changed? stop the station and start it again"
            )
        return self.public[node].encode()

    def __repr__(self) -> str:
        return f"KeyRing({self.name!r}, {len(self.public)} keys)"  # no secret in a log or a trace


def make_rings(nodes: Iterable[str]) -> dict[str, KeyRing]:
    """Fresh keys for these nodes and for the clients: everybody's ring, by name."""
    pairs = {name: zmq.curve_keypair() for name in (*nodes, CLIENT)}
    public = {name: key.decode() for name, (key, _) in pairs.items()}
    return {name: KeyRing(name, secret.decode(), public) for name, (_, secret) in pairs.items()}


_held: dict[str, KeyRing] = {}
"""This process's own: one, but for tests that play a whole rig in one process."""


def hold(ring: KeyRing) -> None:
    """This process is that node from now on."""
    _held[ring.name] = ring


def let_go(name: str) -> None:
    """It is no longer."""
    _held.pop(name, None)


def held(node: str) -> KeyRing:
    """The ring with which this process may be `node`. Raises NoKey: nodes get theirs from the supervisor alone."""
    if node not in _held:
        raise NoKey(
            f"{node} has no key, so nobody would believe it: the supervisor gives it to the nodes that it starts. "
            "Next: `station up --rig R` starts them all"
        )
    return _held[node]


def ring_of(rig: str, own: str = "") -> KeyRing:
    """With which to listen and ask: as the node `own`; without a name this process's own, or the clients' of the rig's station.

    Raises NodeAbsent where no station runs.
    """
    if own:
        return held(own)
    for ring in _held.values():
        return ring
    return read_client(rig)


def newer(rig: str, ring: KeyRing) -> KeyRing:
    """The ring as it is by now: a node's is good for its life, the clients' until the station ends. Costs a look at a file."""
    if ring.name != CLIENT:
        return ring
    try:
        return read_client(rig)
    except (NodeAbsent, NoKey, Planted):
        return ring


@contextlib.contextmanager
def lent(rig: str, node: str, secret: str) -> Iterator[None]:
    """This process is a node of the rig for a while: a command that asks for every tick (`requests.LendKey`)."""
    hold(KeyRing(node, secret, read_client(rig).public))
    try:
        yield
    finally:
        let_go(node)


@contextlib.contextmanager
def handed_over(ring: KeyRing) -> Iterator[int]:
    """A pipe's end for a child that is started within (`pass_fds`, and its number as `--keys`): the ring waits in it."""
    reading, writing = os.pipe()
    try:
        try:
            os.write(writing, msgspec.msgpack.encode(ring))  # some kB: far less than a pipe holds
        finally:
            os.close(writing)
        yield reading
    finally:
        os.close(reading)


def received(fd: int | None, node: str) -> KeyRing:
    """The ring in the pipe that this process was started with; the pipe is closed. Raises NoKey."""
    if fd is None:
        raise NoKey(
            f"{node} was started without a key, so nobody on the bus would believe it. "
            "Next: let the supervisor start it (`station up --rig R`)"
        )
    try:
        with os.fdopen(fd, "rb") as pipe:
            ring = msgspec.msgpack.decode(pipe.read(LARGEST), type=KeyRing)
    except (OSError, msgspec.MsgspecError) as error:
        raise NoKey(f"{node} was handed no key in descriptor {fd}: {error}. Next: `station up --rig R`") from error
    if ring.name != node:
        raise NoKey(f"{node} was handed the key of {ring.name}. Next: `station up --rig R`")
    return ring


def client_file(rig: str) -> Path:
    """Where the clients' key is while the rig's station runs."""
    return runtime_folder(rig) / FILE


def write_client(rig: str, ring: KeyRing) -> None:
    """For the user's commands (0600). The supervisor's, at its start."""
    replace_own(client_file(rig), msgspec.json.encode(ring))


def read_client(rig: str) -> KeyRing:
    """The clients' ring. Raises NodeAbsent where no station runs, NoKey for a file that is not what the supervisor wrote."""
    path = client_file(rig)
    try:
        fd = open_own(path, os.O_RDONLY)
    except FileNotFoundError:
        raise NodeAbsent(f"no station runs for rig {rig}. Next: `station up --rig {rig}`") from None
    with os.fdopen(fd, "rb") as file:
        try:
            return msgspec.json.decode(file.read(LARGEST), type=KeyRing)
        except msgspec.MsgspecError as error:
            raise NoKey(f"{path} holds no keys: {error}. Next: remove it, and start the station again") from error


def forget_client(rig: str) -> None:
    """The station ends: nobody can attach any more."""
    client_file(rig).unlink(missing_ok=True)
