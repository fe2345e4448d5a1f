"""`station rig …` and `station settings show`, as somebody at a terminal of 80 columns, and a program, use them."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from station.cli import app
from station.cli import rig as command
from station.cli.settings import SettingsShown
from station.errors import DeviceSilent, StationError, UsageError
from station.rig import discovery
from station.rig.choice import choice, rig_of
from station.rig.discovery import Found
from station.rig.rig import load_rig, own_rigs

LEADER = Found(
    "arm", "wx250s (USB Serial)", "/dev/ttyUSB0", "/dev/serial/by-id/usb-FT1", "FT1",
    suggestion=("leader: {driver: dynamixel, model: wx250s, port: /dev/serial/by-id/usb-FT1, rate_hz: 200, generation: aloha1}",),
)  # fmt: skip
FOLLOWER = msgspec.structs.replace(
    LEADER, model="vx300s (USB Serial)", port="/dev/ttyUSB1", serial="FT2", advice=("latency timer is 16 ms",),
    suggestion=("follower: {driver: dynamixel, model: vx300s, port: /dev/serial/by-id/usb-FT2, rate_hz: 200, generation: aloha1}",),
)  # fmt: skip
GELLO = msgspec.structs.replace(
    LEADER, model="gello", port="/dev/ttyUSB2", serial="FT3",
    suggestion=(
        "leader: {driver: dynamixel, model: gello, port: /dev/serial/by-id/usb-FT3, rate_hz: 100, baud: 1000000,",
        "         ids: [1, 2, 3, 4, 5, 6, 7], signs: [1, 1, 1, 1, 1, 1], offsets_rad: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],",
        "         gripper: {open_rad: 0.0, close_rad: 1.0}}",
        "# signs, offsets and gripper are placeholders: `station calibrate gello` finds them",
    ),
)  # fmt: skip
SILENT = Found("adapter", "USB Serial", "/dev/ttyUSB9", "/dev/ttyUSB9", "FT9", advice=("check the arm's power",))
WEBCAM = Found(
    "camera", "C922", "/dev/video0", "/dev/v4l/by-id/usb-C922-C1", "C1",
    suggestion=("cam_high: {driver: opencv, source: /dev/v4l/by-id/usb-C922-C1, width: 640, height: 480, fps: 60}",),
)  # fmt: skip
DARK = msgspec.structs.replace(
    WEBCAM, port="/dev/video2", serial="C2",
    suggestion=("cam_high: {driver: opencv, source: /dev/v4l/by-id/usb-C922-C2, width: 640, height: 480, fps: 30}",),
)  # fmt: skip
JPEG = b"\xff\xd8 what it sees"


class Plugged:
    def __init__(self, *found: Found) -> None:
        self.all = list(found)

    def find(self, ports: tuple[str, ...]) -> list[Found]:
        return self.all

    def picture(self, found: Found) -> bytes:
        if found is DARK:
            raise DeviceSilent("C922", found.port, "a picture", "none came", "replug it")
        return JPEG


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


def plug(monkeypatch: pytest.MonkeyPatch, *found: Found) -> None:
    monkeypatch.setattr(discovery, "finders", lambda: {"all": Plugged(*found)})


@pytest.mark.slow
def test_new_asks_what_it_cannot_see_and_writes_a_file_that_loads(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, LEADER, FOLLOWER, GELLO, SILENT, WEBCAM, DARK)
    #                              leader      follower    a gello that is not ours   cam_high    a name taken, then another
    result = run("rig", "new", "lab", answers="left\n\n" + "\n\n" + "skip\n" + "\n" + "cam_high\ncam_low\n")
    assert result.exit_code == 0, result.output
    file = own_rigs() / "lab.yaml"
    assert f"{file} written" in result.stdout
    assert "left out: adapter USB Serial on /dev/ttyUSB9: check the arm's power" in result.stdout
    assert "another camera has that name" in result.stdout
    assert "no picture of it: C922 on /dev/video2: expected a picture; found none came" in result.stdout
    assert (own_rigs() / "lab-pictures" / "0.jpg").read_bytes() == JPEG
    rig = load_rig(file)
    assert [device.node for device in rig.devices] == ["leader_left", "follower_left", "cam_high", "cam_low"]
    text = file.read_text()
    assert text.startswith(f"# yaml-language-server: $schema={home}/config/station/rig-file.schema.json\n")
    assert json.loads((home / "config/station/rig-file.schema.json").read_text())["title"] == "Rig file"
    assert "# wx250s (USB Serial), serial FT1; was /dev/ttyUSB0" in text and "# latency timer is 16 ms" in text
    assert rig_of("lab").file == file, "its name is enough from now on"


@pytest.mark.slow
def test_new_takes_an_arm_for_what_it_is_said_to_be(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, FOLLOWER, msgspec.structs.replace(FOLLOWER, port="/dev/ttyUSB4", suggestion=(
        FOLLOWER.suggestion[0].replace("FT2", "FT5"),)), GELLO)  # fmt: skip
    result = run("rig", "new", "odd", answers="right\nleader\n" + "right\nboss\nleader\nfollower\n" + "\n\nskip\n")
    assert "'boss': leader or follower" in result.stdout and "that side has a leader already" in result.stdout
    file = own_rigs() / "odd.yaml"
    text = file.read_text()
    assert "leader: {driver: dynamixel, model: vx300s" in text and "follower: {driver: dynamixel, model: vx300s" in text


def test_new_is_never_written_over_another_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, WEBCAM)
    file = home / "mine.yaml"
    file.write_text("precious")
    assert "is there already and stays as it is" in str(run("rig", "new", "lab", "--out", str(file)).exception)
    assert "there is a rig sim already" in str(run("rig", "new", "sim").exception)
    assert isinstance(run("rig", "new", "My Rig").exception, UsageError)
    assert file.read_text() == "precious"


@pytest.mark.slow
def test_new_with_nothing_plugged_in_says_what_to_do_and_like_copies_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(monkeypatch)
    told = str(run("rig", "new", "lab").exception)
    assert "nothing that could be a rig's is plugged in" in told and "--like aloha" in told
    assert not (own_rigs() / "lab.yaml").exists()
    assert run("rig", "new", "lab", "--like", "aloha").exit_code == 0
    assert load_rig(own_rigs() / "lab.yaml").name == "lab"
    assert "EEPROM" not in (own_rigs() / "lab.yaml").read_text()
    assert "Focus is fixed as ALOHA fixes it" in (own_rigs() / "lab.yaml").read_text()
    assert "lab" in run("rig", "ls").stdout
