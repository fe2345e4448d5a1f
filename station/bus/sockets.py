"""The bus's sockets: publish, subscribe (every message with losses counted, or the newest only), ask, answer.

None of these is thread-safe: a socket belongs to the thread that made it (ZeroMQ's rule).
"""

import itertools
import logging
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import msgspec
import zmq

from station.borders.decoding import Decoder, Undecodable
from station.bus import door, keys, rights, wire
from station.bus.endpoints import request_endpoint, stream_endpoint
from station.bus.keys import CLIENT
from station.bus.messages import SCHEMA, Header, Message
from station.bus.requests import Done, Refused, Reply, Who
from station.bus.requests.request import Request
from station.bus.requests.time_outs import time_out_ms
from station.bus.streams import may_publish, topic
from station.clock import NS_PER_MS, Clock
from station.errors import CheckDue, NodeAbsent, RequestRefused, StationError, WireError

HIGH_WATER = 5000
"""Messages a recorded stream may queue for a slow reader (10 s at 500/s) before losses begin; losses are counted."""

LONGEST_REQUEST, LONGEST_MESSAGE = 1 << 20, 64 << 20
"""Bytes of one frame; ZeroMQ disconnects who sends a longer one. A request carries a check's findings at most, a message a raw
picture (3840 × 2160 × 3 bytes are 24 MiB).
"""

RECONNECT_MS = 20, 50
"""How long to wait before a dead node's socket is tried again, the first time and at most. A new life is heard this soon."""

_NOW, _NOW_AND_MORE = int(zmq.DONTWAIT), int(zmq.DONTWAIT | zmq.SNDMORE)  # pyzmq's flags take a microsecond to combine

_log = logging.getLogger(__name__)
_reply: Decoder[Reply] = Decoder("msgpack", Reply)
_who: Decoder[Who] = Decoder("msgpack", Who)
R = TypeVar("R")


def _socket(kind: int) -> "zmq.Socket[bytes]":
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
    socket.linger = 0
    if kind == zmq.PUB:
        socket.sndhwm = HIGH_WATER
    elif kind == zmq.SUB:
        socket.rcvhwm, socket.maxmsgsize = HIGH_WATER, LONGEST_MESSAGE
    elif kind == zmq.ROUTER:
        socket.maxmsgsize = LONGEST_REQUEST
    socket.reconnect_ivl, socket.reconnect_ivl_max = RECONNECT_MS
    return socket


def _bound(kind: int, node: str, endpoint: str) -> "zmq.Socket[bytes]":
    """A socket of `node`'s own, which this process must be. Raises NoKey."""
    ring, socket = keys.held(node), _socket(kind)
    try:
        door.bind(socket, ring, endpoint)
    except BaseException:
        socket.close()
        raise
    return socket


def _send(socket: "zmq.Socket[bytes]", frames: Sequence[bytes], copy: bool) -> None:
    """`send_multipart` without its look at every frame: the arms' nodes send hundreds of messages a second."""
    for frame in frames[:-1]:
        socket.send(frame, _NOW_AND_MORE, copy=copy)
    socket.send(frames[-1], _NOW, copy=copy)


def _receive(socket: "zmq.Socket[bytes]") -> list[bytes]:
    """`recv_multipart`, but whether more comes is asked of the frame: the socket takes longer to say. Raises zmq.Again."""
    frame = socket.recv(_NOW, copy=False)
    frames = [frame.bytes]
    while frame.more:
        frame = socket.recv(_NOW, copy=False)
        frames.append(frame.bytes)
    return frames


class Publisher:
    """A node's one PUB socket. Every stream counts its own sequence from 0."""

    def __init__(self, rig: str, node: str, start_id: int, clock: Clock) -> None:
        self._node, self._start_id, self._clock = node, start_id, clock
        self._sequences: dict[str, int] = {}
        self._socket = _bound(zmq.PUB, node, stream_endpoint(rig, node))

    def publish(
        self, kind: str, body: Message, captured_at_ns: int | None = None, payload: Sequence[bytes] = (), node: str = ""
    ) -> int:
        """Send one message; returns its sequence. Never blocks. `node` names the stream when it is not the node itself.

        Raises ValueError for a stream that is not this node's to publish.
        """
        name = node or self._node
        raw_topic = topic(kind, name)
        if node and not may_publish(self._node, kind, node):
            raise ValueError(f"{self._node} may not publish {kind}/{node}")
        sequence = self._sequences.get(kind + name, 0)
        self._sequences[kind + name] = sequence + 1
        now_ns = self._clock()
        captured = now_ns if captured_at_ns is None else captured_at_ns
        header = Header(SCHEMA, self._start_id, sequence, captured, now_ns, type(body).__name__)
        _send(self._socket, wire.encode(raw_topic, header, body, payload), copy=not payload)
        return sequence

    def close(self) -> None:
        """Unbind."""
        door.unbind(self._socket)


