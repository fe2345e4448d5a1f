"""The demo's recordings: what ended early is recorded again, so often and no more."""

from pathlib import Path

import pytest

from station.bus.requests import OpenSession
from station.cli import demo
from station.rig import Rig
from station.rig_file import Safety

RIG = Rig("r", Path("r.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)


@pytest.mark.parametrize(
    ("early", "asked", "missing"),
    [([0], [3], 0), ([1, 0], [3, 1], 0), ([2, 1, 0], [3, 2, 1], 0), ([3, 3, 2, 0], [3, 3, 3], 2)],
)
def test_what_ended_early_is_recorded_again(
    monkeypatch: pytest.MonkeyPatch, early: list[int], asked: list[int], missing: int
) -> None:
    wanted: list[int] = []

    def record(_rig: Rig, _opening: OpenSession, episodes: int, _seconds: float) -> int:
        wanted.append(episodes)
        return early[len(wanted) - 1]

    monkeypatch.setattr(demo, "record_headless", record)
    assert demo._record(RIG, OpenSession("t", "/data"), 3, 11.0) == missing
    assert wanted == asked
