"""The panel where a terminal is smaller than 80×24, down to 60×15: the same words without frame and table. Pure.

What must never be lost comes first: the phase, what holds the arms and the keys that lead on; counts and news get the lines that are left.
"""

import textwrap
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from station.cli.operator.bindings import BINDINGS
from station.cli.operator.board import Board
from station.cli.operator.panel import (
    COLOURS,
    MESSAGES,
    asked_from_afar,
    counts,
    keys_words,
    next_words,
    phase_words,
    rollout_words,
    trouble_words,
)
from station.client import staged
from station.terminal.shown import shown

COLUMNS, LINES = 60, 15
"""The smallest that it is made for; on less it shows what fits."""


def render(board: Board, now_ns: int, columns: int, lines: int) -> RenderableType:
    """The whole panel, in so many columns and lines at most."""
    phase = _phase(board, now_ns, columns)
    keys = _wrapped([keys_words(board)], columns, 2)
    middle = lines - 1 - len(keys)
    rows = _help(columns, middle) if board.help else _middle(board, now_ns, columns, middle)
    rows += [Text() for _ in range(middle - len(rows))]
    return Group(phase, *rows[:middle], *(_row(line, "dim") for line in keys))


def _phase(board: Board, now_ns: int, columns: int) -> Text:
    word, right = phase_words(board, now_ns)
    left = f" {word.upper()} "
    return _row(f"{left}{right:>{max(0, columns - len(left) - 1)}} ", f"bold {COLOURS[word]}")


def _middle(board: Board, now_ns: int, columns: int, lines: int) -> list[Text]:
    if board.note is not None:
        tail = shown(board.note.text)[-(columns - 8) :]
        return [_row(f"note: {tail}▏", "bold cyan"), _row("Enter keeps it, Esc drops it")]
    if board.asked is not None:
        return [_row(line, "bold yellow") for line in _wrapped([board.asked.words], columns, lines)]
    found = next_words(board, now_ns)
    afar = _wrapped([asked_from_afar(board, now_ns)], columns, 2)
    acts = _wrapped([found.act], columns, 3)
    why = _wrapped([found.why], columns, max(1, lines - len(afar) - len(acts) - 2))
    rows = [_row(line, "bold yellow") for line in afar]
    rows += [_row(line, "bold red") for line in why] + [_row(line, "bold") for line in acts]
    return rows + _rest(board, now_ns, columns, lines - len(rows))


def _rest(board: Board, now_ns: int, columns: int, lines: int) -> list[Text]:
    """Of the lines that are left the first two are the counts'."""
    rows = [_row(line) for line in _wrapped(counts(board).plain.splitlines(), columns, min(lines, 3))]
    if board.plan.rollouts:
        rows += [_row(line) for line in _wrapped([rollout_words(board)], columns, 1)]
    rows += [
        _row(line) for line in _wrapped([staged.standing(board.session.staging if board.session else None)], columns, 1)
    ]
    message = board.message
    if message is not None and now_ns <= message.until_ns:
        rows += [_row(line, MESSAGES[message.level]) for line in _wrapped([message.words], columns, 3)]
    rows += [_row(line, "red") for line in _wrapped([trouble_words(board, now_ns)], columns, 3)]
    return rows[: max(0, lines)]


def _help(columns: int, lines: int) -> list[Text]:
    """Every key, one behind the other."""
    words = " · ".join(f"{binding.shown}: {binding.meaning}" for binding in BINDINGS)
    return [_row(line) for line in _wrapped([f"{words} · Ctrl-C: save the take and end"], columns, lines)]


def _row(line: str, style: str = "") -> Text:
    """One line whatever is in it: some characters are two columns wide."""
    return Text(line, style=style, no_wrap=True, overflow="ellipsis")


def _wrapped(texts: Iterable[str], columns: int, rows: int) -> list[str]:
    """Each from a line of its own, at most so many lines together; what is cut off says so."""
    lines: list[str] = []
    for text in texts:
        if text and rows > len(lines):
            lines += textwrap.wrap(shown(text), columns, max_lines=rows - len(lines), placeholder=" …")
    return lines
