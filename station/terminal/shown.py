"""Text that people, devices and other programs gave becomes text to look at: the one place where it does.

An operator may be called `eve[/red]`; a note or a device's name may hold a terminal's escape sequences, a line break that forges the
next line of a log, marks that turn the direction of writing. It is shown as what it is: what is no printable character as its escape.
"""

import logging
import traceback
from collections.abc import Iterable
from itertools import groupby
from types import TracebackType

_JOINERS = "\u200c\u200d"
"""Shape letters in Persian and Hindi, and join emoji; they hide nothing."""


def shown(text: str) -> str:
    r"""As one line: control characters, line breaks, marks of direction and what has no glyph become visible (`\x1b`, `\n`)."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def shown_lines(text: str) -> str:
    """The same for text of ours that has lines; what was put into it may not have made them: use `shown` there."""
    return "\n".join(map(shown, text.split("\n")))


def ranges(numbers: Iterable[int]) -> str:
    """Rising numbers, runs of three and more as `7–9`."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


class OneLine(logging.Formatter):
    """A log's record is one line, whatever was put into it; a trace has its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The message as one line."""
        record.message = shown(record.message)
        return super().formatMessage(record)

    def formatException(  # noqa: N802 (logging's name)
        self, ei: "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]"
    ) -> str:
        """The trace, line by line."""
        return shown_lines("".join(traceback.format_exception(*ei)).rstrip("\n"))
