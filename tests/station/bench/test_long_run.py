"""The file of a long measurement: what a killed one left is gone on from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from station.bench.long_run import Line, Progress, Trouble, _Journal, _Recorder, measured_s, read_lines
from station.bench.stalls import EpisodeSeen, StallSeen
from station.bus.requests import OpenSession
from station.clock import NS_PER_S, monotonic_ns
from station.errors import StationError, UsageError

LINES: list[Line] = [
    StallSeen(1.0, 120.0, ("leader_left",), 110.0, "went on"), EpisodeSeen(60.0, 3000, 1, 12, ""), Trouble(61.0, "?"), Progress(65.0),
]  # fmt: skip


def test_lines_come_back_and_a_half_one_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "new" / "stalls.jsonl"
    assert read_lines(path) == []
    journal = _Journal(path)
    for line in LINES:
        journal.add(line)
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"type":"progress","at_s":7')
    assert read_lines(path) == LINES
    assert measured_s(LINES) == 65.0
    again = _Journal(path)
    again.add(Progress(70.0))
    again.close()
    assert measured_s(read_lines(path)) == 70.0


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    with pytest.raises(UsageError, match=r"notes\.txt is no list of stalls"):
        read_lines(path)


@pytest.mark.slow
def test_recording_that_breaks_off_is_begun_anew_and_told(tmp_path: Path) -> None:
    asked = []

    def record(open_session: OpenSession, episodes: int, seconds: float, meanwhile: Callable[[], None]) -> None:
        asked.append((open_session.task, episodes, seconds))
        folder = tmp_path / "bench"
        folder.mkdir(exist_ok=True)
        (folder / "episode_0.hdf5").touch()
        meanwhile()
        assert not any(folder.iterdir())
        if len(asked) == 1:
            raise StationError("the session was killed")
        recorder.enough.set()

    now_ns = monotonic_ns()
    recorder = _Recorder(record, tmp_path, 10.0, now_ns, now_ns + 100 * NS_PER_S)
    recorder.run()
    assert asked == [("bench", 9, 10.0)] * 2
    assert [trouble.why for trouble in recorder.take()] == ["the session was killed"]
    assert recorder.take() == []
