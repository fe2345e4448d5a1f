"""`station status`: what a small terminal shows of it, and who runs without its real-time priority."""

import time

import pytest

from station.bus.messages import Health, ProcessState, StationState, StreamHealth
from station.cli import status
from station.client import Station
from station.errors import StationError
from station.rig.rig import find_rig, load_rig
from station.runtime.processes import processes
from station.terminal.screen import console

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
    monkeypatch.setattr(Station, "state", lambda _: StationState("bench", "", 1, 0, tuple(made)))
    monkeypatch.setattr(console, "width", columns)
    status.status(str(find_rig("bench")))
    return capsys.readouterr().out


def cell(out: str, node: str) -> str:
    (line,) = [line for line in out.splitlines() if line.startswith(node + " ")]
    title = next(line for line in out.splitlines() if line.startswith("node "))
    return line[: title.index("real time") + len("real time")].split()[-1]


@pytest.mark.slow
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


def made(*states: tuple[str, str, str]) -> StationState:
    """Nodes by name, state and error."""
    told = (ProcessState(node, 1, True, 0, 1, 1, Health(node, state, error), 0, "") for node, state, error in states)  # type: ignore[arg-type]
    return StationState("bench", "", 1, 0, tuple(told))


def test_the_first_line_says_how_it_is_and_what_to_do_next() -> None:
    assert status.headline(made(("pilot", "ok", ""), ("cam_low", "warn", ""))).startswith(
        "all 2 processes are well. Next: `station check"
    )
    gone = "cam_low on /dev/CAM_LOW: expected a picture source; found no such device. Next: check the USB cable"
    assert (
        status.headline(made(("pilot", "ok", ""), ("cam_low", "fault", gone)))
        == "1 of 2 not well: cam_low. Next: check the USB cable"
    )
    assert status.headline(made(("pilot", "opening", ""))) == "starting: pilot. Next: wait; this takes some seconds"
    assert "`station logs pilot --rig bench`" in status.headline(made(("pilot", "fault", "fell over")))


class Starting:
    """What a station does when it is started with one device missing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, comes_after: int = 0) -> None:
        self.stopped, self.looks, self.comes_after, self.returncode = 0, 0, comes_after, None
        monkeypatch.setattr(Station, "runs", property(lambda _: False))
        monkeypatch.setattr(Station, "start", lambda _, child: self)
        monkeypatch.setattr(Station, "wait_ready", self.wait_ready)
        monkeypatch.setattr(Station, "state", lambda _: self.state())
        monkeypatch.setattr(Station, "stop", self.stop)
        monkeypatch.setattr(time, "sleep", lambda _: None)

    def poll(self) -> None:
        return None

    def wait_ready(self, *_: object) -> None:
        raise StationError("cam_low on /dev/CAM_LOW: no such device")

    def state(self) -> StationState:
        self.looks += 1
        return made(("pilot", "ok", ""), ("cam_low", "ok" if self.looks > self.comes_after else "fault", ""))

    def stop(self, *_: object) -> tuple[str, ...]:
        self.stopped += 1
        return ()


def test_up_is_whole_or_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    starting = Starting(monkeypatch)
    with pytest.raises(StationError, match=r"(?s)no such device.*nothing is left running. Next: mend that"):
        status.up(str(find_rig("bench")))
    assert starting.stopped == 1


def test_up_that_waits_stays_up_and_announces_what_comes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    starting = Starting(monkeypatch, comes_after=3)
    status.up(str(find_rig("bench")), wait=True)
    out = capsys.readouterr().out
    assert "up, but not whole:\ncam_low on /dev/CAM_LOW: no such device" in out
    assert "waiting for cam_low" in out and "cam_low is there now; it holds as it stands" in out
    assert "all 2 processes are well" in out
    assert starting.stopped == 0


def test_up_that_waits_stays_up_when_nobody_waits_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    starting = Starting(monkeypatch, comes_after=10**9)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        status.up(str(find_rig("bench")), wait=True)
    assert starting.stopped == 0
