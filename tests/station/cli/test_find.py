from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from station.cli import find as command
from station.errors import StationError
from station.rig import discovery as found
from station.rig.discovery import Discovered, Found

LEADER = Found(
    "arm", "gello (USB <-> Serial Converter)", "/dev/ttyUSB0", "/dev/serial/by-id/usb-FT1", "FT1",
    details=("at 57600 baud: 7 servos: 1–7 xl330_m288",), suggestion=("leader: {driver: dynamixel}",),
    advice=("57600 baud cannot do 50 Hz",), rule='ATTRS{serial}=="FT1", SYMLINK+="{name}"', name="ttyDXL_leader",
)  # fmt: skip


class Finder:
    def find(self, ports: tuple[str, ...]) -> list[Found]:
        return [LEADER] if not ports or LEADER.port in ports else []

    def set_baud(self, port: str, baud: int) -> str:
        return f"7 servos on {port} are at {baud} baud now"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(found, "finders", lambda: {"dynamixel": Finder()})
    return CliRunner()


def app() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command.find)
    app.command()(command.udev)
    return app


def test_find_shows_servos_lines_and_advice(run: CliRunner) -> None:
    result = run.invoke(app(), ["find"])
    assert result.exit_code == 0
    for part in (
        "gello (USB <-> Serial Converter) on /dev/ttyUSB0 = /dev/serial/by-id/usb-FT1, serial FT1",
        "7 servos",
        "rig file:  leader:",
        "cannot do 50 Hz",
    ):
        assert part in result.stdout
    told = run.invoke(app(), ["find", "--json"])
    assert msgspec.json.decode(told.stdout, type=Discovered) == Discovered((LEADER,), ())


def test_find_on_a_bare_computer_says_so(run: CliRunner) -> None:
    result = run.invoke(app(), ["find", "--port", "/dev/ttyUSB9"])
    assert result.exit_code == 1
    assert isinstance(result.exception, StationError)
    assert "nothing found on /dev/ttyUSB9. Next: " in str(result.exception)


def test_set_baud_is_passed_on(run: CliRunner) -> None:
    result = run.invoke(app(), ["find", "--set-baud", "1000000", "/dev/ttyUSB0"])
    assert result.exit_code == 0
    assert "7 servos on /dev/ttyUSB0 are at 1000000 baud now" in result.stdout


def test_udev_prints_and_writes(run: CliRunner, tmp_path: Path) -> None:
    printed = run.invoke(app(), ["udev", "--name", "FT1=ttyDXL_leader_left"])
    assert 'SYMLINK+="ttyDXL_leader_left"' in printed.stdout
    file = tmp_path / "99-station.rules"
    written = run.invoke(app(), ["udev", "--install", "--file", str(file)])
    assert "udevadm" in written.stdout
    assert 'SYMLINK+="ttyDXL_leader"' in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["udev", "--name", "FT1"], "SERIAL=NAME"),
        (["udev", "--name", 'FT1=a"b'], "letters, digits"),
        (["udev", "--name", "FT7=x"], "nothing plugged in"),
        (["udev", "--port", "/dev/ttyUSB9"], "plug the arms"),
        (["udev", "--install", "--file", "/nowhere/at/all"], "sudo"),
    ],
)
def test_refusals_say_what_to_do(run: CliRunner, arguments: list[str], says: str) -> None:
    result = run.invoke(app(), arguments)
    assert isinstance(result.exception, StationError)
    assert says in str(result.exception)
