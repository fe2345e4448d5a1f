"""docs/guide/first-week.md, walked: each command of its screens is typed, in their order, on a machine that has nothing yet."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "first-week.md"
HOME = "/home/ann"
"""What the page calls the home of whoever walks it."""
_ANSWERED = re.compile(r"(.*: )(⏎|skip)")
"""A question, and what is typed behind it; `⏎` is Enter alone."""
_SCREEN = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Typed(NamedTuple):
    """A command, and what the page says that it prints."""

    command: str
    prints: str


def screens(text: str) -> Iterator[Typed]:
    """Every command of a page's screens."""
    for screen in _SCREEN.findall(text):
        for part in re.split(r"^\$ ", screen, flags=re.MULTILINE)[1:]:
            command, _, prints = part.partition("\n")
            yield Typed(command, prints.rstrip("\n"))


def pattern(prints: str) -> re.Pattern[str]:
    """`…` in a line is anything in it; a line of nothing else is any number of lines. What is typed is not printed, nor is its Enter.

    How wide a table's columns are, their longest names say, and is no word of the page's.
    """
    lines = []
    for line in prints.split("\n"):
        answered = _ANSWERED.fullmatch(line)
        if line == "…":
            lines.append(r"(?:[^\n]*\n)*")
        else:
            shown = answered[1] if answered else line.rstrip()
            lines.append(".*".join(map(_of_any_width, shown.split("…"))) + ("" if answered else r"[ ]*\n"))
    return re.compile("".join(lines))


def _of_any_width(text: str) -> str:
    """A pattern of a piece of a line: two spaces are the distance of columns, and a rule under a table is as long as it is."""
    return re.sub(r"─{2,}", "─+", re.sub(r"(\\ ){2,}", " +", re.escape(text)))


def answers(prints: str) -> str:
    """What whoever walks the page types behind the questions."""
    typed = (match[2] for line in prints.split("\n") if (match := _ANSWERED.fullmatch(line)))
    return "".join(f"{'' if word == '⏎' else word}\n" for word in typed)


def wrong(typed: Typed, printed: str) -> str:
    """What differs, in words; "" if nothing does."""
    plain = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    if pattern(typed.prints).fullmatch(plain):
        return ""
    return f"$ {typed.command}\n--- the page\n{typed.prints}\n--- it prints\n{plain}"


def test_the_page_has_screens_and_no_command_in_them_is_left_out() -> None:
    found = list(screens(PAGE.read_text()))
    assert len(found) > 12 and all(typed.command.startswith("station ") for typed in found)
    assert {"rig", "up", "record", "run", "eval"} <= {typed.command.split()[1] for typed in found}


def test_what_differs_is_found() -> None:
    typed = Typed("station x", "one … three\n…\nlast")
    assert not wrong(typed, "one two three   \nlast\n") and not wrong(typed, "one 2 three\na\nb\nlast\n")
    table = Typed("station x", "rig  arms\n────────\n→ a     2\n…")
    assert not wrong(table, "rig      arms\n─────────────\n→ a         2\n→ longer    4\n")
    assert wrong(table, "rig      arms\n─────────────\n→ a         4\n")
    asks = Typed("station x", "go on: ⏎\nmove …: skip\ndone")
    assert answers(asks.prints) == "\nskip\n"
    assert not wrong(asks, "go on: move it: done\n") and wrong(asks, "go on: done\n")
    for printed in ("one two\nlast\n", "one two three\n", "one two three\nlast\nmore\n", ""):
        assert "--- it prints" in wrong(typed, printed)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_each_command_prints_what_the_page_says() -> None:
    with tempfile.TemporaryDirectory(prefix="ann-", dir="/tmp") as home:
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "STATION_"))}
        environment = bare | {"HOME": home, "XDG_RUNTIME_DIR": f"{home}/run", "COLUMNS": "80", "PYTHONUNBUFFERED": "1"}
        found = []
        for typed in screens(PAGE.read_text()):
            done = subprocess.run(
                [sys.executable, "-m", "station.cli", *typed.command.split()[1:]], cwd=home, env=environment,
                input=answers(typed.prints), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            said = done.stdout.replace(home, HOME)
            found.append(
                wrong(typed, said)
                or ("" if done.returncode == 0 else f"$ {typed.command}: exit {done.returncode}\n{said}")
            )
        assert not any(found), "\n\n".join(filter(None, found))
