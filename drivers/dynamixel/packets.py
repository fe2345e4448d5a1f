"""The SDK's packets, with the checksum from a compiled library: the SDK's is a loop over every byte."""

from collections.abc import Sequence

from dynamixel_sdk.protocol2_packet_handler import Protocol2PacketHandler
from fastcrc.crc16 import umts


class Packets(Protocol2PacketHandler):  # type: ignore[misc]
    """Protocol 2.0; names are the SDK's."""

    def updateCRC(self, crc_accum: int, data_blk_ptr: Sequence[int], data_blk_size: int) -> int:  # noqa: N802
        """CRC-16 with polynomial 0x8005, neither reflected nor inverted (ROBOTIS e-manual, "CRC Calculation")."""
        return umts(bytes(data_blk_ptr[:data_blk_size]), crc_accum)
