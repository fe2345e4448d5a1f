"""What TAB offers, asked as bash asks it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from station.cli.completion import OFFERED
from station.cli.lazily import app


@pytest.fixture(autouse=True)
def own_rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer with a rig of its own, which has recordings of two tasks, and nobody's choice of a rig."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("STATION_RIG", raising=False)
    folder = tmp_path / "station" / "rigs"
    folder.mkdir(parents=True)
    for task in ("pick", "place"):
        (tmp_path / "data" / task).mkdir(parents=True)
    shipped = (Path(__file__).parents[3] / "station" / "rigs" / "bench.yaml").read_text()
    lines = [f"data: {tmp_path / 'data'}" if line.startswith("data:") else line for line in shipped.splitlines()]
    (folder / "kitchen.yaml").write_text("\n".join(lines))
    return folder / "kitchen.yaml"


def offered(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What bash would show at the end of the line."""
    monkeypatch.setenv("_STATION_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit) as ended:
        typer.main.get_command(app).main(args=[], prog_name="station")
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("station ca", ["calibrate"]),
        ("station up --rig be", ["bench"]),
        ("station up --rig ki", ["kitchen"]),
        ("station rig check aloha", ["aloha", "aloha2"]),
        ("station record --rig kitchen --task p", ["pick", "place"]),
        ("station recover --rig bench follower_", ["follower_left", "follower_right"]),
        ("station calibrate gello --rig bench --only cam_l", ["cam_left_wrist", "cam_low"]),
        ("station logs --rig bench s", ["session", "synchronizer"]),
        ("station recover --rig nowhere follower_", []),
        ("station recover follower_", []),
        ("station up --rig ./", []),
    ],
)
def test_tab_offers(
    line: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offered(line, monkeypatch, capsys) == words


def test_the_rig_need_not_be_named_where_the_computer_has_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATION_RIG", "bench")
    assert offered("station recover leader_l", monkeypatch, capsys) == ["leader_left"]


def test_names_of_commands_are_offered_without_importing_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("station.cli.lazily.import_module", lambda name: pytest.fail(f"{name} was imported"))
    assert {"record", "calibrate", "status"} <= set(offered("station ", monkeypatch, capsys))


def test_every_row_is_a_parameter_of_some_command() -> None:
    named: set[str] = set()

    def look(command: Any) -> None:
        named.update(parameter.name for parameter in command.params)
        if hasattr(command, "list_commands"):
            for name in command.list_commands(None):
                look(command.get_command(None, name))

    look(typer.main.get_command(app))
    assert set(OFFERED) <= named


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_is_installed_is_a_script_for_the_shell(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    with pytest.raises(SystemExit):
        typer.main.get_command(app).main(args=["--show-completion", shell], prog_name="station")
    script = capsys.readouterr().out
    assert "_STATION_COMPLETE=complete_" in script
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
