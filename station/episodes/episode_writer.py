"""Writes an episode's HDF5 under its temporary name out of its journal, in one pass.

The journal may still be written meanwhile (`station.episodes.incremental_builder`), or be closed already (`station.episodes.finalise`).
Memory: the pictures of a few ticks, and half a kilobyte for each row.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from station.episodes import naming
from station.episodes.attributes import same_recording
from station.episodes.build import Builder
from station.episodes.journal_reader import JournalReader
from station.episodes.quality.measure import Gauge, declared_rates
from station.episodes.reading import reading, rows_of
from station.episodes.rows import RowReader
from station.episodes.survey import Survey, Surveyor
from station.episodes.verify import verify
from station.errors import EpisodeError, JournalDamaged, NothingRecorded
from station.files import durable


class EpisodeWriter:
    """One episode's file: `grow`, `finish`, `publish`; whatever is left under the temporary name goes when it is closed."""

    def __init__(self, part: Path, more: Callable[[], bool] = lambda: False) -> None:
        """`more`: see JournalReader."""
        self._part, self._temporary = part, naming.temporary_path(part.parent, naming.number_of(part))
        self._reader = JournalReader(part, more)
        header = self._reader.header
        self._gauge = Gauge(declared_rates(header)) if header is not None else None
        self._rows = (
            RowReader(self._reader, header, self._gauge.sample)
            if header is not None and self._gauge is not None
            else None
        )
        self._surveyor = Surveyor(header) if header is not None else None
        self._to_come = iter(self._rows or ())
        self._builder: Builder | None = None

    def grow(self) -> Iterator[int]:
        """Take every row there is that was not taken; yields how many there are after each. Raises EpisodeError."""
        if self._surveyor is None or self._gauge is None:
            return
        try:
            for row in self._to_come:
                self._surveyor.take(row)
                self._gauge.row(row)
                if self._builder is None:
                    self._temporary.unlink(missing_ok=True)  # of an earlier try that was killed
                    self._builder = Builder(self._temporary, self._surveyor, row)
                self._builder.take(row)
                yield self._surveyor.rows
        except (OSError, RuntimeError) as error:  # h5py raises either
            raise self._cannot_be_written(error) from error

    def sync(self) -> None:
        """Have the disk take what was written so far."""
        try:
            if self._builder is not None:
                self._builder.sync()
        except OSError as error:
            raise self._cannot_be_written(error) from error

    @property
    def ours(self) -> bool:
        """Does the temporary name still stand for this file, or has somebody else begun anew?"""
        try:
            return self._builder is None or self._temporary.stat().st_ino == self._builder.identity
        except FileNotFoundError:
            return False

    def finish(self, ended: str = "", acknowledged: int = 0) -> Survey:
        """After the last row: whole, verified, durable; still under its temporary name.

        `ended`: why the journal has no end of its own, where that is known. `acknowledged`: rows that were announced as
        safe; fewer are a damage, by name. Raises JournalDamaged, NothingRecorded or EpisodeError.
        """
        found = self._survey(ended, acknowledged)
        assert self._builder is not None
        try:
            self._builder.finish(found, self._gauge)
            with ThreadPoolExecutor(1) as pool:
                written = pool.submit(durable.sync, self._temporary)  # the disk works while the file is looked through
                findings = [*self._builder.wrong(), *verify(self._temporary)]
                written.result()
        except (OSError, RuntimeError) as error:
            raise self._cannot_be_written(error) from error
        if findings:
            raise EpisodeError(
                f"{self._part}: the episode built from it is wrong: {'; '.join(findings[:3])}. The journal is kept"
            )
        return found

    def publish(self, target: Path) -> None:
        """Give the finished file its name. Raises EpisodeError where another recording has it."""
        assert self._reader.header is not None
        if os.path.lexists(target):
            self._compare(target)
            return
        try:
            target.hardlink_to(self._temporary)  # unlike a rename it never replaces an episode
            self._temporary.unlink()
            durable.sync(target.parent)
        except OSError as error:
            raise self._cannot_be_written(error) from error

    def _compare(self, target: Path) -> None:
        """Somebody saved it before. Raises EpisodeError unless that is this recording, whole."""
        assert self._reader.header is not None
        assert self._surveyor is not None
        if not same_recording(target, self._reader.header):
            raise EpisodeError(
                f"{target} exists and is another recording than {self._part.name}. Next: move one of them away"
            )
        findings = verify(target)
        if not findings:
            with reading(target) as file:
                findings = [] if rows_of(file) >= self._surveyor.rows else ["rows are missing"]
        if findings:
            raise EpisodeError(
                f"{target} exists, is the same recording, and is not whole ({'; '.join(findings[:2])}). "
                "The journal is kept. Next: move that file away, then `station episodes recover`"
            )

    def _survey(self, ended: str, acknowledged: int) -> Survey:
        if self._reader.foreign:
            raise EpisodeError(
                f"{self._part}: {self._reader.unreadable}. The journal is kept. "
                "Next: update the station, then `station episodes recover`"
            )
        if self._surveyor is None or self._rows is None:
            raise JournalDamaged(f"{self._part}: {self._reader.unreadable}, so no episode can be made of it")
        if self._surveyor.rows == 0 and self._rows.damage:
            raise JournalDamaged(f"{self._part}: no whole row before the damage ({self._rows.damage})")
        if self._surveyor.rows == 0 and acknowledged:
            raise JournalDamaged(f"{self._part}: {acknowledged} rows were acknowledged, none is left")
        if self._surveyor.rows == 0:
            raise NothingRecorded(f"{self._part}: it ends before its first row; nothing was recorded")
        found = self._surveyor.survey(self._reader, self._rows, ended)
        if found.rows < acknowledged and not found.damage:
            return found._replace(damage=f"{acknowledged} rows were acknowledged, {found.rows} can be read")
        return found

    def _cannot_be_written(self, error: Exception) -> EpisodeError:
        return EpisodeError(
            f"{self._temporary}: cannot be written: {error}. The journal is kept. "
            "Next: check the disk, then `station episodes recover`"
        )

    def close(self) -> None:
        """Remove what has no name of its own."""
        if self._builder is not None:
            if self.ours:
                self._temporary.unlink(missing_ok=True)
            self._builder.close()
            self._builder = None
        self._reader.close()
