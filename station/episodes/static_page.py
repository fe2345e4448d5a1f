"""Pages that are one file: whoever opens it needs no network, no script, and no trust in what an episode calls itself."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from station.borders.regular_file import reason
from station.errors import UsageError
from station.terminal.shown import shown

_LETTERS = 500
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em; max-width: 84em; color: #1b1b1b; background: #fff }
h1 { font-size: 1.5em; margin-bottom: .2em } h2 { font-size: 1.15em; margin-top: 1.8em } p { max-width: 60em }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } caption { text-align: left; font-weight: 600; padding: .4em 0 }
td, th { padding: .2em .8em .2em 0; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top }
td.n, th.n { text-align: right } td.found { color: #b03a00; font-weight: 600 }
img { max-width: 100% } figure { margin: 1em 0 } figcaption { color: #555 } .wide { overflow-x: auto }
.sheet { display: flex; flex-wrap: wrap; gap: .8em } .sheet figure { margin: 0; width: 242px } .quiet { color: #666 }
"""


def escaped(text: object) -> str:
    """Text as what it is, of a bounded length: no markup, no control character."""
    words = str(text)
    return html.escape(shown(words if len(words) <= _LETTERS else f"{words[:_LETTERS]}…"))


def document(title: str, *parts: str) -> str:
    """The page. `parts` are HTML, of which every text went through `escaped`."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>{escaped(title)}</title><style>{_STYLE}</style></head><body>\n'
        f"<h1>{escaped(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what is below it; "" where that is nothing."""
    return f"<h2>{escaped(title)}</h2>\n" + "\n".join(parts) if any(parts) else ""


def paragraph(text: str) -> str:
    """One paragraph of text."""
    return f"<p>{escaped(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    """A table; `numbers`: which columns are set on the right."""

    def line(cells: Sequence[object], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if place in numbers else ''}>{escaped(cell)}</{tag}>"
            for place, cell in enumerate(cells)
        )

    body = "\n".join(f"<tr>{line(cells, 'td')}</tr>" for cells in rows)
    return f'<div class="wide"><table><tr>{line(head, "th")}</tr>\n{body}\n</table></div>' if body else ""


def image(data: bytes, kind: str, caption: str) -> str:
    """A picture that is in the page itself. `kind`: jpeg or png."""
    embedded = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return (
        f'<figure><img src="{embedded}" alt="{escaped(caption)}"><figcaption>{escaped(caption)}</figcaption></figure>'
    )


def write(page: Path, text: str) -> None:
    """Raises UsageError where it cannot be written."""
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{page}: {reason(error)}. Next: name a file that can be written") from error
