"""The processes that build episodes' HDF5 files: one incrementally, during the recording; few at once of those without.

All are safe to kill: the journal goes last.
"""

import logging
import os
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from station.episodes.naming import discard, number_of, temporary_path
from station.episodes.order import Order
from station.runtime.launch import python

NICE = 10
"""From their first import on: imports alone take a processor for a second."""
AT_ONCE = 2
"""HDF5 files being built; more wait for their turn in their journals."""
Then = Callable[[Path | None, str], None]
"""Gets the episode's path, or None and why it is not saved."""


class _Process(NamedTuple):
    popen: "subprocess.Popen[str]"
    pidfd: int
    then: Then


class _Waiting(NamedTuple):
    """A journal whose turn has not come."""

    journal: Path
    ended: str
    acknowledged: int
    then: Then


class _IncrementalBuild(NamedTuple):
    """The builder of what is being recorded."""

    part: Path
    popen: "subprocess.Popen[str]"


class Builders:
    """Starts them, reaps them, starts the next."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._processes: list[_Process] = []
        self._waiting: deque[_Waiting] = deque()
        self._incremental: _IncrementalBuild | None = None

    @property
    def pidfds(self) -> list[int]:
        """Readable when a process has ended."""
        return [process.pidfd for process in self._processes]

    def recover(self, folder: Path) -> None:
        """Save what a killed station left in the folder."""
        self._watch(_spawn("station.episodes.recover", folder), _ignore_result)

    def build_incrementally(self, part: Path) -> None:
        """Begin to build what is being recorded into `part`, unless enough is being built as it is."""
        self._abandon_incremental()
        if len(self._processes) < AT_ONCE:
            self._incremental = _IncrementalBuild(
                part, _spawn("station.episodes.incremental_builder", part, stdin=subprocess.PIPE)
            )

    @property
    def partial_hdf5_bytes(self) -> int:
        """How large the file is that is being built while it is recorded."""
        if self._incremental is None:
            return 0
        part = self._incremental.part
        try:
            return temporary_path(part.parent, number_of(part)).stat().st_size
        except FileNotFoundError:
            return 0

    def finalise(self, part: Path, discarded: bool, ended: str, acknowledged: int, then: Then) -> None:
        """The journal is closed: have its HDF5 finished, by whoever began it or in its turn.

        `acknowledged`: rows that were announced as safe; an episode with fewer is not saved.
        """
        try:
            journal = discard(part) if discarded else part
        except OSError as error:
            then(None, f"{part}: {error.strerror}. Next: bring the disk back, then `station episodes recover`")
            return
        waiting = _Waiting(journal, ended, acknowledged, then)
        if (
            self._incremental is None
            or self._incremental.part != part
            or not self._order(self._incremental.popen, waiting)
        ):
            self._waiting.append(waiting)
        self._build_next()

    def _order(self, popen: "subprocess.Popen[str]", waiting: _Waiting) -> bool:
        """Have what was begun finished; False if its process is gone."""
        self._incremental = None
        assert popen.stdin is not None
        try:
            order = Order(str(waiting.journal), waiting.ended, waiting.acknowledged)
            popen.stdin.write(msgspec.json.encode(order).decode() + "\n")
            popen.stdin.close()
        except BrokenPipeError:
            self._watch(popen, _ignore_result)
            return False
        popen.stdin = None

        def then(path: Path | None, error: str) -> None:
            if path is None and waiting.journal.exists():  # killed, perhaps: begin again from the journal
                self._waiting.append(waiting)
            else:
                waiting.then(path, error)

        self._watch(popen, then)
        return True

    def _abandon_incremental(self) -> None:
        """Nobody will ask for what was being built incrementally any more."""
        if self._incremental is not None:
            popen = self._incremental.popen
            self._incremental = None
            self._watch(popen, _ignore_result)

    def _build_next(self) -> None:
        """Few at once: twenty short episodes in a row must not take the processor from who records the next one."""
        while self._waiting and len(self._processes) < AT_ONCE:
            journal, ended, acknowledged, then = self._waiting.popleft()
            self._watch(
                _spawn(
                    "station.episodes.finalise", journal, f"--ended={ended}", f"--acknowledged={acknowledged}", "--wait"
                ),
                then,
            )

    def _watch(self, popen: "subprocess.Popen[str]", then: Then) -> None:
        if popen.stdin is not None:
            popen.stdin.close()
            popen.stdin = None
        self._processes.append(_Process(popen, os.pidfd_open(popen.pid), then))

    def reap(self) -> None:
        """Say what became of those that have ended."""
        for process in [process for process in self._processes if process.popen.poll() is not None]:
            self._processes.remove(process)
            os.close(process.pidfd)
            out, error = process.popen.communicate()
            if process.popen.returncode:
                self._log.error("%s: %s", process.popen.args, error.strip() or process.popen.returncode)
            if process.popen.returncode == 0 and out.strip():
                process.then(Path(out.strip()), "")
            else:
                process.then(None, error.strip().splitlines()[-1] if error.strip() else "no rows")
            self._build_next()


def _ignore_result(_path: Path | None, _error: str) -> None:
    """What becomes of it is in the log."""


def _spawn(module: str, *arguments: object, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
    command = ["nice", "-n", str(NICE), *python(module, *arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=stdin)