class Subscriber:
    """A SUB socket over any number of streams. `lost` counts what sequence numbers show missing, per stream."""

    def __init__(self, rig: str, streams: Iterable[tuple[str, str]], publishers: Iterable[str] = ()) -> None:
        """`streams` are (kind, node): what to hear. `publishers`: whose sockets to listen at, where not the streams' own nodes."""
        wanted = list(streams)
        topics = [topic(kind, node) for kind, node in wanted]
        ring = keys.ring_of(rig)
        nodes = dict.fromkeys(publishers) or dict.fromkeys(node for _, node in wanted)
        # a station without that node (a headset's, on most rigs) has nobody to hear
        endpoints = {node: stream_endpoint(rig, node) for node in nodes if node in ring.public}
        self._last: dict[tuple[str, str], tuple[int, int]] = {}
        self.lost: dict[tuple[str, str], int] = {}
        self._socket = _socket(zmq.SUB)
        self._line = door.Line(self._socket, ring, lambda: keys.newer(rig, ring))
        for node, endpoint in endpoints.items():
            self._line.connect(node, endpoint)
        for raw in topics:
            self._socket.subscribe(raw)

    @property
    def socket(self) -> "zmq.Socket[bytes]":
        """For a poller."""
        return self._socket

    def receive(self, timeout_ms: int = 0) -> wire.Sample | None:
        """The next message, or None after `timeout_ms` of silence. A message that is none of ours is logged and passed over."""
        while True:
            if timeout_ms and not self._socket.poll(timeout_ms):
                self._line.mend()
                return None
            try:
                sample = wire.decode(_receive(self._socket))
            except zmq.Again:
                self._line.mend()
                return None
            except WireError as error:
                _log.warning("%s", error)
                continue
            self._count(sample)
            return sample

    def newest(self) -> dict[tuple[str, str], wire.Sample]:
        """Drain the socket: the newest message of each (kind, node) that has a new one. (CONFLATE cannot do multipart.)"""
        found: dict[tuple[str, str], wire.Sample] = {}
        while (sample := self.receive()) is not None:
            found[sample.kind, sample.node] = sample
        return found

    def _count(self, sample: wire.Sample) -> None:
        key = (sample.kind, sample.node)
        last = self._last.get(key)
        header = sample.header
        if last is not None and last[0] == header.start_id and header.sequence > last[1] + 1:
            self.lost[key] = self.lost.get(key, 0) + header.sequence - last[1] - 1
        self._last[key] = (header.start_id, header.sequence)

    def close(self) -> None:
        """Disconnect."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class RequestServer(Generic[R]):
    """A node's ROUTER socket for requests of one tagged union."""

    def __init__(self, rig: str, node: str, requests: Any) -> None:
        self._node = node
        self._decoder: Decoder[R] = Decoder("msgpack", requests)
        self._socket = _bound(zmq.ROUTER, node, request_endpoint(rig, node))

    @property
    def socket(self) -> "zmq.Socket[bytes]":
        """For a poller."""
        return self._socket

    def receive(self, timeout_ms: int = 0) -> tuple[R, Callable[[Reply], None], Who] | None:
        """The next request of somebody who may ask for it (`station.bus.rights`), the function that answers it (call it exactly
        once), and who asks; or None.
        """
        if timeout_ms and not self._socket.poll(timeout_ms):
            return None
        while True:
            try:
                *frames, last = self._socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return None
            sender, raw = str(last.get("User-Id")), last.bytes
            # address and number come back with the answer; what is shorter or longer is nobody's of ours
            route, said = [frame.bytes for frame in frames[:2]], b"".join(frame.bytes for frame in frames[2:])

            def answer(reply: Reply, route: Sequence[bytes] = tuple(route)) -> None:
                self._socket.send_multipart([*route, wire.encode_struct(reply)], zmq.DONTWAIT)

            try:
                request, who = self._decoder.decode(raw), _who.decode(said)
            except Undecodable as error:
                answer(Refused(f"not a request this node takes: {error}"))
                continue
            if why := rights.refusal(sender, self._node, request):
                _log.warning("%s", why)
                answer(Refused(why))
                continue
            return request, answer, who

    def serve(self, handle: Callable[[R], Reply], timeout_ms: int = 0) -> int:
        """Answer every waiting request with `handle`; a StationError it raises becomes Refused. Returns how many."""
        count = 0
        while (got := self.receive(timeout_ms if count == 0 else 0)) is not None:
            request, answer, _ = got
            try:
                answer(handle(request))
            except StationError as error:
                answer(Refused(str(error)))
            count += 1
        return count

    def close(self) -> None:
        """Unbind."""
        door.unbind(self._socket)


