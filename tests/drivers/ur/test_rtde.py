"""RTDE's packets as our reader takes them apart, and what is no RTDE."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ur.rtde import NEEDED, WELCOME, Packets, Recipe
from station.devices.networked.reader import Broken

NAMES = (*NEEDED, *WELCOME)
TYPES = {
    "timestamp": "DOUBLE", "actual_q": "VECTOR6D", "actual_qd": "VECTOR6D", "actual_current": "VECTOR6D", "robot_mode": "INT32",
    "safety_mode": "INT32", "robot_status_bits": "UINT32", "safety_status_bits": "UINT32", "runtime_state": "UINT32",
    "target_q": "VECTOR6D", "speed_scaling": "DOUBLE", "target_speed_fraction": "DOUBLE", "payload": "DOUBLE",
    "joint_temperatures": "VECTOR6D",
}  # fmt: skip
NUMBERS = struct.Struct(">Bd6d6d6diiIII6dddd6d")


def recipe(names: tuple[str, ...] = NAMES) -> Recipe:
    return Recipe(names, b"\x01" + ",".join(TYPES[name] for name in names).encode())


def outputs(clock_s: float = 12.5, first: float = 0.1) -> bytes:
    q = (first, 0.2, 0.3, 0.4, 0.5, 0.6)
    return NUMBERS.pack(1, clock_s, *q, *q, *q, 7, 1, 3, 1, 2, *q, 1.0, 0.5, 1.2, *(31.0,) * 6)


def test_a_reading_is_what_was_sent() -> None:
    state = recipe().state(outputs(), 99)
    assert (state.arrived_ns, state.clock_s, state.position_rad[0], state.robot_mode) == (99, 12.5, 0.1, 7)
    assert (state.safety_mode, state.robot_bits, state.runtime_state, state.slider) == (1, 3, 2, 0.5)
    assert state.temperature_c == (31.0,) * 6


def test_what_a_controller_lacks_is_named_and_done_without() -> None:
    kinds = ["NOT_FOUND" if name == "payload" else TYPES[name] for name in NAMES]
    assert Recipe(NAMES, b"\x01" + ",".join(kinds).encode()).missing == ("payload",)
    state = recipe(NEEDED).state(struct.pack(">Bd6d6d6diiIII", 1, 1.0, *(0.1,) * 18, 7, 1, 1, 1, 1), 0)
    assert state.target_rad == state.position_rad
    assert (state.slider, state.payload_kg, state.temperature_c) == (1.0, 0.0, ())


@pytest.mark.parametrize(
    "spoilt", [outputs()[:-1], outputs() + b"\0", b"", outputs(first=math.nan), outputs(clock_s=math.inf)]
)
def test_what_is_no_reading_is_none(spoilt: bytes) -> None:
    with pytest.raises(Broken):
        recipe().state(spoilt, 0)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=8), st.randoms())
def test_packets_come_out_as_they_went_in_however_they_were_cut(sent: list[tuple[int, bytes]], random: object) -> None:
    stream = b"".join(struct.pack(">HB", 3 + len(body), kind) + body for kind, body in sent)
    packets, got, at = Packets(), [], 0
    while at < len(stream):
        size = random.randint(1, 7)  # type: ignore[attr-defined]
        got += list(packets.take(stream[at : at + size]))
        at += size
    assert got == sent


def test_a_packet_of_no_size_is_told() -> None:
    with pytest.raises(Broken, match="2 bytes"):
        list(Packets().take(b"\x00\x02V"))
