"""Which episodes a selection takes, and why it leaves the others. Pure but for the listing of folders."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from station.datasets.selection import Selection
from station.datasets.source_files import Source, find
from station.episodes.filters import against, check
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
    check(selection.where)
    found: dict[str, Source] = {}
    for folder in selection.folders:
        path = Path(folder).expanduser()
        for source in find(path if path.is_absolute() else beside / path, selection.where):
            found.setdefault(source.path, source)
    return filtered(selection, sorted(found.values(), key=_order))


def _order(source: Source) -> tuple[str, int, str, str]:
    number = source.facts.get("episode")
    return source.name.partition("/")[0], number if isinstance(number, int) else -1, source.name, source.path


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
    return against(selection.where, source.facts)


def is_held_back(selection: Selection, source: Source) -> bool:
    """Does the split put it on the validation side? Depends on the seed and on the episode (or its group) alone."""
    key = _kept_together(selection, source)
    drawn = int.from_bytes(hashlib.sha256(f"{selection.seed}/{key}".encode()).digest()[:8])
    return drawn < selection.split.validation * _SPAN


def _kept_together(selection: Selection, source: Source) -> str:
    by = selection.split.group_by
    return source.identity if by == "episode" else f"{by}={source.facts.get(by, '')}"


def split_explained(selection: Selection, taken: Sequence[Source]) -> list[str]:
    """How many are held back, of each task where there are several; why it may be another share than was asked for. A line each."""
    if not selection.split.validation:
        return []
    asked, by = selection.split.validation, selection.split.group_by
    held = Counter(str(source.facts.get("task", "")) for source in taken if is_held_back(selection, source))
    lines = [f"{len(taken) - held.total()} to train with, {held.total()} held back"]
    tasks = Counter(str(source.facts.get("task", "")) for source in taken)
    if len(tasks) > 1:
        lines += [f"  {task}: {held[task]} of {count} held back" for task, count in sorted(tasks.items())]
    groups = len({_kept_together(selection, source) for source in taken})
    if taken and held.total() in (0, len(taken)):
        kept = "" if by == "episode" else f", and a {by} stays on one side: these are of {groups}"
        lines.append(
            f"  {asked:.0%} were asked for, drawn by a hash{kept}. "
            "Next: another `seed`, a larger share or another `group_by` if some are needed on either side"
        )
    return lines
