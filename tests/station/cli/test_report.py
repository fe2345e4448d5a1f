"""`station report`: listed before it is written, without names, pictures and addresses, never over another file."""

import getpass
import zipfile
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from station.cli import app
from station.cli import report as command
from station.cli.report import ReportTold
from station.errors import StationError
from station.files.logs import logs_folder


@pytest.fixture
def rig(runtime: str) -> str:
    (logs_folder("bench") / "pilot.log").write_text(f"INFO pilot: {getpass.getuser()} engaged from 192.168.1.77\n")
    (Path(runtime) / "config" / "station").mkdir(parents=True)
    (Path(runtime) / "config" / "station" / "settings.yaml").write_text("voice: beeps\n")
    return "bench"


@pytest.mark.slow
def test_it_is_listed_written_and_holds_what_it_lists(rig: str, tmp_path: Path) -> None:
    out = tmp_path / "report.zip"
    result = CliRunner().invoke(app, ["report", str(out), "--rig", rig, "--yes"])
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        for name in (
            "versions.txt",
            "rig.yaml",
            "settings.yaml",
            "status.json",
            "logs/pilot.log",
            "usb.txt",
            "kernel.txt",
        ):
            assert name in names and name in result.stdout
        log = archive.read("logs/pilot.log").decode()
        assert log == "INFO pilot: <name> engaged from <address>\n"
        assert "driver: dynamixel" in archive.read("rig.yaml").decode()
        assert "msgspec" in archive.read("versions.txt").decode()
        assert "no station runs" in archive.read("status.json").decode() or "{" in archive.read("status.json").decode()
    assert "left out: episodes, pictures" in result.stdout
    again = CliRunner().invoke(app, ["report", str(out), "--rig", rig, "--yes"]).exception
    assert isinstance(again, StationError) and "stays as it is" in str(again)


@pytest.mark.slow
def test_without_a_yes_nothing_is_written_and_a_program_is_told_what_would_be(rig: str, tmp_path: Path) -> None:
    out = tmp_path / "report.zip"
    refused = CliRunner().invoke(app, ["report", str(out), "--rig", rig])
    assert isinstance(refused.exception, StationError) and "versions.txt" in refused.stdout
    told = msgspec.json.decode(
        CliRunner().invoke(app, ["report", str(out), "--rig", rig, "--json"]).stdout, type=ReportTold
    )
    assert not told.written and {part.name for part in told.parts} >= {"versions.txt", "kernel.txt"}
    assert not out.exists() and list(tmp_path.iterdir()) == []


def test_a_long_log_keeps_its_end_and_says_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LONGEST_BYTES", 10)
    (tmp_path / "a.log").write_text("0123456789abcdef")
    assert command._tail(tmp_path / "a.log") == "(the first 6 bytes are left out)\n6789abcdef"
    assert "cannot be read" in command._tail(tmp_path / "none.log")


def test_the_usb_tree_is_by_place(tmp_path: Path) -> None:
    (tmp_path / "1-2.3").mkdir()
    (tmp_path / "1-2.3" / "product").write_text("C922\n")
    (tmp_path / "1-2.3" / "serial").write_text("ABC\n")
    assert command._usb_tree(tmp_path) == "1-2.3: C922, ABC\n"
    assert command._usb_tree(tmp_path / "none") == "no USB here\n"
