"""The unit that brings a station up with its computer."""

import getpass
from pathlib import Path, PurePath

import pytest
from typer.testing import CliRunner

from station.cli.service import app
from station.errors import StationError, UsageError
from station.runtime.unit import STOP_S, unit

ROOT = Path(__file__).parents[3]


def test_the_unit_in_the_repository_is_this_text() -> None:
    assert (ROOT / "udev" / "station@.service").read_text() == unit(
        PurePath("/opt/station/.venv/bin/station"), "station"
    )


def test_it_waits_longer_than_stop_takes() -> None:
    assert STOP_S > 10


def test_it_is_written_for_this_command_and_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/srv/lab/bin/station"])
    mine = ["--user", getpass.getuser()]
    file = tmp_path / "station@.service"
    result = CliRunner().invoke(app, ["install", *mine, "--file", str(file)])
    assert result.exit_code == 0
    assert "Next: sudo systemctl daemon-reload" in result.stdout
    text = file.read_text()
    assert f"User={getpass.getuser()}\n" in text
    assert "ExecStop=/srv/lab/bin/station stop --rig %i\n" in text
    assert CliRunner().invoke(app, ["install", *mine, "--show"]).stdout == text


def test_what_cannot_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ["--user", getpass.getuser()]
    found = CliRunner().invoke(app, ["install", "--user", "nosuchuser", "--show"]).exception
    assert isinstance(found, UsageError)
    assert "no such user" in str(found)
    found = CliRunner().invoke(app, ["install", *mine, "--file", str(tmp_path / "nowhere" / "unit")]).exception
    assert isinstance(found, StationError)
    assert "Next: sudo " in str(found)
    monkeypatch.setattr("sys.argv", ["/home/a b/station"])
    assert isinstance(CliRunner().invoke(app, ["install", *mine, "--show"]).exception, StationError)
    monkeypatch.setenv("SUDO_USER", "root")
    assert "name the operator" in str(CliRunner().invoke(app, ["install", "--show"]).exception)
