"""A task's collection plan on the disk: `plan.yaml` beside its episodes, and what is counted there."""

import os
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from station.borders.regular_file import read_regular, reason
from station.borders.strict_yaml import LONGEST_CHARACTERS, UniqueKeys
from station.episodes.collection import Collected, CollectionPlan
from station.errors import UsageError
from station.files import durable

NAME = "plan.yaml"
_NEXT = "Next: correct it; docs/guide/recording.md has one"
_AT_ONCE = 20
"""Episodes that are read in one look, 15 ms each; more of what the index does not know are counted the next time."""
_FRESH_NS = 20_000_000
"""File times advance in steps of the kernel's tick, 10 ms at most: what changed just now may change again without another time."""


def parse(text: str, where: str) -> CollectionPlan:
    """A plan's text. Raises UsageError with the file (`where`) and what is wrong in it."""
    try:
        found = yaml.load(text, Loader=UniqueKeys)
        return msgspec.convert(found, CollectionPlan)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise UsageError(f"{where}: {' '.join(str(error).split())}. {_NEXT}") from error


def read(path: Path) -> tuple[str, CollectionPlan]:
    """A plan's file: its text, and what it says. Raises UsageError."""
    try:
        text = read_regular(path, LONGEST_CHARACTERS).decode()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: {reason(error) if isinstance(error, OSError) else error}. Next: name a plan's file"
        ) from error
    return text, parse(text, str(path))


def as_yaml(plan: CollectionPlan) -> str:
    """As a file has it."""
    return yaml.safe_dump(msgspec.to_builtins(plan), sort_keys=False, allow_unicode=True, default_flow_style=None)


def of_task(folder: Path) -> CollectionPlan | None:
    """The plan of the task whose folder that is; None where it has none. Raises UsageError for one that cannot be read."""
    path = folder / NAME
    return read(path)[1] if path.exists() else None


def keep(folder: Path, text: str) -> CollectionPlan:
    """Make that text the task's plan, for whoever records it from now on. Raises UsageError; the plan before stays then."""
    plan = parse(text, NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        durable.replace(folder / NAME, text.encode())
    except OSError as error:
        raise UsageError(f"{folder / NAME} cannot be written: {reason(error)}. Next: check the disk") from error
    return plan


def remove(folder: Path) -> None:
    """The task has no plan any more. Raises UsageError."""
    try:
        (folder / NAME).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{folder / NAME} cannot be removed: {reason(error)}. Next: check its permissions") from error


class Collection(NamedTuple):
    """A task's plan and the episodes that are there."""

    plan: CollectionPlan | None
    why: str = ""
    """Why it cannot be followed; "" where it can, or there is none."""
    episodes: tuple[Collected, ...] = ()
    uncounted: int = 0
    """Episodes that were not read yet, or cannot be."""


class Collector:
    """Looks at one folder after the other; what has not changed since is not looked at again."""

    def __init__(self) -> None:
        self._of: tuple[Path, int] | None = None
        self._found = Collection(None)

    def look(self, folder: Path) -> Collection:
        """How it stands now: quick, for whoever may not be away for long; what is `uncounted` is counted in later looks."""
        try:  # labels and episodes come and go by renaming; an editor may write a plan in place
            changed_ns = max(path.stat().st_mtime_ns for path in (folder, folder / NAME))
        except OSError:
            return Collection(None)
        if self._of == (folder, changed_ns):
            return self._found
        before, self._found = self._found.uncounted, self._read(folder)
        stuck = self._found.uncounted == before  # what is left cannot be read
        settled = changed_ns < time.time_ns() - _FRESH_NS and (self._found.uncounted == 0 or stuck)
        self._of = (folder, changed_ns) if settled else None
        return self._found

    @staticmethod
    def _read(folder: Path) -> Collection:
        try:
            plan = of_task(folder)
        except UsageError as error:
            return Collection(None, str(error))
        return Collection(None) if plan is None else Collection(plan, "", *counted(folder, _AT_ONCE))


def counted(folder: Path, at_once: int) -> tuple[tuple[Collected, ...], int]:
    """The demonstrations of a task's folder, and how many files were not read: of those that the index does not know only so many are.

    A policy's rollouts, what cannot be read, and what was said to be of another task since is not of the plan.
    """
    from station.episodes.catalogue import belongs  # here, like the index: a session without a plan needs neither
    from station.episodes.index import indexed_soon

    with os.scandir(folder) as entries:
        files = sum(entry.name.startswith("episode_") and entry.name.endswith(".hdf5") for entry in entries)
    found = indexed_soon(folder, at_once)
    mine = (each for each in found if not (each.problem or each.policy) and belongs(each, folder.name))
    episodes = tuple(
        Collected(each.number, each.scene, str(each.attributes.get("object", "")), each.operator, each.success)
        for each in mine
        if each.number is not None
    )
    return episodes, max(0, files - len(found))
