"""Finishes what was left: every journal in a data folder that nobody is writing becomes an episode.

`python -m station.episodes.recover FOLDER` is the low-priority process that the session starts when it opens a folder.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from station.borders.regular_file import reason
from station.episodes import naming
from station.episodes.finalise import finalise_held, held
from station.episodes.journal_reader import JournalReader
from station.episodes.reading import attribute, reading, rows_of
from station.errors import JournalDamaged, NothingRecorded, StationError, UsageError

_LEFTOVER = re.compile(r"\.episode_[0-9]+\.mcap\.part\.[0-9]+\Z")

_SAVED_MEANWHILE = "another process has just saved it"

Outcome = Literal["saved", "damaged", "empty", "live", "failed"]


class Recovered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one journal."""

    part: Path
    outcome: Outcome
    episode: Path | None
    rows: int
    detail: str

    @property
    def whole(self) -> bool:
        """Was everything that was acknowledged saved, or is somebody at it?"""
        return self.outcome in ("saved", "empty", "live")


def recover(data: Path) -> Iterator[Recovered]:
    """Save every journal below `data`; yields as it goes. Safe to kill and to run again, beside a running station too.

    One that a recorder holds is left alone (live). One that cannot be read whole gives the rows before the damage (damaged) or
    none (failed), and is kept beside as `.mcap.damaged`; one without a row is kept as `.mcap.empty`. One that cannot be opened,
    or whose episode cannot be written, stays as it is (failed). None keeps the next from being saved.
    """
    for part in sorted(data.rglob("episode_*.mcap.part")):
        if os.path.lexists(part):  # somebody else may have saved it meanwhile
            yield _one(part)
    for leftover in sorted(data.rglob(".episode_*.mcap.part.*")):
        if _LEFTOVER.match(leftover.name) and (found := _leftover(leftover)) is not None:
            yield found


def _one(part: Path) -> Recovered:
    try:
        return _recover(part)
    except NothingRecorded as error:
        return Recovered(part, "empty", None, 0, str(error))
    except UsageError:
        why = (
            f"{part}: its name is none of a journal's. Next: name it episode_<n>.mcap.part, with a number that is free"
        )
        return Recovered(part, "failed", None, 0, why)
    except StationError as error:
        if not os.path.lexists(part) and not isinstance(error, JournalDamaged):
            return Recovered(part, "live", None, 0, _SAVED_MEANWHILE)
        return Recovered(part, "failed", None, 0, str(error))
    except OSError as error:
        why = f"{part}: {reason(error)}; it is left as it is. Next: check the disk, then `station episodes recover`"
        return Recovered(part, "failed", None, 0, why)


def _recover(part: Path) -> Recovered:
    with held(part) as free:
        if not free:
            return Recovered(part, "live", None, 0, "being recorded, or being saved, by another process")
        if not part.exists():
            return Recovered(part, "live", None, 0, _SAVED_MEANWHILE)
        before = _journals(part)
        episode = finalise_held(part)
        kept = "".join(f"; the journal is kept as {name}" for name in sorted(_journals(part) - before))
    with reading(episode) as file:
        rows, damage, ended = rows_of(file), attribute(file, "damage"), attribute(file, "ended")
    return Recovered(
        part, "damaged" if damage else "saved", episode, rows, f"{damage or ended}{kept}".removeprefix("; ")
    )


def _journals(part: Path) -> set[str]:
    return {path.name for path in part.parent.glob(f"episode_{naming.number_of(part)}.mcap*")}


def _leftover(path: Path) -> Recovered | None:
    """A journal whose recorder was killed in the instant before it got its name: its head is in it, perhaps, and no row."""
    try:
        with held(path) as free:
            if not free:
                return None
            about = path.stat()
            if about.st_nlink > 1 or not about.st_size:  # the same file has its name, or there is not a byte in it
                path.unlink()
                return None
            with JournalReader(path) as reader:
                whole = reader.header is not None and not any(reader.stored({"row"}))
            aside = naming.put_aside(path, ".empty" if whole else ".damaged")
    except (StationError, OSError) as error:
        return Recovered(path, "failed", None, 0, str(error))
    return Recovered(path, "empty" if whole else "failed", None, 0, f"never got its name; kept as {aside.name}")


def main() -> None:
    """The process: exit 1 with a line for every journal that could not be saved whole."""
    parser = argparse.ArgumentParser(description="Save every journal that was left in a data folder.")
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    failed = [found for found in recover(arguments.data) if not found.whole]
    sys.exit("\n".join(f"{found.part}: {found.detail}" for found in failed) or 0)


if __name__ == "__main__":
    main()
