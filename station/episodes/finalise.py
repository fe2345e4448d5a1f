"""Builds the episode's HDF5 from its journal: whole, verified, durable, and only then under its name.

It may be killed at any point and run again: the journal goes last.

`python -m station.episodes.finalise PART` is the low-priority process that the session starts after an episode of which
no draft was begun while it was recorded (`station.episodes.ahead`).
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import h5py

from station import durable
from station.episodes import naming
from station.episodes.draft import Draft
from station.episodes.survey import Survey
from station.errors import EpisodeError, NothingRecorded, RowsMissing, StationError


def finalise(
    part: Path, keep_journal: bool = False, ended: str = "", wait: bool = False, draft: Draft | None = None,
    acknowledged: int | None = None,
) -> Path:  # fmt: skip
    """Turn the journal `part` (`episode_<n>[.discarded].mcap.part`) into `episode_<n>.hdf5` and return that path.

    A discarded one becomes `episode_<n>.hdf5.deleted`. The journal is removed, or kept as `episode_<n>.mcap`; one that
    is damaged in the middle is kept as `.mcap.damaged`. `ended`: why the journal has no end of its own, where that is
    known. `wait`: for somebody else who is saving it. `draft`: begun while it was recorded. `acknowledged`: how many rows were
    announced as safe, where somebody is there who was told: RowsMissing, with what can be read in its place and the journal
    kept, unless all of them are in the file. Raises EpisodeError (the journal is
    still being written, or the episode exists and is another recording) or JournalDamaged (no row before the damage): the
    journal then stays; NothingRecorded (it ends before its first row): there is nothing in it, and it is removed.
    """
    if not part.exists() and _target(part).exists():
        return _saved_by_another(part, acknowledged or 0)
    with held(part, wait) as free:
        if not free:
            raise EpisodeError(f"{part}: another process is writing or saving it. Next: wait for it, or end it")
        if not part.exists():
            return _saved_by_another(part, acknowledged or 0)
        return finalise_held(part, keep_journal, ended, draft, acknowledged)


@contextmanager
def held(part: Path, wait: bool = False) -> Iterator[bool]:
    """Own the journal while it is saved; False when a recorder, or somebody else saving it, does (unless waited for)."""
    try:
        fd = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if not part.parent.is_dir():
            raise EpisodeError(
                f"{part.parent} is gone, with the journal in it. Next: bring the disk back, then `station episodes recover`"
            ) from None
        raise EpisodeError(f"{part}: no such journal. Next: `station episodes ls` shows what there is") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(fd)


def finalise_held(
    part: Path, keep_journal: bool = False, ended: str = "", draft: Draft | None = None, acknowledged: int | None = None
) -> Path:
    """`finalise` for a caller that holds the journal."""
    target = _target(part)
    with closing(draft if draft is not None and draft.ours else Draft(part)) as draft:
        try:
            for _ in draft.grow():
                pass
            found = draft.finish(ended, acknowledged or 0)
        except NothingRecorded:
            part.unlink()
            raise
        draft.publish(target)
    kept = _put_away(part, keep_journal, found)
    if acknowledged is not None and kept is not None and found.damage:
        raise RowsMissing(
            f"{target} is not whole: {found.damage}. It holds the {found.rows} rows that can be read; the journal is kept as "
            f"{kept.name}. Next: keep that file, and check the disk (`dmesg`)"
        )
    return target


def _put_away(part: Path, keep_journal: bool, found: Survey) -> Path | None:
    """The journal's new name; None where it is not needed any more."""
    number, kept = naming.number_of(part), None
    if found.damage:
        kept = part.rename(part.with_name(f"episode_{number}.mcap.damaged"))
    elif keep_journal:
        kept = part.rename(part.with_name(f"episode_{number}.mcap"))
    else:
        part.unlink()
    durable.sync(part.parent)
    return kept


def _saved_by_another(part: Path, acknowledged: int) -> Path:
    """The episode that another process has made of the journal meanwhile. Raises RowsMissing."""
    target = _target(part)
    with h5py.File(target) as file:
        rows = len(file["/action"])
    if rows < acknowledged:
        raise RowsMissing(
            f"{target} is not whole: {acknowledged} rows were acknowledged, {rows} are in it. "
            "Next: keep the journal beside it, and check the disk (`dmesg`)"
        )
    return target


def _target(part: Path) -> Path:
    path = naming.episode_path(part.parent, naming.number_of(part))
    return naming.deleted_path(path) if naming.is_discarded(part) else path


def main() -> None:
    """The process: prints the episode's path; exit 1 with the reason when it could not be saved."""
    parser = argparse.ArgumentParser(description="Build an episode's HDF5 from its journal.")
    parser.add_argument("part", type=Path)
    parser.add_argument("--keep-journal", action="store_true")
    parser.add_argument("--ended", default="", help="why the journal has no end of its own")
    parser.add_argument("--acknowledged", type=int, help="rows that were announced as safe: fewer are a failure")
    parser.add_argument("--wait", action="store_true", help="for another process that is saving it")
    arguments = parser.parse_args()
    try:
        saved = finalise(
            arguments.part, arguments.keep_journal, arguments.ended, arguments.wait, acknowledged=arguments.acknowledged
        )
        sys.stdout.write(f"{saved}\n")
    except StationError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