class RequestClient:
    """A DEALER socket to one node. One request at a time; a late answer to an earlier one is dropped by its number."""

    def __init__(self, rig: str, node: str, own: str = "", who: Who | None = None) -> None:
        """`own`: the node that asks, where it is one of the station's; else the sender is a client. `who`: what it calls itself."""
        self._node = node
        self._who = who or Who(own or CLIENT)
        self._numbers = itertools.count()
        ring, endpoint = keys.ring_of(rig, own), request_endpoint(rig, node)
        ring.key_of(node)
        self._socket = _socket(zmq.DEALER)
        self._line = door.Line(self._socket, ring, lambda: keys.newer(rig, ring))
        self._line.connect(node, endpoint)

    @property
    def socket(self) -> "zmq.Socket[bytes]":
        """For a poller."""
        return self._socket

    def send(self, request: Request, seen: int = 0, who: Who | None = None) -> bytes:
        """Send without waiting; `replies` brings the answer with the number returned. `seen`: the sequence of the session's state that
        led to it. `who` asks, where that is not always the same.
        """
        self._line.mend()
        number = next(self._numbers).to_bytes(4)
        who = msgspec.structs.replace(who or self._who, seen=seen)
        self._socket.send_multipart([number, wire.encode_struct(who), wire.encode_struct(request)])
        return number

    def replies(self, timeout_ms: int = 0) -> list[tuple[bytes, Reply]]:
        """The answers that are there, by the number `send` gave."""
        found: list[tuple[bytes, Reply]] = []
        while self._socket.poll(timeout_ms if not found else 0):
            number, *frames = self._socket.recv_multipart()
            found.append((number, _reply_of(self._node, frames)))
        return found

    def poll_reply(self, number: bytes, timeout_ms: int = 0) -> Reply | None:
        """The answer to `number` if it comes in time; answers to earlier requests are dropped."""
        while found := dict(self.replies(timeout_ms)):
            if number in found:
                return found[number]
        return None

    def ask(self, request: Request, timeout_ms: int | None = None) -> Done:
        """Send and wait, as long as the table of time-outs says unless it is said here.

        Raises RequestRefused with the node's reason (CheckDue where that wants a check first), NodeAbsent when nobody answers in time.
        """
        return self.answer_to(self.send(request), request, timeout_ms)

    def answer_to(self, number: bytes, request: Request, timeout_ms: int | None = None) -> Done:
        """Wait for the answer to what was sent with that number. Waits and raises as `ask` does."""
        timeout_ms = time_out_ms(request) if timeout_ms is None else timeout_ms
        reply = self.poll_reply(number, timeout_ms)
        if reply is None:
            raise NodeAbsent(
                f"{self._node} did not answer {type(request).__name__} within {timeout_ms / 1000:g} s. "
                "Next: `station status` says whether it runs"
            )
        if isinstance(reply, Refused):
            raise CheckDue(reply.why) if reply.needs == "check" else RequestRefused(reply.why)
        return reply

    def close(self) -> None:
        """Disconnect."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reply_of(node: str, frames: Sequence[bytes]) -> Reply:
    """What a node answered; an answer that is none is a refusal, so that nobody waits for another."""
    try:
        (raw,) = frames
        return _reply.decode(raw)
    except ValueError as error:
        return Refused(f"{node} answered what is no answer ({error}). Next: restart the station")


def milliseconds_until(deadline_ns: int, now_ns: int) -> int:
    """A poll's time-out that never overshoots the deadline by rounding up."""
    return max(0, (deadline_ns - now_ns) // NS_PER_MS)
