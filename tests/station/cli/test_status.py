"""`station status`: what a small terminal shows of it, and who runs without its real-time priority."""

import pytest

from station.bus.messages import Health, ProcessState, StationState, StreamHealth
from station.cli import status
from station.rig.rig import find_rig, load_rig
from station.runtime.processes import processes

RATES = (StreamHealth("arm_state", 200, 200, 4_000_000), StreamHealth("applied", 200, 200, 4_000_000))


def told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    realtime: dict[str, int],
    said: dict[str, tuple[str, str]] | None = None,
    columns: int = 200,
) -> str:
    """`said`: error and note of a node."""
    rows = processes(load_rig(find_rig("bench")))
    made = []
    for row in rows:
        error, note = (said or {}).get(row.node, ("", ""))
        health = Health(
            row.node, "fault" if error else "ok", error, RATES, notes=tuple(filter(None, [note])),
            realtime=realtime.get(row.node, row.realtime),
        )  # fmt: skip
        made.append(ProcessState(row.node, 1, True, 0, 100, 700, health, 0, ""))
    monkeypatch.setattr(status.Station, "state", lambda _: StationState("bench", "", 1, 0, tuple(made)))
    monkeypatch.setattr(status.console, "width", columns)
    status.status(str(find_rig("bench")))
    return capsys.readouterr().out


def cell(out: str, node: str) -> str:
    (line,) = [line for line in out.splitlines() if line.startswith(node + " ")]
    title = next(line for line in out.splitlines() if line.startswith("node "))
    return line[: title.index("real time") + len("real time")].split()[-1]


def test_a_terminal_of_80_columns_shows_every_name_and_every_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    note = "wx250s leader_left, firmware 46; current_ma of wrist_rotate, gripper is the servo's load in 0.1 %"
    error = "cam_low on /dev/CAM_LOW: expected a picture source; found no such device. Next: check the USB cable"
    out = told(monkeypatch, capsys, {}, {"leader_left": ("", note), "cam_low": (error, "a note")}, columns=80)
    numbers = out[out.index("node ") : out.index("leader_left: ")]
    assert max(len(line.rstrip()) for line in numbers.splitlines()) <= 80
    for row in processes(load_rig(find_rig("bench"))):
        assert cell(out, row.node) == (str(row.realtime) if row.realtime else "–")
    assert f"leader_left: {note}\n" in out
    assert out.endswith(f"cam_low: {error}\n"), "what is wrong is what is left on the screen"


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
