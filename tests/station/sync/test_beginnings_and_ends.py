"""The synchronizer's loop on real sockets and a real disk: an end that comes while the journal's thread still opens it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from station.bus.messages import EndReason
from station.bus.requests import BeginRecording, Done, EndRecording, RecordingInfo
from station.episodes.journal import JournalWriter
from station.episodes.naming import journal_path
from station.sync import journaling
from tests.station.sync.stage import Stage


@pytest.fixture
def stage(runtime: str) -> Iterator[Stage]:
    made = Stage(runtime)
    yield made
    made.close()


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

    monkeypatch.setattr(journaling, "JournalWriter", Slow)
    stage.all_speak()
    part = journal_path(tmp_path, 0)
    numbers = [stage.client.send(BeginRecording(str(part), RecordingInfo("t", 0)))]
    stage.until(opening.is_set, "opening")
    numbers.append(stage.client.send(EndRecording(path=str(part))))
    stage.until(lambda: stage.recorder.path == str(part), "recording")
    go_on.set()
    assert answers(stage, numbers) == [Done(), Done("0 rows")]
    stage.until(lambda: not stage.recorder.recording, "end")
    other = journal_path(tmp_path, 1)
    assert stage.begin(other, 2) == Done()
    stage.until(lambda: stage.recorder.path == str(other) and stage.recorder.ended is not None, "end")
    ended = stage.recorder.ended
    assert ended is not None
    assert ended.reason in (EndReason.COMPLETE, EndReason.SILENT_DEVICE)  # the test's own devices may be late
