"""How large a number may be that comes from outside: the bus, a request, a file somebody wrote.

The bounds are wide: they say what cannot be, not what a rig should do. Behind them nobody meets a number that overflows an int64, a
float32 or a wait, nor NaN, which no bound admits. Requests have them in their types, so that msgspec refuses the rest; messages, which old
journals hold as they were, are looked at by `sane` when they come off the bus.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

LARGEST_NUMBER = 1e12
"""No angle, length, current, rate or count of bytes a second here is larger; its square still fits a float32."""
LARGEST_WHOLE = 2**61
"""As nanoseconds: 73 years of uptime, or wall time until 2043; the difference of two such stamps still fits an int64."""
LONGEST_S = 86_400.0
"""An episode, or the time between two, lasts no longer than a day."""
LONGEST_TEXT = 20_000
"""Characters of an instruction or a note."""

Seconds = Annotated[float, Meta(ge=0, le=LONGEST_S)]
Number = Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Whole = Annotated[int, Meta(ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
"""Any whole number, stamps in ns among them."""
Count = Annotated[int, Meta(ge=0, le=2**53)]
"""What is counted, and numbers of episodes, ticks and messages: exact as a float64, and sums of some still a `Whole`."""
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
"""What people or other nodes say."""
Name = Annotated[str, Meta(max_length=200)]
"""Of a node, a joint, an operator, a task."""
PathText = Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00]*\Z")]
"""A path as the kernel takes it: no NUL."""

Sane = Callable[[Any], bool]


@cache
def sane(kind: Any) -> Sane:
    """Are all numbers in a value of this type (a struct, or what fields are) within their bounds? Made once, asked every message."""
    return _check(kind) or (lambda _: True)


def absurd(value: Any) -> str:
    """Which number of a struct, or which numbers together, are out of bounds, for people; "" if all are within."""
    where, what = next(_absurd(msgspec.to_builtins(value), ""), ("", ""))
    return f"{where} is {what}" if what else ""


def absurdities(value: Any) -> list[tuple[str, str]]:
    """Every number in maps and lists that is out of bounds: the key it stands at, and what is wrong with it."""
    return list(_absurd(value, ""))


def _whole(value: int) -> bool:
    return -LARGEST_WHOLE <= value <= LARGEST_WHOLE


def _number(value: float) -> bool:
    return -LARGEST_NUMBER <= value <= LARGEST_NUMBER


def _numbers(values: tuple[float, ...]) -> bool:
    return sum(map(abs, values)) <= LARGEST_NUMBER  # NaN and infinity spoil the sum; five times as fast as one by one


def _check(kind: Any) -> Sane | None:
    """None: there is no number in it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in (int, float):
        return _whole if kind is int else _number
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _check_struct(kind)
    if origin is Annotated:
        return _check(arguments[0])
    if origin in (Union, UnionType):
        return _check_optional(arguments)
    if origin is dict:
        values = _check(arguments[1])
        return values and (lambda mapping: all(map(values, mapping.values())))
    if origin is tuple:
        return _check_tuple(arguments)
    return None


def _check_optional(kinds: tuple[Any, ...]) -> Sane | None:
    """Of `X | None`; messages have no other unions."""
    inner = next((check for check in map(_check, kinds) if check is not None), None)
    return inner and (lambda value: value is None or inner(value))


def _check_tuple(kinds: tuple[Any, ...]) -> Sane | None:
    if kinds and all(kind in (float, Ellipsis) for kind in kinds):
        return _numbers
    each = _check(kinds[0]) if kinds else None
    return each and (lambda values: all(map(each, values)))


def _check_struct(kind: type[msgspec.Struct]) -> Sane | None:
    hints = get_type_hints(kind, include_extras=True)
    checks = {name: check for name in kind.__struct_fields__ if (check := _check(hints[name])) is not None}
    if not checks:
        return None
    if len(checks) == 1:
        ((name, only),) = checks.items()
        return lambda value: only(getattr(value, name))
    fields, each = attrgetter(*checks), tuple(checks.values())
    return lambda value: all(check(field) for check, field in zip(each, fields(value), strict=True))


def _absurd(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _absurd(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from _absurd(inner, f"{where}[{place}]")
        numbers = tuple(inner for inner in value if isinstance(inner, float))
        if all(map(_number, numbers)) and not _numbers(numbers):
            yield where, f"{sum(map(abs, numbers)):g} in all, which cannot be"
    elif isinstance(value, float) and not _number(value):
        yield where, "not a number" if math.isnan(value) else f"{value:g}, which cannot be"
    elif isinstance(value, int) and not _whole(value):
        yield where, f"a whole number of {value.bit_length()} bits, which cannot be"
