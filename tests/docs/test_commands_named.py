"""What a message or a page tells people to type is a command that there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from station.cli import app

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(?:sudo )?(?:\$\(command -v )?station ([a-z]+)(?: ([a-z]+))?")
COMMANDS = typer.main.get_command(app)
NAMES = frozenset(COMMANDS.list_commands(None))  # type: ignore[attr-defined]


def pages() -> Iterator[Path]:
    """Everything that people read, and the code that speaks to them."""
    for room in ("station", "drivers", "calibration", "docs", "udev"):
        yield from (path for path in (ROOT / room).rglob("*") if path.suffix in (".py", ".md", ".js", ".html"))
    yield from (ROOT / "README.md", ROOT / "CONTRIBUTING.md")


@pytest.mark.parametrize("room", ["station", "drivers", "calibration", "docs", "udev", "."])
def test_every_command_that_is_named_is_there(room: str) -> None:
    wrong, seen = [], 0
    for path in pages():
        if path.relative_to(ROOT).parts[0] != room and not (room == "." and path.parent == ROOT):
            continue
        for name, second in NAMED.findall(path.read_text(errors="replace")):
            seen += 1
            command = COMMANDS.get_command(None, name) if name in NAMES else None  # type: ignore[attr-defined]
            listed = getattr(command, "list_commands", lambda _: ())
            inner = frozenset(listed(None))
            if command is None or (second and inner and second not in inner):
                wrong.append(f"{path.relative_to(ROOT)}: station {name} {second}")
    assert wrong == []
    assert seen, "nothing was looked at"


SPAN = re.compile(r"(?:`(?:sudo )?|\$\(command -v )station\)? ([^`\n]*)")
"""From the command's name to the end of the code, or of the line where it is no code."""
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


@pytest.mark.slow
def test_every_option_that_is_named_with_its_command_is_there() -> None:
    wrong = []
    for path in pages():
        for span in SPAN.findall(path.read_text(errors="replace")):
            command = COMMANDS
            for word in span.split():
                inner = command.get_command(None, word) if hasattr(command, "get_command") else None
                if inner is None:
                    break
                command = inner
            if hasattr(command, "list_commands"):
                continue  # which of its commands is left open
            known = {"--help", *(name for option in command.params for name in (*option.opts, *option.secondary_opts))}
            told = f"{path.relative_to(ROOT)}: {span[:60]!r}"
            wrong += [f"{told}: {name}" for name in OPTION.findall(span) if name not in known]
    assert wrong == []
