"""A terminal smaller than 80×24: nothing is wider or longer than it, and phase, hold and keys are there."""

import os
import pty
import struct
import termios
from collections.abc import Iterator
from fcntl import ioctl
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from station.bus.actions import offered
from station.bus.messages import Phase
from station.cli.operator import small_panel
from station.cli.operator.bindings import BINDINGS, Confirm
from station.cli.operator.board import Board
from station.cli.operator.note import Line
from station.cli.operator.panel import HEIGHT, WIDTH
from station.cli.operator.screen import Screen, as_text
from station.cli.operator.small_panel import COLUMNS, LINES
from tests.station.cli.operator.test_panel import NOW, STAGED, board, station

CAUSE = "follower_left has been silent for 500 ms: check its power and cable"
PHASES: tuple[Phase, ...] = ("opening", "ready", "starting", "recording", "saving", "reset", "hold", "ended")


def shown(made: Board, columns: int = COLUMNS, lines: int = LINES) -> list[str]:
    picture = small_panel.render(made, NOW, columns, lines)
    return Text.from_ansi(as_text(picture, columns, lines)).plain.splitlines()


def acting(phase: Any, **session: Any) -> Board:
    """With the buttons that make sense."""

    made = board(phase, **session)
    assert made.session is not None
    made.session = msgspec.structs.replace(made.session, actions=tuple(action.name for action in offered(made.session)))
    made.station = station(
        follower_left="follower_left on /dev/ttyDXL_follower_left: expected the port; found it is gone. " * 4
    )
    made.tell("episode 6 is saved " * 9, "say", NOW)
    return made


def test_what_to_stage_fits_there_too() -> None:
    text = " ".join(" ".join(shown(board("reset", staging=STAGED))).split())
    assert "Stage scene left of the bowl, object red cube (other scene)." in text and "plan 12 of 60" in text


@pytest.mark.parametrize("phase", PHASES)
def test_the_smallest_has_phase_hold_and_keys(phase: Phase) -> None:
    lines = shown(acting(phase, why=CAUSE if phase == "hold" else ""))
    assert len(lines) <= LINES and all(len(line) <= COLUMNS for line in lines)
    text = " ".join(" ".join(lines).split())
    assert lines[0].startswith(f" {phase.upper()} ")
    assert text.endswith("?: all keys")
    if phase == "hold":
        assert f"Held: {CAUSE}" in text and "Space: go on" in text
    if phase == "recording":
        assert "Space: stop and save" in text and "0:00.0" in lines[0]
    assert "saved 2 · discarded 1" in text


def test_the_longest_cause_leaves_the_keys_and_the_count() -> None:
    text = " ".join(" ".join(shown(acting("hold", why=CAUSE * 20))).split())
    assert "Held: " in text and " …" in text and "Space: go on" in text and "saved 2" in text


def test_help_has_every_key() -> None:
    made = acting("ready")
    made.help = True
    text = " ".join(" ".join(shown(made)).split())
    for binding in BINDINGS:
        assert f"{binding.shown}: " in text, text
    assert "Ctrl-C" in text and text.endswith("?: back")


def test_a_question_and_a_note_are_shown_whole() -> None:
    made = acting("recording")
    made.asked = Confirm("d", "Throw this take away?  y or d = yes, any other key = no", made.session)  # type: ignore[arg-type]
    assert "y or d = yes" in " ".join(shown(made))
    made.note = Line("x" * 100 + "the end")
    assert "the end▏" in " ".join(shown(made))


@given(
    columns=st.integers(20, WIDTH),
    lines=st.integers(5, HEIGHT),
    phase=st.sampled_from(PHASES),
    why=st.text(max_size=300),
)
def test_nothing_is_wider_or_longer_than_the_terminal(columns: int, lines: int, phase: Phase, why: str) -> None:
    found = shown(acting(phase, why=why), columns, lines)
    assert len(found) <= lines and all(cell_len(line) <= columns for line in found)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def resize(fd: int, columns: int, lines: int) -> None:
    ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def test_a_terminal_that_is_resized_is_drawn_anew(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    screen = Screen(theirs)
    resize(ours, 200, 60)
    assert screen.size == (WIDTH, HEIGHT)
    screen.draw(Text("one"))
    os.read(ours, 10_000)
    resize(ours, 60, 15)
    assert screen.size == (60, 15)
    screen.draw(Text("one"))
    assert b"\x1b[2J" in os.read(ours, 10_000)


def test_what_is_no_terminal_gets_a_whole_panel() -> None:
    reads, writes = os.pipe()
    assert Screen(writes).size == (WIDTH, HEIGHT)
    os.close(reads)
    os.close(writes)
