"""What people and devices gave is shown as text by every command: an operator called `eve[/red]`, escapes in a note."""

import datetime
from pathlib import Path

import h5py
import pytest
from rich.text import Text
from typer.testing import CliRunner, Result

from calibration.checks import report
from station.bus.messages import Health, PilotState, ProcessState, SessionState, StationState
from station.bus.requests import OpenSession
from station.cli import find, status
from station.cli.episodes import app
from station.cli.operator.bindings import Plan
from station.cli.operator.board import Board
from station.cli.operator.note import Line
from station.cli.operator.panel import HEIGHT, WIDTH, render
from station.cli.operator.screen import as_text
from station.client import Station
from station.console.vr_board import board as vr_board
from station.episodes import naming
from station.episodes.finalise import finalise
from station.files.check_results import CheckResult, Finding
from station.rig.discovery import Discovered, Found
from station.rig.rig import find_rig, load_rig
from station.terminal.screen import console
from tests.station.episodes.recording import Recording, header, jpeg, write

HOSTILE = "eve[/red][/]\x1b]0;owned\x07\u202egnp.$\\frac{"
SHOWN = "eve[/red][/]\\x1b]0;owned\\x07\\u202egnp.$\\frac{"


def station(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "250"})


def harmless(text: str) -> None:
    assert not [line for line in text.splitlines() if line and not line.isprintable()], text


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(5, [jpeg()]), header())
    path = finalise(part)
    assert path is not None
    with h5py.File(path, "r+") as file:
        for name in ("task", "operator", "instruction", "ended"):
            file.attrs[name] = HOSTILE
        file.attrs["dim_names"] = [HOSTILE] * len(file.attrs["dim_names"])
    return path


@pytest.mark.slow
def test_every_command_of_episodes(episode: Path, tmp_path: Path) -> None:
    assert station("label", episode, "--note", HOSTILE, "--success").exit_code == 0
    for command in (
        ("ls", tmp_path),
        ("show", episode, "--pictures", tmp_path / "p"),
        ("verify", episode),
        ("verify", tmp_path),
    ):
        got = station(*command)
        assert got.exception is None or isinstance(got.exception, SystemExit), got.exception
        harmless(got.output)
        if command[0] in ("ls", "show"):
            assert "eve[/red][/]\\x1b]0;owned" in got.output.replace("\n", "")
    strange = tmp_path / "[bold]\x1b[2J"
    strange.mkdir()
    (strange / "episode_0.hdf5").write_bytes(b"torn")
    for command in (
        ("ls", tmp_path),
        ("verify", strange),
        ("show", strange / "episode_0.hdf5"),
        ("delete", strange / "x.hdf5"),
    ):
        harmless(station(*command).output)


@pytest.mark.slow
def test_the_panel_in_every_place(capsys: pytest.CaptureFixture[str]) -> None:
    rig = load_rig(find_rig("bench"))
    for phase in ("ready", "hold", "ended", "recording"):
        board = Board(rig, Plan(OpenSession(HOSTILE, operator=HOSTILE), None), session_ns=1)
        board.session = SessionState(phase, HOSTILE, HOSTILE, 1, 0, 0, 0, 0, (), why=HOSTILE)
        board.pilot = PilotState("hold", "none", HOSTILE, ())
        health = Health("cam_high", "fault", HOSTILE)
        board.station = StationState(
            "bench", "", 1, 0, (ProcessState("cam_high", 1, True, 0, 0, 0, health, 0, HOSTILE),)
        )
        board.tell(HOSTILE, "bad", 1)
        for note in (None, Line(HOSTILE)):
            board.note = note
            lines = Text.from_ansi(as_text(render(board, 1))).plain.splitlines()
            assert len(lines) <= HEIGHT and all(len(line) <= WIDTH and line.isprintable() for line in lines if line)
            assert "eve[/red][/]" in "".join(lines)


def test_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    health = Health("cam_high", "warn", HOSTILE, notes=(HOSTILE,))
    state = StationState("bench", HOSTILE, 1, 0, (ProcessState("cam_high", 1, True, 0, 0, 0, health, 0, HOSTILE),))
    monkeypatch.setattr(Station, "state", lambda _: state)
    monkeypatch.setattr(console, "width", 250)
    status.status(str(find_rig("bench")))
    out = capsys.readouterr().out
    harmless(out)
    assert SHOWN in out


def test_a_checks_table_and_page(capsys: pytest.CaptureFixture[str]) -> None:
    result = CheckResult("fail", (Finding(HOSTILE, HOSTILE, "fail", HOSTILE, HOSTILE, HOSTILE, f"<script>{HOSTILE}"),))
    console.print(report.table(result))
    harmless(capsys.readouterr().out)
    page = report.page(
        result, [], report.Header(HOSTILE, "0" * 64, datetime.datetime.now(datetime.UTC), HOSTILE, HOSTILE)
    )
    assert "<script>" not in page and "\x1b" not in page and "\u202e" not in page
    assert "&lt;script&gt;eve[/red][/]\\x1b]0;owned" in page


def test_the_headsets_board() -> None:
    session = SessionState("hold", HOSTILE, HOSTILE, 1, 0, 0, 0, 0, (), why=HOSTILE)
    told = vr_board(session, None, None, 50.0)
    assert told.text.isprintable() and told.why.isprintable()
    assert vr_board(session, PilotState("hold", "none", HOSTILE, ()), None, 50.0).why == SHOWN


def test_what_is_plugged_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    model = f'{HOSTILE}\nSUBSYSTEM=="tty", RUN+="/bin/sh"'
    device = Found(
        "adapter", model, "/dev/ttyUSB0", "/dev/ttyUSB0", HOSTILE, (HOSTILE,), (HOSTILE,), (HOSTILE,), 'A=="b"', "x"
    )
    monkeypatch.setattr(find, "discover", lambda ports: Discovered((device,), (HOSTILE,)))
    find.find()
    find.udev()
    out = capsys.readouterr().out
    harmless(out)
    assert not [line for line in out.splitlines() if line.startswith("SUBSYSTEM")]
