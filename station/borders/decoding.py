"""The border: bytes from outside become a typed struct here, or one `Undecodable`. No other exception leaves, whatever the bytes.

A kilobyte of nested arrays is a RecursionError in msgspec, a number of 5,000 digits a ValueError, a lone surrogate a UnicodeError: who
reads a socket or a file must not have to know that list.
"""

from typing import Any, Generic, Literal, TypeVar

import msgspec

from station.terminal.shown import shown

T = TypeVar("T")
_LONGEST_REASON = 300
"""A stranger's field names are quoted in msgspec's sentences; a megabyte of them helps nobody."""


class Undecodable(ValueError):
    """It is not what it should be; the text says where and why, in one line."""


class Decoder(Generic[T]):
    """Of one struct, or a union of tagged ones, from MessagePack or JSON."""

    def __init__(self, form: Literal["msgpack", "json"], kind: Any) -> None:
        make = msgspec.msgpack.Decoder if form == "msgpack" else msgspec.json.Decoder
        self._decode = make(kind).decode

    def decode(self, data: bytes | bytearray | memoryview | str) -> T:
        """The struct, its numbers within their bounds. Raises Undecodable."""
        try:
            decoded: T = self._decode(data)  # type: ignore[arg-type]  # JSON may be text
        except Exception as error:
            raise Undecodable(reason(error)) from None
        return decoded


def reason(error: Exception) -> str:
    """What was wrong, in one bounded line."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    text = shown(" ".join(str(error).split())) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else text[:_LONGEST_REASON] + " …"
