"""The one language in which episodes are asked for: in a selection's file, and on every command line that has `--where`.

    success=true   operator=ann,ben   length_s=3..60   episode=3,7..9   lag_ms=..150   day=2026-11-29..

Fields, with their units in their names, are those of `station.episodes.facts`. Reading it evaluates nothing.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from station.borders.bounds import Name, Number, Text, Whole, absurdities
from station.borders.strict_yaml import UniqueKeys
from station.episodes.catalogue import Episode
from station.episodes.facts import FIELDS, Fact, facts_of
from station.episodes.index import measured
from station.episodes.quality.card import Card
from station.errors import UsageError

Value = bool | Whole | Number | Text


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Of a number, in the unit that its field's name says, or of a day (`2026-11-29`). Both ends are inside."""

    min: Number | str | None = None
    max: Number | str | None = None


Demand = Value | Bounds | tuple[Value | Bounds, ...]
"""A value, a range, or any of several."""
Where = dict[Name, Demand]
"""All must hold."""


class Against(NamedTuple):
    """Why an episode is not what was asked for."""

    kind: str
    """What it is counted under: `success is not true`."""
    detail: str


class Asked(NamedTuple):
    """An episode, and whether it is what was asked for."""

    episode: Episode
    facts: dict[str, Fact]
    """Of the card only what was asked for."""
    against: Against | None


def said(conditions: Iterable[str]) -> Where:
    """What a command line asks for. Values are read as YAML reads them. Raises UsageError."""
    raw = dict(map(_condition, conditions))
    for where, what in absurdities(raw):
        raise UsageError(f"--where {where} is {what}. Next: give a number that can be")
    try:
        found = msgspec.convert(raw, Where)
    except msgspec.ValidationError as error:
        raise UsageError(f"--where: {error}. Next: say it as {_SAID_AS}") from error
    check(found)
    return found


_SAID_AS = "success=true, operator=ann,ben or length_s=3..60"


def _condition(text: str) -> tuple[str, Any]:
    name, equal, value = text.partition("=")
    if not equal or not name or not value:
        raise UsageError(f"--where {text[:80]!r}: say it as {_SAID_AS}")
    values = [_one(name, part) for part in value.split(",")]
    return name, values if len(values) > 1 else values[0]


def _one(name: str, text: str) -> Any:
    is_text = name in FIELDS and FIELDS[name].type == "text"
    if not is_text and (ends := re.fullmatch(r"(.*?)\.\.(.*)", text)) is not None:
        return {key: _plain(name, end) for key, end in zip(("min", "max"), ends.groups(), strict=True) if end}
    return _plain(name, text)


def _plain(name: str, text: str) -> Any:
    if name in FIELDS and FIELDS[name].type in ("text", "day"):
        return text
    try:
        return yaml.load(text, Loader=UniqueKeys)
    except yaml.YAMLError as error:
        raise UsageError(
            f"--where {name}: {text!r} is no value. Next: write a number, true, false or a word"
        ) from error


def check(where: Mapping[str, Demand]) -> None:
    """Raises UsageError where it names a field that is none, or asks of it what it cannot be."""
    for name, demanded in where.items():
        field = FIELDS.get(name)
        if field is None:
            near = difflib.get_close_matches(name, FIELDS, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"where: no field {name!r}. Next: {meant}`station dataset select --fields` lists them")
        for one in _each(demanded):
            if isinstance(one, Bounds) and field.type in ("bool", "text"):
                raise UsageError(f"where: {name} is a {field.type}, and has no min and max. Next: name its values")
            for value in (one.min, one.max) if isinstance(one, Bounds) else (one,):
                if value is not None and not _is_of(field.type, value):
                    raise UsageError(
                        f"where: {name} is a {field.type} ({field.what}), {value!r} is none. Next: correct the value"
                    )


def _each(demanded: Demand) -> tuple[Value | Bounds, ...]:
    return demanded if isinstance(demanded, tuple) else (demanded,)


def _is_of(kind: str, value: Value) -> bool:
    if kind == "bool":
        return isinstance(value, bool) or value == "unset"
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def asked(
    episodes: Iterable[Episode], where: Mapping[str, Demand], card_of: Callable[[Path], Card | None] | None = None
) -> Iterator[Asked]:
    """Each of the episodes, in their order. Raises UsageError as `check`.

    Where a field of the card is asked for, cards are looked up only of episodes that are what else was asked for; `card_of` makes those
    that the index, the file and its folder do not have: without it, and where it raises EpisodeError, their fields are not known.
    """
    check(where)
    of_cards = [name for name in where if FIELDS[name].measured]
    others = {name: demanded for name, demanded in where.items() if name not in of_cards}
    found = [_held(episode, others) for episode in episodes]
    if of_cards:
        fitting = [each.episode for each in found if each.against is None]
        cards = {episode.path: card.facts for episode, card in measured(fitting, card_of) if card is not None}
        for place, (episode, facts, why) in enumerate(found):
            if why is None:
                known = facts | {name: cards[episode.path][name] for name in of_cards if episode.path in cards}
                found[place] = Asked(episode, known, against(where, known))
    yield from found


def _held(episode: Episode, where: Mapping[str, Demand]) -> Asked:
    if episode.problem:
        return Asked(episode, {}, Against("cannot be used", episode.problem))
    facts = facts_of(episode)
    return Asked(episode, facts, against(where, facts))


def against(where: Mapping[str, Demand], facts: Mapping[str, Fact]) -> Against | None:
    """The first condition that speaks against what is known of an episode, those of its card last; None if it is what was asked for."""
    for name, demanded in sorted(where.items(), key=lambda condition: FIELDS[condition[0]].measured):
        if (kind := _differs(name, facts.get(name), _each(demanded))) is not None:
            return Against(kind, f"{name} is {_word(facts.get(name))}")
    return None


def _differs(name: str, fact: Fact, demanded: tuple[Value | Bounds, ...]) -> str | None:
    """What is counted against it; None if it fits."""
    whys = [_differs_from(fact, one) for one in demanded]
    if not all(whys):
        return None
    if len(demanded) == 1 and isinstance(demanded[0], Bounds):
        return f"{name} is {whys[0]}"
    return f"{name} is not {' or '.join(map(_asked_word, demanded))}"


def _differs_from(fact: Fact, demanded: Value | Bounds) -> str:
    if not isinstance(demanded, Bounds):
        same = fact == demanded and isinstance(fact, bool) == isinstance(demanded, bool)
        return "" if (fact is None if demanded == "unset" else same) else "another"
    if fact is None or isinstance(fact, bool):
        return "not known"
    if demanded.min is not None and fact < demanded.min:  # type: ignore[operator]  # `check` held the types
        return f"below {_word(demanded.min)}"
    if demanded.max is not None and fact > demanded.max:  # type: ignore[operator]
        return f"above {_word(demanded.max)}"
    return ""


def _asked_word(demanded: Value | Bounds) -> str:
    if isinstance(demanded, Bounds):
        return "..".join("" if end is None else _word(end) for end in (demanded.min, demanded.max))
    return _word(demanded)


def _word(value: object) -> str:
    if value is None:
        return "unset"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
