"""Foreign text on terminals, in tables, logs and pages: shown as text, whatever is in it."""

import io
import logging
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from station.terminal.screen import PlainConsole
from station.terminal.shown import OneLine, shown, shown_lines

HOSTILE = [
    "eve[/red]", "[/]", "[bold]x", "\x1b]0;owned\x07", "\x1b[2J\x1b[H", "a\nforged: all well", "\r\x1b[K", "\u202egnp.exe", "\x9b31m",
    ":smile:", "[link=file:///x]y[/link]", "\udce9", "\u2028", "\u2066x\u2069", "\x00", "\x7f", "\u00ad", "\ufeff", "\U000e0041",
]  # fmt: skip
ANYTHING = st.text(st.characters() | st.sampled_from("\x1b[]/\x07\n\r\u202e:"), max_size=30)


def printed(*things: object, **options: Any) -> str:
    file = io.StringIO()
    PlainConsole(file=file, width=200, **options).print(*things)
    return file.getvalue()


@given(ANYTHING)
def test_one_printable_line_that_tells_every_character(text: str) -> None:
    told = shown(text)
    assert told.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert shown(told) == told
    assert all(character in told for character in text if character.isprintable())
    told.encode()


def test_what_is_printable_stays_as_it_is() -> None:
    for text in ("eve[/red]", "кубик → 把手 é ° µ …", "می\u200cخواهم", "👩\u200d🔬", r"C:\x1b", ""):
        assert shown(text) == text


def test_lines_of_ours_stay_lines() -> None:
    assert shown_lines("a\nb\x1b[0m\r") == "a\nb\\x1b[0m\\r"


@pytest.mark.parametrize("text", HOSTILE)
def test_the_terminal_shows_it_as_text_wherever_it_stands(text: str) -> None:
    table = Table(text, title=text, caption=text)
    table.add_row(text)
    for thing in (text, table, Text(text), Panel(text), Panel(Text(text), title=Text(shown(text)))):
        out = printed(thing)
        assert shown(text) in out or isinstance(thing, Text)
        assert all(line.isprintable() for line in out.replace("\u200d", "").splitlines() if line)
        out.encode()
    assert printed(text) == shown(text) + "\n"


@given(ANYTHING)
def test_nothing_breaks_the_terminal(text: str) -> None:
    table = Table("x")
    table.add_row(text)
    assert "\x1b" not in printed(text) + printed(table) + printed(Text(text))


def test_styles_of_our_own_still_reach_a_terminal() -> None:
    assert "\x1b[1m" in printed(Text("bold", "bold"), force_terminal=True, color_system="256")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_record_of_a_log_is_one_line(text: str) -> None:
    record = logging.LogRecord("pilot", logging.WARNING, "", 1, "said %s", (text,), None)
    line = OneLine("%(levelname)s %(name)s: %(message)s").format(record)
    assert line == f"WARNING pilot: said {shown(text)}"


def test_a_trace_keeps_its_lines_and_shows_what_was_in_it() -> None:
    try:
        raise ValueError("\x1b]0;x\x07")
    except ValueError:
        record = logging.LogRecord("pilot", logging.ERROR, "", 1, "fell over", (), sys.exc_info())
    told = OneLine("%(message)s").format(record)
    assert told.splitlines()[0] == "fell over" and told.splitlines()[-1] == "ValueError: \\x1b]0;x\\x07"
    assert "\x1b" not in told
