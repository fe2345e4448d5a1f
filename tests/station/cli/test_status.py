"""`station status`: who runs without the real-time priority that the process table gives it."""

import pytest

from station.bus.messages import Health, ProcessState, StationState
from station.cli import attach, status
from station.rig.rig import find_rig, load_rig
from station.runtime.processes import processes


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], realtime: dict[str, int]) -> str:
    rows = processes(load_rig(find_rig("bench")))
    made = [
        ProcessState(
            row.node, 1, True, 0, 0, 0, Health(row.node, "ok", "", realtime=realtime.get(row.node, row.realtime)), 0, ""
        )
        for row in rows
    ]
    monkeypatch.setattr(status, "station_state", lambda rig: StationState("bench", "", 1, 0, tuple(made)))
    monkeypatch.setattr(attach.console, "width", 200)
    status.status(str(find_rig("bench")))
    return capsys.readouterr().out


def cell(out: str, node: str) -> str:
    (line,) = [line for line in out.splitlines() if line.startswith("│ " + node + " ")]
    titles = [title.strip() for title in out.splitlines()[2].split("┃")]
    return line.split("│")[titles.index("real time")].strip()


def test_who_has_its_priority_is_shown_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(monkeypatch, capsys, {})
    assert (cell(out, "pilot"), cell(out, "follower_left"), cell(out, "cam_high"), cell(out, "policy")) == (
        "20",
        "20",
        "5",
        "10",
    )
    assert "without their real-time priority" not in out


def test_who_lacks_it_is_named_with_the_act_that_grants_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(monkeypatch, capsys, {"pilot": 0, "follower_left": 0, "cam_high": 0})
    assert (cell(out, "pilot"), cell(out, "cam_high"), cell(out, "synchronizer")) == ("no", "no", "20")
    line = out[out.index("without their real-time priority") :]
    assert "follower_left, pilot. Next: start the station by udev/station@.service" in line
    assert "cam_high" not in line
