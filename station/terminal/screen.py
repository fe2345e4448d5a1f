"""The terminal that every command writes to."""

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from station.terminal.shown import shown, shown_lines


class PlainConsole(Console):
    """A terminal that takes every string as it is: no markup, no emoji codes, no colours of its own choosing; one string is one line.

    What is to have a style is a `rich.text.Text` with it, or in a column that has it.
    """

    def __init__(self, *, soft_wrap: bool = True, **where: Any) -> None:
        """`where`: rich's own choices of the terminal (`stderr`, `file`, `width`, …)."""
        super().__init__(soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False, **where)

    def render_str(self, text: str, **options: object) -> Text:
        """A string, wherever it is printed: alone, in a table, as a title."""
        given = {name: options[name] for name in ("style", "justify", "overflow") if name in options}
        return Text(shown(text), **given)  # type: ignore[arg-type]

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The net below: no control character reaches the terminal in a Text that somebody made of something else."""
        for segment in super().render(renderable, options):
            plain = segment.control or segment.text.isprintable()
            yield segment if plain else Segment(shown_lines(segment.text), segment.style)


console = PlainConsole()
"""Of every command."""


def numbers(columns: Iterable[str], words: Iterable[str], title: str | None = None) -> Table:
    """A table narrow enough for 80 columns, of which nothing is cut: `words` are the columns set on the left."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    left = set(words)
    for column in columns:
        table.add_column(column, justify="left" if column in left else "right", overflow="fold")
    return table
