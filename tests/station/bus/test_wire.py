import contextlib
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.borders.bounds import LARGEST_NUMBER, LARGEST_WHOLE
from station.bus import wire
from station.bus.messages import SCHEMA, ArmState, Description, Header, Health, StreamDescription, Vector
from station.bus.streams import STREAMS, split_topic, topic
from station.errors import WireError

HEADER = Header(SCHEMA, 0x123456789ABC, 42, 1_000_000_007, 1_000_000_009, "Vector")
GOLDEN = [
    b"vector/probe/",
    bytes.fromhex("9604cf0000123456789abc2ace3b9aca07ce3b9aca09a6566563746f72"),
    bytes.fromhex("81a676616c75657392cb3ff8000000000000cbc000000000000000"),
    b"payload",
]


def test_golden_bytes() -> None:
    assert wire.encode(topic("vector", "probe"), HEADER, Vector((1.5, -2.0)), [b"payload"]) == GOLDEN
    assert wire.decode(GOLDEN) == wire.Sample("vector", "probe", HEADER, Vector((1.5, -2.0)), (b"payload",))


@pytest.mark.slow
@given(
    st.lists(st.floats(-1e11, 1e11), max_size=9),
    st.integers(0, 2**53),
    st.lists(st.binary(max_size=50), max_size=3),
)
def test_round_trip(values: list[float], sequence: int, payload: list[bytes]) -> None:
    header = Header(SCHEMA, 1, sequence, -5, 5, "ArmState")
    body = ArmState(tuple(values), (), (), None, None, True)
    sample = wire.decode(wire.encode(topic("arm_state", "leader_left"), header, body, payload))
    assert sample == wire.Sample("arm_state", "leader_left", header, body, tuple(payload))


@pytest.mark.slow
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_a_strangers_bytes_are_refused_never_a_crash(frames: list[bytes]) -> None:
    with pytest.raises(WireError):
        wire.decode(frames)


@pytest.mark.slow
@given(st.integers(0, 3), st.integers(0, 60), st.integers(1, 255))
def test_flipped_bits_never_crash(frame: int, at: int, flip: int) -> None:
    broken = [bytearray(part) for part in GOLDEN]
    broken[frame][at % len(broken[frame])] ^= flip
    with contextlib.suppress(WireError):
        wire.decode([bytes(part) for part in broken])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, 2 * LARGEST_NUMBER])
def test_a_number_that_cannot_be_is_refused_wherever_it_stands(value: float) -> None:
    bodies = {
        "arm_state": ArmState((0.0, value), (), (), None, None, True),
        "vector": Vector((value,)),
        "health": Health("probe", "ok", "", readings={"temperature_c": value}),
        "description": Description("m", "s", "f", (StreamDescription("vector", value),)),
    }
    for kind, body in bodies.items():
        with pytest.raises(WireError, match=r"is not a number|which cannot be"):
            wire.decode(
                wire.encode(topic(kind, "probe"), msgspec.structs.replace(HEADER, body=type(body).__name__), body)
            )


@pytest.mark.parametrize("stamp", [2 * LARGEST_WHOLE, -2 * LARGEST_WHOLE, 2**64 - 1])
def test_a_stamp_that_fits_no_int64_is_refused(stamp: int) -> None:
    with pytest.raises(WireError):
        wire.decode(wire.encode(topic("vector", "probe"), Header(SCHEMA, 1, 0, stamp, 0, "Vector"), Vector(())))


@pytest.mark.parametrize("where", [1, 2])
@pytest.mark.parametrize("nested", [b"\x91" * 1200, b"\x81\xa1q" * 1200, b"\x91" * 100_000])
def test_nested_messagepack_is_refused_never_a_crash(where: int, nested: bytes) -> None:
    frames = [*GOLDEN]
    frames[where] = b"\x81\xa6values" + nested if where == 2 else b"\x95" + nested
    with pytest.raises(WireError, match="not a message"):
        wire.decode(frames)


def test_a_topic_is_short_and_names_a_node() -> None:
    for raw in (
        b"vector//",
        b"vector/probe",
        b"vector/probe/x",
        b"/probe/",
        b"vector/" + b"p" * 200 + b"/",
        b"\xff/x/",
    ):
        with pytest.raises(ValueError, match="not a topic"):
            split_topic(raw)


def test_another_schema_says_restart() -> None:
    other = wire.encode(topic("vector", "probe"), Header(SCHEMA + 1, 1, 0, 0, 0, "Vector"), Vector(()))
    with pytest.raises(WireError, match="restart the station"):
        wire.decode(other)


def test_unknown_fields_are_refused() -> None:
    frames = [b"vector/probe/", GOLDEN[1], b"\x82\xa6values\x90\xa5extra\x01"]
    with pytest.raises(WireError):
        wire.decode(frames)


def test_fields_that_were_renamed_are_written_as_before() -> None:
    """Journals hold them by these names."""
    state = ArmState((0.5,), (0.0,), (1.0,), 0.25, -0.125, True)
    written = msgspec.msgpack.decode(msgspec.msgpack.encode(state))
    assert (written["opening"], written["opening_velocity"]) == (0.25, -0.125)
    assert not {"aperture", "aperture_velocity"} & set(written)


def test_topics() -> None:
    for kind in STREAMS:
        assert split_topic(topic(kind, "cam_1")) == (kind, "cam_1")
    assert not topic("frame", "cam_12").startswith(topic("frame", "cam_1"))
    with pytest.raises(KeyError):
        topic("nonsense", "x")
