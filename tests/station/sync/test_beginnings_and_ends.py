"""Begin and end as the synchronizer is asked: in any order, each is answered, and what was opened is closed."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from station.bus.requests import BeginRecording, Done, EndRecording, RecordingInfo, Refused
from station.episodes.naming import journal_path
from station.sync import recording as module
from station.sync.recording import JournalWriter
from tests.station.sync.stage import Stage


@pytest.fixture
def stage(runtime: str) -> Iterator[Stage]:
    made = Stage(runtime)
    yield made
    made.close()


def begin(part: Path) -> BeginRecording:
    return BeginRecording(str(part), RecordingInfo("t", 0))


def answers(stage: Stage, numbers: list[bytes]) -> list[Any]:
    """To all of them, in the order in which they were asked."""
    found: dict[bytes, Any] = {}

    def all_there() -> bool:
        found.update(stage.client.replies())
        return len(found) == len(numbers)

    stage.until(all_there, "answers")
    return [found[number] for number in numbers]


def test_an_end_before_the_journal_is_open_closes_it(stage: Stage, tmp_path: Path, monkeypatch: Any) -> None:
    opening, go_on = threading.Event(), threading.Event()

    class Slow(JournalWriter):
        def __init__(self, *given: Any) -> None:
            opening.set()
            go_on.wait(30)
            super().__init__(*given)

    monkeypatch.setattr(module, "JournalWriter", Slow)
    stage.all_speak()
    part = journal_path(tmp_path, 0)
    numbers = [stage.client.send(begin(part))]
    stage.until(opening.is_set, "opening")
    numbers.append(stage.client.send(EndRecording("stopped", str(part))))
    stage.until(lambda: stage.recorder.path == str(part), "recording")
    go_on.set()
    assert answers(stage, numbers) == [Done(), Done("0 rows")]
    stage.until(lambda: not stage.recorder.recording, "end")
    other = journal_path(tmp_path, 1)
    assert stage.begin(other, 2) == Done()
    stage.until(lambda: stage.recorder.ended == "complete", "end")


def test_an_end_while_it_waits_for_a_stream_takes_the_wish_back(stage: Stage, tmp_path: Path) -> None:
    part = journal_path(tmp_path, 0)
    numbers = [stage.client.send(begin(part)), stage.client.send(EndRecording("stopped", str(part)))]
    assert answers(stage, numbers) == [Refused("it was ended before it began"), Done("0 rows")]
    stage.all_speak()
    stage.until(lambda: not stage.recorder.missing, "everybody")
    assert not stage.recorder.recording
    assert not part.exists()


def test_two_begins_are_one_and_a_refusal(stage: Stage, tmp_path: Path) -> None:
    first, second = journal_path(tmp_path, 0), journal_path(tmp_path, 1)
    numbers = [stage.client.send(begin(first)), stage.client.send(begin(second))]
    stage.all_speak()
    assert answers(stage, numbers) == [Done(), Refused(f"{first} is being recorded. Next: stop it first")]
    stage.until(lambda: stage.recorder.path == str(first), "recording")
    assert not second.exists()


def test_an_end_of_another_recording_ends_nothing(stage: Stage, tmp_path: Path) -> None:
    part = journal_path(tmp_path, 1)
    stage.all_speak()
    stage.begin(part)
    late = stage.ask(EndRecording("stopped", str(journal_path(tmp_path, 0))))
    assert isinstance(late, Refused)
    stage.rows(3)
    assert stage.recorder.recording
