"""Values made from the types of structs: what could be, what is at the edge, what cannot be; and bytes that were hit."""

import math
import random
from collections.abc import Callable
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from station.borders.bounds import LARGEST_NUMBER, LARGEST_WHOLE

PLAIN, EDGE, ABSURD, BROKEN = "plain", "edge", "absurd", "broken"
MODES = (PLAIN, PLAIN, EDGE, EDGE, ABSURD, BROKEN)
"""Of six values three could be or nearly, one has numbers that cannot be, one is bytes that were hit."""
_HOSTILE = (
    "", "x", "../..", "/", "~nosuchuser", "\x00", "\x1b]0;owned\x07", "[/]", "eve[/red]", "\u202egnp", "é" * 300, "x" * 30_000, "a\nb",
    "pilot", "rig", "none", "%s%n", "{0}", "1" * 400, "nan", " ", ".", "..", "con", "\ud7ff", "🤖",
)  # fmt: skip
_DATES = ("2026-02-28T09:30:00+01:00", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999-12:00")
_NUMBERS = {
    PLAIN: (0.0, 0.1, -0.5, 1.0, 2.0, 0.02, 30.0),
    EDGE: (-0.0, 5e-324, -1e-9, 86_400.0, 1e6, LARGEST_NUMBER, -LARGEST_NUMBER, 3.2, -40.0),
    ABSURD: (math.nan, math.inf, -math.inf, 1e300, -1e300, 2 * LARGEST_NUMBER),
}
_WHOLES = {
    PLAIN: (0, 1, 2, 7, 50),
    EDGE: (-1, 2**31, 2**53, -(2**31), LARGEST_WHOLE, -LARGEST_WHOLE, 65_535, 10_000_000),
    ABSURD: (2**63, 2**64 - 1, -(2**63), 2**62),
}
_LENGTHS = (0, 1, 2, 7, 7, 7, 14, 14, 20)
_DEEP = (b"\x91" * 1500, b"\x81\xa1q" * 1500, b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc1", b"")
_encoder = msgspec.msgpack.Encoder()


class Maker:
    """Makes values of a type. `names`: strings that mean something on this rig; `folder`: where paths may point."""

    def __init__(self, chance: random.Random, names: tuple[str, ...], folder: Path) -> None:
        self.chance, self._names, self._folder = chance, names, folder
        self.now_ns = 0
        """Stamps are around it, most of them."""

    def value(self, kind: Any, mode: str, field: str = "") -> Any:
        """One value."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.value(arguments[0], mode, field)
        if origin in (Union, UnionType):
            return self.value(self.chance.choice(arguments), mode, field)
        if origin is Literal:
            return self.chance.choice(arguments)
        if origin is tuple:
            return self._tuple(arguments, mode, field)
        if origin is dict:
            return {self._text(""): self.value(arguments[1], mode, field) for _ in range(self.chance.randrange(3))}
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.struct(kind, mode)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self.chance.choice(tuple(kind))
        return self._leaf(kind, mode, field)

    def struct(self, kind: type[msgspec.Struct], mode: str) -> msgspec.Struct | None:
        """A struct, unchecked as msgspec makes it; None of one that checks itself and would not be."""
        fields = {name: self.value(of, mode, name) for name, of in _hints(kind).items()}
        try:
            return kind(**fields)
        except (TypeError, ValueError):
            return None

    def _leaf(self, kind: Any, mode: str, field: str) -> Any:
        makers: dict[Any, Callable[[], Any]] = {
            NoneType: lambda: None,
            bool: lambda: self.chance.random() < 0.5,
            float: lambda: self._pick(_NUMBERS, mode),
            int: lambda: self._whole(mode, field),
            str: lambda: self._text(field),
            bytes: lambda: self.chance.randbytes(self.chance.randrange(40)),
        }
        return makers[kind]()

    def _pick(self, table: dict[str, tuple[Any, ...]], mode: str) -> Any:
        if mode == ABSURD and self.chance.random() < 0.7:
            mode = PLAIN  # one absurd number is enough
        return self.chance.choice(table[mode if mode in table else PLAIN])

    def _whole(self, mode: str, field: str) -> int:
        if field.endswith("_ns") and mode != ABSURD and self.chance.random() < 0.9:
            return self.now_ns + self.chance.choice((0, 0, -1, 1_000_000, -50_000_000, 20_000_000, 10**9, -(10**10)))
        return int(self._pick(_WHOLES, mode))

    def _text(self, field: str) -> str:
        if field in ("path", "folder", "data"):
            return str(
                self._folder / self.chance.choice(("a", "b/c", "x" * 300, "d\x00e", "none/such", "a/.", "\x1b[2J"))
            )
        if field == "date" and self.chance.random() < 0.7:
            return self.chance.choice(_DATES)
        return self.chance.choice(self._names if self.chance.random() < 0.7 else _HOSTILE)

    def _tuple(self, kinds: tuple[Any, ...], mode: str, field: str) -> tuple[Any, ...]:
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            kinds = (kinds[0],) * self.chance.choice(_LENGTHS)
        values = tuple(self.value(kind, mode, field) for kind in kinds)
        if mode == EDGE and all(kind is float for kind in kinds):  # at the edge of what they may be together
            return tuple(value / len(values) for value in values)
        return values

    def bytes_of(self, value: Any, mode: str) -> bytes:
        """As MessagePack, hit somewhere or replaced where it is to be broken."""
        try:
            raw = _encoder.encode(value)
        except (OverflowError, UnicodeEncodeError):  # a number or a text that MessagePack itself has not
            raw = b"\xcb\x7f\xf0"
        return self.hit(raw) if mode == BROKEN else raw

    def hit(self, raw: bytes) -> bytes:
        """Bytes flipped, cut, repeated, or something else altogether."""
        if not raw or self.chance.random() < 0.15:
            return self.chance.choice(_DEEP)
        broken = bytearray(raw)
        for _ in range(self.chance.randrange(1, 4)):
            at = self.chance.randrange(len(broken))
            broken[at] ^= self.chance.randrange(1, 256)
        if self.chance.random() < 0.3:
            broken = broken[: self.chance.randrange(len(broken))]
        if self.chance.random() < 0.2:
            broken = broken * 2
        return bytes(broken)


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in kind.__struct_fields__}
