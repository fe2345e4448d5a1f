"""Builds the episode's HDF5 from its journal: whole, verified, durable, and only then under its name.

It may be killed at any point and run again: the journal goes last.

`python -m station.episodes.finalise PART` is the low-priority process that the session starts after an episode of which
none was begun while it was recorded (`station.episodes.incremental_builder`).
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from station.borders.regular_file import open_regular, reason
from station.episodes import naming
from station.episodes.episode_writer import EpisodeWriter
from station.episodes.reading import reading, rows_of
from station.episodes.survey import Survey
from station.errors import EpisodeError, JournalDamaged, NothingRecorded, RowsMissing, StationError
from station.files import durable


def finalise(
    part: Path, keep_journal: bool = False, ended: str = "", wait: bool = False, writer: EpisodeWriter | None = None,
    acknowledged: int | None = None,
) -> Path:  # fmt: skip
    """Turn the journal `part` (`episode_<n>[.discarded].mcap.part`) into `episode_<n>.hdf5` and return that path.

    A discarded one becomes `episode_<n>.hdf5.deleted`. The journal is removed once all that is in it is in the episode, or
    kept as `episode_<n>.mcap`. What could not be read to its last byte is never removed: `.mcap.damaged` where it is damaged,
    `.mcap.cut` where it breaks off inside a record, `.mcap.empty` where it has no row. `ended`: why the journal has no end of
    its own, where that is known. `wait`: for somebody else who is saving it. `writer`: the one begun while it was recorded.
    `acknowledged`: how many rows were announced as safe, where somebody is there who was told. Raises
    EpisodeError (the journal is still being written, or the episode exists and is another recording, or the disk fails): the
    journal then stays; JournalDamaged (no row can be read) or NothingRecorded (it ends before its first row): it is then kept
    under such a name; RowsMissing: what can be read is in its place, but not all that was acknowledged, and the journal is kept.
    """
    if not part.exists() and _target(part).exists():
        return _saved_by_another(part, acknowledged or 0)
    with held(part, wait) as free:
        if not free:
            raise EpisodeError(f"{part}: another process is writing or saving it. Next: wait for it, or end it")
        if not part.exists():
            return _saved_by_another(part, acknowledged or 0)
        return finalise_held(part, keep_journal, ended, writer, acknowledged)


@contextmanager
def held(part: Path, wait: bool = False) -> Iterator[bool]:
    """Own the journal while it is saved; False when a recorder, or somebody else saving it, does (unless waited for).

    Raises EpisodeError where it cannot be opened or locked.
    """
    try:
        fd = open_regular(part)
    except FileNotFoundError:
        if not part.parent.is_dir():
            raise EpisodeError(
                f"{part.parent} is gone, with the journal in it. Next: bring the disk back, then `station episodes recover`"
            ) from None
        raise EpisodeError(f"{part}: no such journal. Next: `station episodes ls` shows what there is") from None
    except OSError as error:
        raise EpisodeError(
            f"{part}: cannot be opened: {reason(error)}; it is left as it is. "
            "Next: check what it is, its permissions and the disk, then `station episodes recover`"
        ) from error
    try:
        yield _taken(fd, part, wait)
    finally:
        os.close(fd)


def _taken(fd: int, part: Path, wait: bool) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        raise EpisodeError(f"{part}: cannot be locked: {reason(error)}. Next: check the disk") from error
    return True


def finalise_held(
    part: Path,
    keep_journal: bool = False,
    ended: str = "",
    writer: EpisodeWriter | None = None,
    acknowledged: int | None = None,
) -> Path:
    """`finalise` for a caller that holds the journal: raises what that raises."""
    target = _target(part)
    try:
        with closing(writer if writer is not None and writer.ours else EpisodeWriter(part)) as writer:
            for _ in writer.grow():
                pass
            found = writer.finish(ended, acknowledged or 0)
            writer.publish(target)
        kept = _put_away(part, keep_journal, found)
    except NothingRecorded as error:
        raise NothingRecorded(f"{error} (kept as {naming.put_aside(part, '.empty').name})") from error
    except JournalDamaged as error:
        aside = naming.put_aside(part, ".damaged").name
        raise JournalDamaged(
            f"{error}. It is kept as {aside}. Next: check the disk; send that file to whoever looks after it"
        ) from error
    except StationError:
        raise
    except Exception as error:  # whatever a journal holds, it must not keep the next one from being saved
        raise EpisodeError(
            f"{part}: cannot be saved: {type(error).__name__}: {reason(error)}. The journal is kept. "
            "Next: check the disk, then `station episodes recover`"
        ) from error
    if acknowledged is not None and kept is not None and found.damage:
        raise RowsMissing(
            f"{target} is not whole: {found.damage}. It holds the {found.rows} rows that can be read; the journal is kept as "
            f"{kept.name}. Next: keep that file, and check the disk (`dmesg`)"
        )
    return target


def _put_away(part: Path, keep_journal: bool, found: Survey) -> Path | None:
    """The journal's new name; None where it is not needed any more."""
    if found.damage:
        return naming.put_aside(part, ".damaged")
    if found.left:
        return naming.put_aside(part, ".cut")
    if keep_journal:
        return naming.put_aside(part, "")
    part.unlink()
    durable.sync(part.parent)
    return None


def _saved_by_another(part: Path, acknowledged: int) -> Path:
    """The episode that another process has made of the journal meanwhile. Raises RowsMissing."""
    target = _target(part)
    with reading(target) as file:
        rows = rows_of(file)
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
