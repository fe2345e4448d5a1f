import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus import wire
from station.bus.messages import SCHEMA, ArmState, Header, Vector
from station.bus.streams import STREAMS, split_topic, topic
from station.errors import WireError

HEADER = Header(SCHEMA, 0x123456789ABC, 42, 1_000_000_007, 1_000_000_009)
GOLDEN = [
    b"vector/probe/",
    bytes.fromhex("9501cf0000123456789abc2ace3b9aca07ce3b9aca09"),
    bytes.fromhex("81a676616c75657392cb3ff8000000000000cbc000000000000000"),
    b"payload",
]


def test_golden_bytes() -> None:
    assert wire.encode(topic("vector", "probe"), HEADER, Vector((1.5, -2.0)), [b"payload"]) == GOLDEN
    assert wire.decode(GOLDEN) == wire.Sample("vector", "probe", HEADER, Vector((1.5, -2.0)), (b"payload",))


@given(
    st.lists(st.floats(allow_nan=False), max_size=9),
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(max_size=50), max_size=3),
)
def test_round_trip(values: list[float], sequence: int, payload: list[bytes]) -> None:
    header = Header(SCHEMA, 1, sequence, -5, 5)
    body = ArmState(tuple(values), (), (), None, None, True)
    sample = wire.decode(wire.encode(topic("arm_state", "leader_left"), header, body, payload))
    assert sample == wire.Sample("arm_state", "leader_left", header, body, tuple(payload))


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_a_strangers_bytes_are_refused_never_a_crash(frames: list[bytes]) -> None:
    with pytest.raises(WireError):
        wire.decode(frames)


@given(st.integers(0, 3), st.integers(0, 60), st.integers(1, 255))
def test_flipped_bits_never_crash(frame: int, at: int, flip: int) -> None:
    broken = [bytearray(part) for part in GOLDEN]
    broken[frame][at % len(broken[frame])] ^= flip
    with contextlib.suppress(WireError):
        wire.decode([bytes(part) for part in broken])


def test_another_schema_says_restart() -> None:
    other = wire.encode(topic("vector", "probe"), Header(SCHEMA + 1, 1, 0, 0, 0), Vector(()))
    with pytest.raises(WireError, match="restart the station"):
        wire.decode(other)


def test_unknown_fields_are_refused() -> None:
    frames = [b"vector/probe/", GOLDEN[1], b"\x82\xa6values\x90\xa5extra\x01"]
    with pytest.raises(WireError):
        wire.decode(frames)


def test_topics() -> None:
    for kind in STREAMS:
        assert split_topic(topic(kind, "cam_1")) == (kind, "cam_1")
    assert not topic("frame", "cam_12").startswith(topic("frame", "cam_1"))
    with pytest.raises(KeyError):
        topic("nonsense", "x")
