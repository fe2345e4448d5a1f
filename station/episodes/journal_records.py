"""Where records lie in a journal's file: whole ones, one that breaks off, the next whole chunk behind a damage."""

import os
import re
import struct
import zlib

from mcap.opcode import Opcode

from station.episodes.journal import CHUNK, CHUNK_OPCODE, LARGEST_CHUNK

RECORD = struct.Struct("<BQ")
"""Opcode, length."""
_CHUNK_HEAD = re.compile(rb"\x06.{3}[\0-\x10]\0{4}.{16}.{3}[\0-\x10]\0{4}.{4}\0{4}.{3}[\0-\x10]\0{4}", re.DOTALL)
"""How every chunk of ours begins: three lengths below 2²⁸ and no compression; told from others by its checksum."""
_OTHERS = (bytes([Opcode.HEADER]), bytes([Opcode.METADATA]))
_WINDOW = 4 << 20


class Damage(Exception):
    """Bytes that do not add up."""


class Torn(Exception):
    """The file ends inside a record, or where one should begin."""

    def __init__(self, detail: str, offset: int) -> None:
        super().__init__(detail)
        self.offset = offset


def whole_record(fd: int, offset: int) -> tuple[int, int]:
    """Opcode and length (bytes, its head left out) of the record at `offset`, all of which is there: MCAP's "Records".

    Raises Torn where the file breaks off in it, Damage for a length that no record has.
    """
    size = os.fstat(fd).st_size
    if offset == size:
        raise Torn("the file breaks off", offset)
    if offset + RECORD.size > size:
        raise Torn("the last record lacks its length", offset)
    opcode, length = RECORD.unpack(os.pread(fd, RECORD.size, offset))
    if opcode == 0:  # a power cut leaves zeros where data had been announced
        raise Torn("the tail was never written", offset)
    if length > LARGEST_CHUNK:
        raise Damage(f"a record of {length} bytes")
    if offset + RECORD.size + length > size:
        raise Torn(f"the last record lacks {offset + RECORD.size + length - size} bytes", offset)
    return opcode, length


def begins_a_record(head: bytes) -> bool:
    """Can these bytes be the beginning of a record that was being written?"""
    if head[:1] in _OTHERS:
        return True
    return head[:1] == bytes([CHUNK_OPCODE]) and (len(head) < CHUNK.size or _agrees(head))


def _agrees(head: bytes) -> bool:
    """A chunk's three lengths must tell the same."""
    _, length, *_, size, _, compressed, again = CHUNK.unpack(head)
    return bool(size == again == length - CHUNK.size + RECORD.size and not compressed)


def next_chunk(fd: int, offset: int) -> int | None:
    """Where the next whole chunk with the right checksum is, from `offset` on."""
    while window := os.pread(fd, _WINDOW, offset):
        found = _CHUNK_HEAD.search(window)
        while found is not None:
            at = offset + found.start()
            if _is_whole(fd, at, found.group()):
                return at
            found = _CHUNK_HEAD.search(window, found.start() + 1)
        offset += max(1, len(window) - CHUNK.size + 1)
    return None


def written(fd: int, offset: int) -> int:
    """Bytes from `offset` to the last one that is not zero."""
    last, start = offset, offset
    while window := os.pread(fd, _WINDOW, start):
        length = len(window.rstrip(b"\0"))
        last = start + length if length else last
        start += len(window)
    return last - offset


def _is_whole(fd: int, at: int, head: bytes) -> bool:
    if not _agrees(head):
        return False
    *_, size, crc, _, _ = CHUNK.unpack(head)
    content = os.pread(fd, size, at + CHUNK.size)
    return bool(len(content) == size and zlib.crc32(content) == crc)
