"""What people wrote as a struct, with everything that is wrong with it at once: which key, what was found, what was expected."""

import difflib
import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from station.borders.bounds import absurdities
from station.borders.rules import RulesBroken, broken
from station.borders.strict_yaml import below

_STAND_INS: dict[Any, Any] = {str: "stand-in", int: 30, float: 30.0, bool: False}
"""For keys that are missing, so that the others' rules can be looked at; what a rule says about one is not told."""

_WORD = re.compile(r"[a-z][a-z0-9_]*")
_CORRECT = "correct the value (docs/reference/rig-file.md lists the keys and their types)"


class Wrong(NamedTuple):
    """One thing that is wrong with a file."""

    key: str
    found: str
    fix: str
    place: str = ""
    """The key whose line it is, where that is another."""


def read(kind: Any, raw: object, key: str = "") -> tuple[Any, list[Wrong]]:
    """`raw`, what stands at `key`, as the struct `kind`; None with everything that is wrong, where anything is."""
    wrongs = [
        Wrong(below(key, where).replace(".[", "[") or key, what, "give a number that can be")
        for where, what in absurdities(raw)
    ]
    wrongs += _Reader({wrong.key for wrong in wrongs}).struct(kind, raw, key, (kind,))
    return (msgspec.convert(raw, kind) if not wrongs else None), wrongs


def expected(kind: Any) -> str:
    """A type in words: `one of aloha1, mobile, aloha2`."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(expected(each) for each in arguments if each is not type(None))
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin is tuple:
        count = "" if Ellipsis in arguments else f"{len(arguments)} "
        return f"a list of {count}{expected(arguments[0]).removeprefix('a ').removeprefix('whole ')}s"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"{{{', '.join(f'{name}: …' for name in kind.__struct_encode_fields__)}}}"
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "a mapping"}.get(
        origin or kind, "a value"
    )


class _Reader:
    """`bad`: keys whose value was found wrong already; nothing more is said of them."""

    def __init__(self, bad: set[str]) -> None:
        self._bad = bad

    def struct(self, kind: Any, raw: object, key: str, above: tuple[Any, ...]) -> list[Wrong]:
        """What is wrong with a struct at `key`; `above`: the structs around it."""
        if not isinstance(raw, dict):
            return self._plain(kind, raw, key)
        hints = get_type_hints(kind)
        fields = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
        wrongs: list[Wrong] = []
        kept, meant = {}, set()
        for name, value in raw.items():
            if name not in fields:
                unknown = _unknown(str(name), key, kind, above)
                wrongs.append(unknown)
                meant.update(_WORD.findall(unknown.fix))
                continue
            found = self._value(hints[fields[name]], value, below(key, name), above)
            wrongs += found
            if not found and not self._is_bad(below(key, name)):
                kept[name] = value
        wrongs += [
            Wrong(
                key, f"Object missing required field `{name}`",
                f"correct the values: `{name}` is needed, {expected(hints[fields[name]])}",
            )
            for name in _required(kind) if name not in raw and name not in meant
        ]  # fmt: skip
        blind = {name for name in (*_required(kind), *raw) if name in fields and name not in kept}
        return wrongs + _by_its_rules(kind, raw, kept, key, blind, hints)

    def _value(self, hint: Any, value: object, where: str, above: tuple[Any, ...]) -> list[Wrong]:
        struct = _struct_of(hint)
        if struct is not None and isinstance(value, dict):
            return self.struct(struct, value, where, (*above, struct))
        if get_origin(hint) is dict and isinstance(value, dict):
            inner = get_args(hint)[1]
            return [
                wrong
                for name, each in value.items()
                for wrong in self._value(inner, each, below(where, str(name)), above)
            ]
        return [] if self._is_bad(where) else self._plain(hint, value, where)

    def _is_bad(self, where: str) -> bool:
        return where in self._bad or any(each.startswith((f"{where}.", f"{where}[")) for each in self._bad)

    def _plain(self, hint: Any, value: object, where: str) -> list[Wrong]:
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            found, _, place = str(error).partition(" - at `$")
            told = broken(error.__cause__) if error.__cause__ is not None else (found,)
            return [Wrong(where + place.rstrip("`"), _readable(each), _fix(value, hint)) for each in told]
        return []


def _by_its_rules(
    kind: Any, raw: dict[Any, Any], kept: dict[str, Any], key: str, blind: set[str], hints: dict[str, Any]
) -> list[Wrong]:
    """What the struct says of its values together, rule after rule: a value that broke one is left out for the next.

    `blind`: keys without a good value. What is said about one of them is not told.
    """
    values, wrongs, required = dict(kept), [], _required(kind)
    for name in (name for name in required if name not in values):
        near = _near(raw.get(name), hints[name])
        if hints[name] not in _STAND_INS and near is None:
            return []  # too little is known of it to say more
        values[name] = near if near is not None else _STAND_INS[hints[name]]
    while (error := _refusal(kind, values)) is not None:
        named: set[str] = set()
        for sentence in broken(error):
            words = [word for word in _WORD.findall(sentence) if word in hints]
            named |= set(words)
            if not blind & set(words):
                name = next((word for word in words if word in kept), "")
                wrongs.append(Wrong(below(key, name) if name else key, sentence, _CORRECT))
        before, blind = values, blind | named
        values = {
            name: _STAND_INS.get(hints[name], value) if name in named else value
            for name, value in values.items()
            if name not in named or name in required
        }
        if isinstance(error, RulesBroken) or values == before:
            break
    return wrongs


def _refusal(kind: Any, values: dict[str, Any]) -> BaseException | None:
    """What the struct's own rules say of these values; None if they are kept, or a value's type was wrong and told."""
    try:
        msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        return error.__cause__
    return None


def _unknown(name: str, key: str, kind: Any, above: tuple[Any, ...]) -> Wrong:
    own, place = kind.__struct_encode_fields__, below(key, name)
    fix = f"take it out; the keys are {', '.join(own)}"
    homes = (
        field
        for struct in reversed(above)
        for field, inner in _structs_in(struct)
        if name in inner.__struct_encode_fields__
    )
    if home := next(homes, ""):
        fix = f"it belongs below `{home}:`"
    elif near := difflib.get_close_matches(name, own, 1):
        fix = f"did you mean `{near[0]}`?"
    return Wrong(key, f"Object contains unknown field `{name}`", fix, place)


def _structs_in(struct: Any) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(struct)
    for name in struct.__struct_fields__:
        inner = _struct_of(hints[name])
        if inner is not None:
            yield name, inner


def _struct_of(hint: Any) -> Any:
    """The struct that a field is, or may be."""
    for each in (hint, *get_args(hint)) if get_origin(hint) in (None, Union, UnionType) else ():
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None


def _required(kind: Any) -> tuple[str, ...]:
    fields = kind.__struct_encode_fields__
    return tuple(fields[: len(fields) - len(kind.__struct_defaults__)])


def _fix(value: object, hint: Any) -> str:
    near = _near(value, hint)
    return f"correct the value: {expected(hint)}" + (f"; did you mean `{near}`?" if near is not None else "")


def _near(value: object, hint: Any) -> str | None:
    """Which of the allowed values was probably meant."""
    choices = [str(each) for each in _choices(hint)]
    return next(iter(difflib.get_close_matches(value, choices, 1)), None) if isinstance(value, str) else None


def _choices(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    for each in get_args(hint) if get_origin(hint) in (Union, UnionType) else ():
        yield from _choices(each)


def _readable(found: str) -> str:
    return re.sub(r"Invalid enum value ('.*'|\S+)", r"\1 is not allowed", found)
