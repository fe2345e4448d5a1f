"""Changes of what people said about many episodes at once, and undoing them.

What is said is in the labels beside each episode; the files themselves are as they were recorded. Before the first label is changed, each
change is noted in the folder's `.edits.jsonl`, with what was said before: so that a change that was broken off can be undone as well.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.borders.regular_file import read_regular, reason
from station.episodes.catalogue import Episode
from station.episodes.labels import Labels, change_labels, read_labels
from station.errors import EpisodeError, StationError, UsageError
from station.files import durable

_NAME = ".edits.jsonl"
_LARGEST = 256 << 20
_UNSET = msgspec.UNSET


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be said from now on; what is unset stays."""

    success: bool | msgspec.UnsetType | None = _UNSET
    note: str | msgspec.UnsetType = _UNSET
    task: str | msgspec.UnsetType = _UNSET
    instruction: str | msgspec.UnsetType = _UNSET

    def of(self, labels: Labels) -> Labels:
        """What is said then."""
        return msgspec.structs.replace(
            labels, **{name: value for name, value in _said(self).items() if value is not _UNSET}
        )


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One episode's part of a change, as it is noted."""

    edit: str
    """The same for all episodes that were changed together."""
    episode: str
    before: Labels
    after: Labels
    undone: bool = False
    """This line says that it was undone."""


class Planned(NamedTuple):
    """One episode whose labels would change."""

    episode: Episode
    before: Labels
    after: Labels

    def in_words(self) -> str:
        """`success – → yes, task cube → fold`."""
        recorded = {
            "task": self.episode.attributes.get("task", ""),
            "instruction": self.episode.attributes.get("instruction", ""),
        }
        changes = []
        for name, then in _said(self.after).items():
            before = _said(self.before)[name]
            if then != before:
                one, other = (recorded.get(name, "") if value is _UNSET else value for value in (before, then))
                changes.append(f"{name} {_word(one)} → {_word(other)}")
        return ", ".join(changes)


_line: Decoder[Edit] = Decoder("json", Edit)


def plan(episodes: Iterable[Episode], change: Change) -> list[Planned]:
    """Episodes of which something else would be said. Raises EpisodeError on labels that cannot be read."""
    planned = []
    for episode in episodes:
        before = read_labels(episode.path) or Labels(success=episode.success)
        after = change.of(before)
        if after != before:
            planned.append(Planned(episode, before, after))
    return planned


def carry_out(planned: Sequence[Planned], change: Change) -> tuple[int, list[StationError]]:
    """Note them all, then say them. How many are said now, and why others are not. Raises EpisodeError where they cannot be noted."""
    name = secrets.token_hex(6)
    folders: dict[Path, list[Edit]] = {}
    for each in planned:
        edit = Edit(name, each.episode.path.name, each.before, each.after)
        folders.setdefault(each.episode.path.parent, []).append(edit)
    for folder, edits in folders.items():
        _note(folder, edits)
    done, refused = 0, []
    for each in planned:
        try:
            change_labels(each.episode.path, change.of)
        except StationError as error:
            refused.append(error)
        else:
            done += 1
    return done, refused


def last(folders: Iterable[Path]) -> list[tuple[Path, Edit]]:
    """The newest change of these folders that was not undone, episode by episode. Raises EpisodeError, UsageError where there is none."""
    newest: dict[str, list[tuple[Path, Edit]]] = {}
    for folder in folders:
        edits = _read(folder)
        undone = {edit.edit for edit in edits if edit.undone}
        open_ones = [edit for edit in edits if edit.edit not in undone]
        for edit in open_ones:
            if edit.edit == open_ones[-1].edit:
                newest.setdefault(edit.edit, []).append((folder / edit.episode, edit))
    if not newest:
        raise UsageError("nothing to undo: no change was made here that was not undone")
    if len(newest) > 1:
        raise UsageError("the newest changes of these folders are not one. Next: undo them folder by folder")
    return next(iter(newest.values()))


def undo(edits: Sequence[tuple[Path, Edit]]) -> tuple[int, list[StationError]]:
    """Say again what was said before. What was said otherwise since then stays, and is told."""
    done, refused = 0, []
    for path, edit in edits:
        try:
            change_labels(path, _back(path, edit))
        except StationError as error:
            refused.append(error)
        else:
            done += 1
    for folder in dict.fromkeys(path.parent for path, _ in edits):
        here = [edit for path, edit in edits if path.parent == folder]
        _note(folder, [msgspec.structs.replace(here[-1], undone=True)])
    return done, refused


def _back(path: Path, edit: Edit) -> Callable[[Labels], Labels]:
    before, after = _said(edit.before), _said(edit.after)
    changed = {name for name in before if before[name] != after[name]}

    def change(labels: Labels) -> Labels:
        now = _said(labels)
        if any(now[name] not in (after[name], before[name]) for name in changed):
            raise EpisodeError(f"{path}: something else was said of it since; it stays so")
        return msgspec.structs.replace(labels, **{name: before[name] for name in changed})

    return change


def _said(of: Change | Labels) -> dict[str, object]:
    return {"success": of.success, "note": of.note, "task": of.task, "instruction": of.instruction}


def _word(value: object) -> str:
    words = (
        {None: "–", True: "yes", False: "no"}.get(value, value) if value is None or isinstance(value, bool) else value
    )
    return repr(words) if isinstance(words, str) and " " in words else str(words) or "–"


def _note(folder: Path, edits: Sequence[Edit]) -> None:
    path = folder / _NAME
    try:
        before = read_regular(path, _LARGEST) if path.exists() else b""
        durable.replace(path, before + b"".join(msgspec.json.encode(edit) + b"\n" for edit in edits))
    except (OSError, ValueError) as error:
        raise EpisodeError(
            f"{path}: {reason(error)}; nothing was changed. Next: check the folder and the disk"
        ) from error


def _read(folder: Path) -> list[Edit]:
    path = folder / _NAME
    try:
        return [_line.decode(line) for line in read_regular(path, _LARGEST).splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, Undecodable, ValueError) as error:
        raise EpisodeError(
            f"{path}: cannot be read: {reason(error)}. Next: move it away; what was said stays"
        ) from error
