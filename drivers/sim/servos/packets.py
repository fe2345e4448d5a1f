"""Dynamixel Protocol 2.0 as the servo's side sees it: instruction packets in, status packets out.

Constants are the SDK's; framing and byte stuffing are written here a second time, so that emulator and
driver check each other. Source: ROBOTIS e-manual, "Protocol 2.0".
"""

from collections.abc import Iterator
from typing import NamedTuple

from dynamixel_sdk.robotis_def import BROADCAST_ID, INST_STATUS
from fastcrc.crc16 import umts

HEADER = b"\xff\xff\xfd"
BROADCAST = int(BROADCAST_ID)
_LONGEST = 1024


class Instruction(NamedTuple):
    """One instruction packet that a host sent."""

    servo_id: int
    code: int
    parameters: bytes
    wire_bytes: int
    """How long it was on the wire, stuffing included."""


def crc(data: bytes) -> int:
    """CRC-16 (polynomial 0x8005) over everything before it."""
    return umts(data)


def packet(servo_id: int, body: bytes) -> bytes:
    """Frame, stuff and close a packet; `body` is instruction (and error) with what follows."""
    stuffed = body.replace(HEADER, HEADER + b"\xfd")
    framed = HEADER + bytes((0, servo_id)) + (len(stuffed) + 2).to_bytes(2, "little") + stuffed
    return framed + crc(framed).to_bytes(2, "little")


def status(servo_id: int, error: int, data: bytes = b"") -> bytes:
    """A status packet."""
    return packet(servo_id, bytes((INST_STATUS, error)) + data)


def fast_status(answers: list[tuple[int, int, bytes]]) -> bytes:
    """The one packet that answers a Fast Sync Read: (id, error, data) of each servo, each with the CRC so far."""
    body = bytes((INST_STATUS,))
    for place, (servo_id, error, data) in enumerate(answers):
        body += bytes((error, servo_id)) + data
        if place < len(answers) - 1:
            so_far = HEADER + bytes((0, BROADCAST)) + b"\0\0" + body
            body += crc(so_far).to_bytes(2, "little")
    return packet(BROADCAST, body)


def take(inbox: bytearray) -> Iterator[Instruction]:
    """Whole instruction packets at the front of `inbox`, removed from it; noise and bad CRCs are dropped unanswered."""
    while True:
        start = inbox.find(HEADER)
        if start < 0:
            del inbox[: max(0, len(inbox) - 2)]
            return
        del inbox[:start]
        if len(inbox) < 10:
            return
        length = int.from_bytes(inbox[5:7], "little")
        if not 3 <= length <= _LONGEST:
            del inbox[:3]
            continue
        if len(inbox) < 7 + length:
            return
        whole = bytes(inbox[: 7 + length])
        if crc(whole[:-2]) != int.from_bytes(whole[-2:], "little"):
            del inbox[:3]
            continue
        del inbox[: 7 + length]
        body = whole[7:-2].replace(HEADER + b"\xfd", HEADER)
        yield Instruction(whole[4], body[0], body[1:], len(whole))
