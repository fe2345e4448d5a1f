"""A mark is done when the journal has it, and lies between the rows that it lies between."""

from pathlib import Path

import pytest

from station.bus.messages import Mark
from station.bus.requests import Done, EndRecording, KeepMark, Refused
from station.sync.effects import JournalClosed, JournalFlushed
from tests.station.sync.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.all_speak()
    made.turn(6)
    made.begin(0)
    made.turn(5)
    return made


def keep(desk: Desk, name: str = "grasp", path: str = "") -> int:
    return desk.ask(KeepMark(path or str(desk.path(0)), name, desk.now_ns))


def marks(desk: Desk) -> list[tuple[str, int]]:
    return [(s.body.name, s.header.captured_at_ns) for s in desk.journal.samples if isinstance(s.body, Mark)]


def test_it_is_answered_when_it_is_flushed_and_not_before(desk: Desk) -> None:
    desk.opens_by_itself = False
    at_ns, asked = desk.now_ns, keep(desk)
    rows = desk.journal.flushed
    desk.hear(JournalFlushed(rows, 1000))
    assert desk.answers[asked] == []
    desk.turn(1)
    desk.hear(JournalFlushed(rows + 1, 1000))
    assert desk.answers[asked] == [Done()]
    assert marks(desk) == [("grasp", at_ns)]


def test_two_at_once_are_both_kept(desk: Desk) -> None:
    asked = [keep(desk, name) for name in ("grasp", "contact")]
    desk.turn(2)
    assert [desk.answers[each] for each in asked] == [[Done()], [Done()]]
    assert [name for name, _ in marks(desk)] == ["grasp", "contact"]


def test_the_end_keeps_it_too(desk: Desk) -> None:
    desk.opens_by_itself = False
    asked = keep(desk)
    desk.ask(EndRecording(path=str(desk.path(0))))
    desk.journal.close()
    desk.hear(JournalClosed())
    assert desk.answers[asked] == [Done()]


def test_a_journal_that_fails_says_so(desk: Desk) -> None:
    desk.opens_by_itself = False
    asked = keep(desk)
    desk.journal_fails("the disk is full")
    assert desk.answers[asked] == [Refused("the disk is full")]


@pytest.mark.parametrize("path", ["/elsewhere/episode_0.mcap.part", ""])
def test_only_what_is_recorded_is_marked(desk: Desk, path: str) -> None:
    if not path:
        desk.ask(EndRecording(path=str(desk.path(0))))
        desk.turn(3)
    asked = keep(desk, path=path)
    assert isinstance(desk.answers[asked][0], Refused)
