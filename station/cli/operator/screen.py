"""The terminal's alternate screen: frames drawn over each other, the operator's own screen brought back at the end."""

import contextlib
import io
import os
from types import TracebackType
from typing import Self

from rich.console import RenderableType

from station.cli.operator.panel import HEIGHT, WIDTH
from station.terminal.screen import PlainConsole

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?25h\x1b[?1049l"


class Screen:
    """Draws on a terminal's descriptor. A terminal that is gone draws nothing and harms nobody."""

    def __init__(self, fd: int, columns: int = WIDTH) -> None:
        self._fd, self._columns, self._before = fd, columns, ""

    def __enter__(self) -> Self:
        self.write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write(_LEAVE)

    def draw(self, picture: RenderableType) -> None:
        """Show this instead of what is there."""
        text = as_text(picture, self._columns)
        if text != self._before:
            self._before = text
            lines = text.splitlines()[:HEIGHT]
            self.write("\x1b[H" + "\x1b[K\r\n".join(lines) + "\x1b[K\x1b[J")

    def redraw(self) -> None:
        """The terminal was resized or scribbled over: the next frame is drawn whole."""
        self._before = ""
        self.write("\x1b[2J")

    def write(self, text: str) -> None:
        """As it is."""
        with contextlib.suppress(OSError):
            os.write(self._fd, text.encode())


def as_text(picture: RenderableType, columns: int = WIDTH) -> str:
    """A frame as a terminal wants it."""
    file = io.StringIO()
    console = PlainConsole(
        soft_wrap=False,
        file=file,
        force_terminal=True,
        color_system="256",
        width=columns,
        height=HEIGHT,
        legacy_windows=False,
    )
    console.print(picture)
    return file.getvalue()
