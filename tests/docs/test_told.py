"""`--json`: which commands have it, and that what they write is what the reference says, read back strictly."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from station.cli import app
from station.cli.tells import TELLS, schema, told_by
from station.files.logs import logs_folder
from station.terminal.told import as_text
from tests.station.cli.recorded import record

ACTS = {
    "demo", "rig new", "rig use", "udev", "service install", "calibrate board", "calibrate arms", "calibrate gello", "calibrate grippers",
    "calibrate cameras", "calibrate latency", "record", "teleop", "pedal", "run", "eval", "policy import act", "policy import lerobot",
    "replay", "park", "recover", "episodes label", "episodes edit", "episodes delete", "console revoke",
}  # fmt: skip
"""They do something, or lead somebody through it; what is to be known of it afterwards another one tells. `eval` writes summary.json,
`udev` and `service install --show` print a file as it is."""
RUNNER = CliRunner()


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command by the words that one types."""
    if hasattr(command, "list_commands"):
        for child in command.list_commands(None):
            yield from commands(f"{name} {child}".strip(), command.get_command(None, child))
        return
    yield name, command


def test_every_command_that_tells_something_tells_programs_the_same() -> None:
    there = dict(commands("", typer.main.get_command(app)))
    with_json = {name for name, command in there.items() if any("--json" in option.opts for option in command.params)}
    assert {name.partition(" --")[0] for name in TELLS} == with_json
    assert set(there) - with_json == ACTS, "a new command tells with --json (station/cli/tells.py), or acts"


def test_the_schema_has_every_command_and_nothing_that_is_not_defined() -> None:
    made = schema()
    assert set(made["properties"]) == set(TELLS)
    used = {word for word in as_text_words(made) if word.startswith("#/$defs/")}
    assert {word.removeprefix("#/$defs/") for word in used} <= set(made["$defs"])


def as_text_words(value: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, dict):
        for each in value.values():
            yield from as_text_words(each)
    elif isinstance(value, list):
        for each in value:
            yield from as_text_words(each)
    elif isinstance(value, str):
        yield value


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A task with two episodes."""
    for number in (0, 1):
        record(tmp_path, number, rows=12)
    return tmp_path


WITHOUT_A_RIG = {
    "rig ls": (),
    "rig check": ("bench",),
    "rig show": ("bench",),
    "settings show": (),
    "find": (),
    "logs": ("--rig", "bench"),
    "policy show": ("handover",),
    "console link": (),
    "console ls": (),
    "episodes ls": ("DATA",),
    "episodes show": ("DATA/cube/episode_0.hdf5",),
    "episodes verify": ("DATA",),
    "episodes recover": ("DATA",),
    "episodes view": ("DATA/view", "--data", "DATA", "--include", "all"),
    "dataset stats": ("DATA",),
    "dataset select": ("DATA/selection.yaml", "--from", "DATA"),
    "dataset formats": (),
}


@functools.cache
def _schema() -> dict[str, Any]:
    return schema()


@pytest.mark.parametrize("command", WITHOUT_A_RIG)
def test_what_is_told_is_what_the_table_says(command: str, data: Path, runtime: str) -> None:
    (logs_folder("bench") / "pilot.log").write_text("2026-11-29T13:08:44.123+01:00 1234.567890 INFO pilot: begins\n")
    words = [*command.split(), *(word.replace("DATA", str(data)) for word in WITHOUT_A_RIG[command]), "--json"]
    done = RUNNER.invoke(app, words)
    document = msgspec.json.decode(done.stdout)
    whole = _schema()
    Draft202012Validator({**whole["properties"][command], "$defs": whole["$defs"]}).validate(document)
    read = msgspec.convert(document, told_by(command), dec_hook=lambda kind, value: kind(value))
    assert msgspec.json.decode(as_text(read)) == document, "nothing in it that the struct has not"
