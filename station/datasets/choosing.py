"""Which episodes a selection takes, and why it leaves the others. Pure but for the listing of folders."""

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from station.datasets.selection import Bounds, Selection, Value
from station.datasets.source_files import FIELDS, Fact, Source, find
from station.errors import UsageError

_SPAN = 1 << 64


class Left(NamedTuple):
    """An episode that is not taken."""

    source: Source
    kind: str
    """What it is counted under: `success is not true`, `excluded`, `cannot be used`."""
    detail: str


class Choice(NamedTuple):
    """What a selection comes to."""

    taken: tuple[Source, ...]
    """By name: the order does not depend on the order of folders or of the disk."""
    left: tuple[Left, ...]

    def explained(self) -> str:
        """`312 of 340: 14 success is not true, 9 length_s is below 3, 5 excluded`."""
        counts = Counter(left.kind for left in self.left)
        told = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        return f"{len(self.taken)} of {len(self.taken) + len(self.left)}{': ' if told else ''}{told}"


def choose(selection: Selection, beside: Path) -> Choice:
    """Look into the folders (relative ones lie `beside` the selection) and filter. Raises UsageError."""
    check_fields(selection)
    found: dict[str, Source] = {}
    for folder in selection.folders:
        path = Path(folder).expanduser()
        for source in find(path if path.is_absolute() else beside / path):
            found.setdefault(source.path, source)
    return filtered(selection, sorted(found.values(), key=_order))


def _order(source: Source) -> tuple[str, int, str, str]:
    number = source.facts.get("episode")
    return str(Path(source.name).parent), number if isinstance(number, int) else -1, source.name, source.path


def filtered(selection: Selection, sources: Iterable[Source]) -> Choice:
    """Those that the selection takes, and the first reason that speaks against each of the others. Raises UsageError where
    two files hold one recording, and where an exclusion or a range names no episode.
    """
    sources = list(sources)
    _check_names(selection, sources)
    taken, left, identities = [], [], dict[str, Source]()
    for source in sources:
        against = _against(selection, source)
        if against is not None:
            left.append(Left(source, *against))
        elif (twin := identities.get(source.identity)) is not None:
            left.append(Left(source, "the same recording twice", f"{source.path} holds what {twin.path} holds"))
        else:
            identities[source.identity] = source
            taken.append(source)
    return Choice(tuple(taken), tuple(left))


def check_fields(selection: Selection) -> None:
    """Raises UsageError where `where` names a field that is none, or asks of it what it cannot be."""
    for name, demanded in selection.where.items():
        field = FIELDS.get(name)
        if field is None:
            near = difflib.get_close_matches(name, FIELDS, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"where: no field {name!r}. Next: {meant}`station dataset select --fields` lists them")
        for value in _values(demanded):
            if not _is_of(field.type, value):
                raise UsageError(
                    f"where: {name} is a {field.type} ({field.what}), {value!r} is none. Next: correct the value"
                )
        if isinstance(demanded, Bounds) and field.type in ("bool", "text"):
            raise UsageError(f"where: {name} is a {field.type}, and has no min and max. Next: name its values")


def _values(demanded: Value | Bounds | tuple[Value, ...]) -> Sequence[Value]:
    if isinstance(demanded, Bounds):
        return [end for end in (demanded.min, demanded.max) if end is not None]
    return demanded if isinstance(demanded, tuple) else (demanded,)


def _is_of(kind: str, value: Value) -> bool:
    if kind == "bool":
        return isinstance(value, bool) or value == "unset"
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _check_names(selection: Selection, sources: Sequence[Source]) -> None:
    for name in (named.episode for part in (selection.exclude, selection.trim.keep) for named in part):
        fitting = [source for source in sources if named_by(source, name)]
        if len(fitting) != 1:
            raise UsageError(
                f"{name!r} names {'no episode' if not fitting else f'{len(fitting)} episodes'} of these folders. "
                "Next: name one by the end of its path, cube/episode_3.hdf5"
            )


def named_by(source: Source, name: str) -> bool:
    """Is this the episode that a selection calls `name`: the end of its path?"""
    parts = Path(name).expanduser().parts
    return bool(parts) and Path(source.path).parts[-len(parts) :] == parts


def _against(selection: Selection, source: Source) -> tuple[str, str] | None:
    for excluded in selection.exclude:
        if named_by(source, excluded.episode):
            return "excluded", excluded.reason
    if source.problem:
        return "cannot be used", source.problem
    for name, demanded in selection.where.items():
        fact = source.facts.get(name)
        if (kind := _differs(name, fact, demanded)) is not None:
            return kind, f"{name} is {_said(fact)}"
    return None


def _differs(name: str, fact: Fact, demanded: Value | Bounds | tuple[Value, ...]) -> str | None:
    """What is counted against it; None if it fits."""
    if not isinstance(demanded, Bounds):
        values = _values(demanded)
        fits = any(fact is None if value == "unset" else _same(fact, value) for value in values)
        return None if fits else f"{name} is not {' or '.join(map(_said, values))}"
    if fact is None or isinstance(fact, bool):
        return f"{name} is not known"
    if demanded.min is not None and fact < demanded.min:  # type: ignore[operator]  # `check_fields` held the types
        return f"{name} is below {_said(demanded.min)}"
    if demanded.max is not None and fact > demanded.max:  # type: ignore[operator]
        return f"{name} is above {_said(demanded.max)}"
    return None


def _same(fact: Fact, value: Value) -> bool:
    return fact == value and isinstance(fact, bool) == isinstance(value, bool)


def _said(value: object) -> str:
    if value is None:
        return "unset"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def is_held_back(selection: Selection, source: Source) -> bool:
    """Does the split put it on the validation side? Depends on the seed and on the episode (or its group) alone."""
    by = selection.split.group_by
    key = source.identity if by == "episode" else f"{by}={source.facts.get(by, '')}"
    drawn = int.from_bytes(hashlib.sha256(f"{selection.seed}/{key}".encode()).digest()[:8])
    return drawn < selection.split.validation * _SPAN
