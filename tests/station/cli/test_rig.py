"""`station rig …` and `station settings show`, as somebody at a terminal of 80 columns, and a program, use them."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from station.cli import app
from station.cli import rig as command
from station.cli.settings import SettingsShown
from station.errors import StationError, UsageError
from station.rig.choice import choice, rig_of, rig_or_none
from station.rig.entries import NAME
from station.rig.rig import NO_RIG


@pytest.fixture
def home(runtime: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATION_RIG", raising=False)
    monkeypatch.setattr(command.console, "width", 80)
    return Path(runtime)


def run(*arguments: str, answers: str = "") -> Any:
    return CliRunner().invoke(app, list(arguments), input=answers)


@pytest.mark.slow
def test_ls_marks_the_one_that_is_chosen_and_says_by_whom(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = run("rig", "ls").stdout
    assert "none is this computer's. Next: `station rig use NAME`" in out
    assert max(map(len, out.splitlines()[:-2])) <= 80
    assert run("rig", "use", "bench").exit_code == 0
    assert "→ bench" in run("rig", "ls").stdout
    monkeypatch.setenv("STATION_RIG", "sim")
    told = msgspec.json.decode(run("rig", "ls", "--json").stdout, type=command.RigList)
    assert [rig.name for rig in told.rigs if rig.chosen] == ["sim"]
    assert told.chosen_by == "STATION_RIG"


def test_which_rig_it_is_goes_from_the_flag_to_the_variable_to_the_settings(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        UsageError, match=r"which rig\? Next: `--rig NAME`, or once for this computer `station rig use NAME`"
    ):
        rig_of("")
    run("rig", "use", "bench")
    capsys.readouterr()
    assert rig_of("").name == "bench"
    assert capsys.readouterr().err.startswith(f"rig bench, by {home}/config/station/settings.yaml (")
    monkeypatch.setenv("STATION_RIG", "sim")
    assert rig_of("").name == "sim"
    assert "rig sim, by STATION_RIG" in capsys.readouterr().err
    assert rig_of("aloha").name == "aloha"
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("STATION_RIG", "gone")
    with pytest.raises(UsageError, match=r"--rig gone: no such file.*named by STATION_RIG"):
        rig_of("")
    assert choice("aloha").chosen_by == "--rig"


def test_a_computer_without_a_rig_has_one_of_no_devices_where_that_will_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = rig_or_none()
    assert (none.name, none.devices, none.data) == (NO_RIG, (), Path("~/station-data").expanduser())
    assert not NAME.match(NO_RIG), "no file can call its rig that"
    with pytest.raises(UsageError, match=r"--rig gone: no such file"):
        rig_or_none("gone")
    monkeypatch.setenv("STATION_RIG", "sim")
    assert rig_or_none().name == "sim"
    monkeypatch.delenv("STATION_RIG")
    run("rig", "use", "bench")
    assert rig_or_none().name == "bench"


def test_a_rig_that_is_wrong_is_not_taken_for_this_computers(home: Path) -> None:
    file = home / "bad.yaml"
    file.write_text("name: bad\n")
    told = run("rig", "use", str(file))
    assert isinstance(told.exception, StationError) and f"{file} has 1 error" in str(told.exception)
    assert "none is this computer's" in run("rig", "ls").stdout


def test_check_tells_all_with_lines_and_ends_with_the_sum(home: Path) -> None:
    file = home / "bad.yaml"
    file.write_text(
        "name: bad\ntick_hz: 900\ncameras:\n  cam_high: {driver: opencv, source: /dev/c, width: 640, height: 480, fps: 9000}\n"
    )
    result = run("rig", "check", str(file))
    assert result.exit_code == 1
    assert "line 2: tick_hz: 900.0\n    Fix: use 1 to 200" in result.stdout
    assert "line 4: cameras.cam_high.fps: fps must be 5 to 240" in result.stdout
    assert result.stdout.splitlines()[-1].startswith(f"{file}: 2 errors. Next: correct them")
    told = msgspec.json.decode(run("rig", "check", str(file), "--json").stdout, type=command.RigChecked)
    assert not told.good and [problem.line for problem in told.problems] == [2, 4]


def test_check_of_one_without_anything_to_say_says_so() -> None:
    assert command.as_lines(command.RigChecked("/r.yaml", True, ())) == ["/r.yaml: no errors"]


def test_check_of_a_good_one_warns_of_what_will_bite_and_exits_0(home: Path) -> None:
    result = run("rig", "check", "aloha")
    assert result.exit_code == 0
    assert "/dev/ttyDXL_leader_left is not there" in result.stdout
    assert result.stdout.count("plug it in and switch it on") == 1, "what all want alike is said once"
    assert result.stdout.splitlines()[-1].endswith("no errors, 8 things that will bite")


def test_show_fits_a_small_terminal_and_json_has_the_rest(home: Path) -> None:
    out = run("rig", "show", "bench").stdout
    assert len(out.splitlines()) <= 24
    assert max(len(line.rstrip()) for line in out.splitlines() if "file" not in line and "Next" not in line) <= 80
    told = msgspec.json.decode(run("rig", "show", "bench", "--json").stdout, type=command.RigShown)
    assert told.devices[0].keys["model"] == "wx250s"
    assert told.chosen_by == "the command line"


def test_settings_show_says_who_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("rig", "use", "bench")
    told = msgspec.json.decode(run("settings", "show", "--json").stdout, type=SettingsShown)
    assert {each.key: (each.value, each.said_by) for each in told.settings} == {
        "rig": ("bench", "settings file"), "data": ("", "default"), "voice": ("speech", "default"),
        "console.address": ("127.0.0.1", "default"), "console.port": (8480, "default"),
    }  # fmt: skip
    assert all(each.what for each in told.settings)
    monkeypatch.setenv("STATION_RIG", "sim")
    assert "rig: sim    (STATION_RIG)" in run("settings", "show").stdout


def test_the_data_folder_of_the_computer_goes_over_the_rigs(home: Path) -> None:
    file = home / "config" / "station" / "settings.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("data: /mnt/episodes\n")
    assert rig_of("bench").data == Path("/mnt/episodes")
    file.unlink()
    assert rig_of("bench").data == Path("~/station-data").expanduser()
