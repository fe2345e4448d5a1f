"""The processes behind a sitting's files, real ones: begun along with the recording, killed, out of order."""

import logging
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from station.episodes import naming
from station.episodes.verify import verify
from station.session.builders import AT_ONCE, Builders
from tests.station.episodes.recording import Recording, header, jpeg, write

PATIENCE_S = 60.0


class Outcomes:
    """What became of each episode, and the loop that learns it."""

    def __init__(self) -> None:
        self.builders = Builders(logging.getLogger("test"))
        self.told: dict[int, tuple[Path | None, str]] = {}

    def then(self, number: int) -> Callable[[Path | None, str], None]:
        def told(path: Path | None, error: str) -> None:
            self.told[number] = path, error

        return told

    def until(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while len(self.told) < count or self.builders.pidfds:
            assert time.monotonic() < deadline, self.told
            select.select(self.builders.pidfds, [], [], 1.0)
            self.builders.reap()


def record(folder: Path, number: int, builders: Builders | None = None) -> Path:
    """A closed journal of an episode; with `builders`, one that was built along."""
    part = naming.journal_path(folder, number)
    writer = write(part, Recording(20, [jpeg()]), header(episode=number), close=False)
    if builders is not None:
        builders.build_incrementally(part)
    writer.close(20)
    return part


@pytest.mark.slow
def test_built_along_or_in_turn_each_is_told_once(tmp_path: Path) -> None:
    outcomes = Outcomes()
    for number in range(4):
        along = outcomes.builders if number in (0, 3) else None
        outcomes.builders.finalise(record(tmp_path, number, along), number == 3, "", 20, outcomes.then(number))
    outcomes.until(4)
    paths = [tmp_path / f"episode_{number}.hdf5" for number in range(3)] + [tmp_path / "episode_3.hdf5.deleted"]
    assert outcomes.told == {number: (path, "") for number, path in enumerate(paths)}
    assert all(verify(path) == [] for path in paths)
    assert list(tmp_path.glob(".*.tmp")) == []


@pytest.mark.slow
def test_whoever_built_along_and_was_killed_is_replaced(tmp_path: Path) -> None:
    outcomes = Outcomes()
    assert outcomes.builders.partial_hdf5_bytes == 0
    part = record(tmp_path, 0, outcomes.builders)
    (child,) = psutil.Process().children()
    deadline = time.monotonic() + PATIENCE_S
    while outcomes.builders.partial_hdf5_bytes < 100_000:
        assert time.monotonic() < deadline
    child.kill()
    child_ended(child)
    outcomes.builders.finalise(part, False, "", 20, outcomes.then(0))
    outcomes.until(1)
    assert outcomes.told == {0: (tmp_path / "episode_0.hdf5", "")}

    part = record(tmp_path, 1, outcomes.builders)
    (child,) = psutil.Process().children()
    os.kill(child.pid, signal.SIGSTOP)
    outcomes.builders.finalise(part, False, "", 20, outcomes.then(1))  # the order waits in the pipe
    child.kill()
    outcomes.until(2)
    assert outcomes.told[1] == (tmp_path / "episode_1.hdf5", "")


def child_ended(child: psutil.Process) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline


@pytest.mark.slow
def test_one_that_nobody_finishes_is_left(tmp_path: Path) -> None:
    """Its recording never ended here: the next one begins, and it goes without a trace."""
    outcomes = Outcomes()
    record(tmp_path, 0, outcomes.builders)
    outcomes.builders.finalise(record(tmp_path, 1, outcomes.builders), False, "", 20, outcomes.then(1))
    outcomes.until(1)
    assert outcomes.told == {1: (tmp_path / "episode_1.hdf5", "")}
    assert (tmp_path / "episode_0.mcap.part").exists()
    assert list(tmp_path.glob(".*.tmp")) == []


@pytest.mark.slow
def test_of_many_short_ones_only_a_few_are_built_at_once(tmp_path: Path) -> None:
    outcomes = Outcomes()
    for number in range(6):
        outcomes.builders.finalise(record(tmp_path, number, outcomes.builders), False, "", 20, outcomes.then(number))
        assert len(psutil.Process().children()) <= AT_ONCE
    outcomes.until(6)
    assert sorted(outcomes.told) == list(range(6))
    assert all(path is not None for path, _ in outcomes.told.values())


def test_a_journal_that_is_gone_is_said(tmp_path: Path) -> None:
    outcomes = Outcomes()
    outcomes.builders.finalise(naming.journal_path(tmp_path, 0), True, "", 20, outcomes.then(0))
    assert "station episodes recover" in outcomes.told[0][1]
