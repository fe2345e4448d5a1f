"""The library's checksum is the SDK's."""

from dynamixel_sdk.protocol2_packet_handler import Protocol2PacketHandler
from hypothesis import given
from hypothesis import strategies as st

from drivers.dynamixel.packets import Packets
from drivers.sim.servos.packets import crc


@given(st.binary(max_size=300), st.integers(0, 0xFFFF), st.integers(0, 4))
def test_the_same_sum_of_any_bytes(data: bytes, so_far: int, left_out: int) -> None:
    size = max(0, len(data) - left_out)
    assert Packets().updateCRC(so_far, list(data), size) == Protocol2PacketHandler().updateCRC(so_far, data, size)


@given(st.binary(min_size=1, max_size=300))
def test_the_servos_side_sums_alike(data: bytes) -> None:
    assert crc(data) == Protocol2PacketHandler().updateCRC(0, data, len(data))
