"""Bytes on the bus: `[topic, header, body, *payload]`. No pickle, nothing that runs.

Header and body are MessagePack by msgspec from the structs of `messages`, and the header names the body's struct, so that
a foreign one is refused even where it would decode; payload frames are raw bytes (a JPEG, a
depth picture). Requests are `[who, body]`, replies `[body]`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from station.borders.bounds import absurd, sane
from station.borders.decoding import Decoder
from station.bus.messages import SCHEMA, Header, Message
from station.bus.streams import STREAMS, split_topic
from station.errors import WireError

_encoder = msgspec.msgpack.Encoder()
_header: Decoder[Header] = Decoder("msgpack", Header)
_sane = {kind.name: sane(kind.body) for kind in STREAMS.values()}
_bodies: dict[str, Decoder[Message]] = {kind.name: Decoder("msgpack", kind.body) for kind in STREAMS.values()}


class Sample(NamedTuple):
    """One message as received."""

    kind: str
    node: str
    header: Header
    body: Message
    payload: tuple[bytes, ...]


def encode(topic: bytes, header: Header, body: Message, payload: Sequence[bytes] = ()) -> list[bytes]:
    """The frames of one message."""
    return [topic, _encoder.encode(header), _encoder.encode(body), *payload]


def decode(frames: Sequence[bytes]) -> Sample:
    """A message from its frames. Raises WireError, and nothing else, on anything that is not exactly one of ours."""
    if len(frames) < 3:
        raise WireError(f"a message has at least 3 frames, this one {len(frames)}")
    try:
        kind, node = split_topic(frames[0])
        header = _header.decode(frames[1])
        if header.schema != SCHEMA:
            raise WireError(f"{kind}/{node} speaks schema {header.schema}, this node {SCHEMA}: restart the station")
        expected = STREAMS[kind].body.__name__
        if header.body != expected:
            raise WireError(f"{kind}/{node} carries a body {header.body[:40]!r}, expected {expected}")
        body = _bodies[kind].decode(frames[2])
        if not _sane[kind](body):
            raise WireError(f"not a message of {node}'s: {absurd(body)}")
    except ValueError as error:
        raise WireError(f"not a message: {error}") from error
    return Sample(kind, node, header, body, tuple(frames[3:]))


def encode_struct(value: msgspec.Struct) -> bytes:
    """A request or a reply as bytes."""
    return _encoder.encode(value)
