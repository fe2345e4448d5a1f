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

    def __init__(self, fd: int) -> None:
        self._fd, self._before = fd, ""
        self._size = (WIDTH, HEIGHT)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines there are for the panel: the terminal's, at most what a whole one takes."""
        try:
            columns, lines = os.get_terminal_size(self._fd)
        except OSError:
            return WIDTH, HEIGHT
        return min(columns or WIDTH, WIDTH), min(lines or HEIGHT, HEIGHT)  # some say 0

    def __enter__(self) -> Self:
        self.write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write(_LEAVE)

    def draw(self, picture: RenderableType) -> None:
        """Show this instead of what is there."""
        columns, height = size = self.size
        if size != self._size:  # it was resized: what stands there is no frame of ours any more
            self._size = size
            self.redraw()
        text = as_text(picture, columns, height)
        if text != self._before:
            self._before = text
            lines = text.splitlines()[:height]
            self.write("\x1b[H" + "\x1b[K\r\n".join(lines) + "\x1b[K\x1b[J")

    def redraw(self) -> None:
        """The terminal was resized or scribbled over: the next frame is drawn whole."""
        self._before = ""
        self.write("\x1b[2J")

    def write(self, text: str) -> None:
        """As it is."""
        with contextlib.suppress(OSError):
            os.write(self._fd, text.encode())


def as_text(picture: RenderableType, columns: int = WIDTH, lines: int = HEIGHT) -> str:
    """A frame as a terminal wants it."""
    file = io.StringIO()
    console = PlainConsole(
        soft_wrap=False,
        file=file,
        force_terminal=True,
        color_system="256",
        width=columns,
        height=lines,
        legacy_windows=False,
    )
    console.print(picture)
    return file.getvalue()
