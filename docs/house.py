"""Draws the house, rooms and what may import what, from the import contract and each room's own sentence: `python -m docs.house`.

Floors, top to bottom, are the layers of the contract "Imports go down only" in pyproject.toml; what a room is for is the first sentence of
its docstring. A test checks that the picture is current.
"""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
NAME = "house.svg"
BESIDE = ("drivers", "calibration")
"""Top-level packages that stand beside the station, on some of its rooms."""

_WIDTH, _MARGIN, _GAP = 1180, 14, 8
_STATION_WIDTH = 850
_LINE, _TITLE, _PAD = 15, 20, 8
_LETTER = 6.9
"""How wide a letter of the small print is, px, on average."""
_FONT = "font-family='Helvetica, Arial, sans-serif'"
_STATION, _SHARED, _OUTSIDE, _INK, _SOFT = "#e8eef7", "#e6f1e4", "#f6ecdf", "#1c2733", "#51606f"


class Room(NamedTuple):
    """A package or a module: its name, and what it is for."""

    name: str
    purpose: str


class Box(NamedTuple):
    """A room as it is drawn, px."""

    room: Room
    x: float
    y: float
    width: float
    height: float


def contracts() -> list[dict[str, Any]]:
    """The import contracts, as pyproject.toml has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = project["tool"]["importlinter"]["contracts"]
    assert isinstance(found, list)
    return found


def floors() -> list[list[Room]]:
    """The rooms of `station`, floor by floor, the highest first."""
    layers = next(contract["layers"] for contract in contracts() if contract["type"] == "layers")
    return [[_room("station", name.strip()) for name in layer.split("|")] for layer in layers]


def beside() -> dict[str, list[Room]]:
    """The rooms of what stands beside it: the strangers below `drivers`; `calibration` by subject."""
    return {
        top: [_room(top, path.parent.name) for path in sorted((ROOT / top).glob("*/__init__.py"))] for top in BESIDE
    }


def shared() -> set[str]:
    """The rooms of `station` that `drivers` and `calibration` may import, or a part of them."""
    refused = next(
        contract["forbidden_modules"] for contract in contracts() if contract.get("source_modules") == list(BESIDE)
    )
    return {room.name for floor in floors() for room in floor if f"station.{room.name}" not in refused}


def purpose(path: Path) -> str:
    """The first sentence of a module's docstring, without its full stop; "" without one."""
    written = ast.get_docstring(ast.parse(path.read_text())) or ""
    return re.split(r"\.(?=\s|$)", " ".join(written.split()), maxsplit=1)[0].replace("`", "")


def _room(top: str, name: str) -> Room:
    module = ROOT / top / f"{name}.py"
    return Room(name, purpose(module if module.is_file() else ROOT / top / name / "__init__.py"))


def picture() -> str:
    """The house, as SVG."""
    top = _MARGIN + _TITLE
    lines, bottom = _storeys(top)
    others, end = _outside(top, _MARGIN + _STATION_WIDTH + 2 * _GAP)
    height = max(bottom, end) + _MARGIN
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height:.0f}' width='{_WIDTH}' height='{height:.0f}'>",
            "<title>The rooms of the station, and what may import what</title>",
            f"<rect width='{_WIDTH}' height='{height:.0f}' fill='white'/>",
            *lines,
            *others,
            "</svg>\n",
        ]
    )


def _storeys(top: float) -> tuple[list[str], float]:
    """The station's floors, and where they end."""
    lines, y, below = [], top + _PAD, shared()
    for floor in floors():
        boxes = _row(floor, _MARGIN + _PAD, y, _STATION_WIDTH - 2 * _PAD)
        lines += [line for box in boxes for line in _draw(box, _SHARED if box.room.name in below else _STATION)]
        y += boxes[0].height + _GAP
    frame = f"<rect x='{_MARGIN}' y='{top}' width='{_STATION_WIDTH}' height='{y - top:.0f}' rx='6' fill='none' stroke='{_SOFT}'/>"
    title = "station: imports go down only; who stands side by side does not know the other"
    return [frame, _text(title, _MARGIN, top - 7, True), *lines], y


def _outside(top: float, x: float) -> tuple[list[str], float]:
    """What stands beside it, and the contracts in words."""
    lines, y, width = [], top, _WIDTH - _MARGIN - x
    for name, rooms in beside().items():
        lines.append(_text(f"{name}: on the green rooms", x, y - 7, True))
        for room in rooms:
            (box,) = _row([room], x, y, width)
            lines += _draw(box, _OUTSIDE)
            y += box.height + _GAP
        y += _TITLE + _PAD
    for line in _rules(int(width / _LETTER)):
        lines.append(_text(line, x, y, False))
        y += _LINE
    return lines, y


def _rules(letters: int) -> list[str]:
    """The contracts besides the floors, in their own words."""
    names = [contract["name"] for contract in contracts() if contract["type"] != "layers"]
    return [line for name in names for line in ["", *textwrap.wrap(f"{name}.", letters)]]


def _row(rooms: list[Room], x: float, y: float, width: float) -> list[Box]:
    """Side by side, equally wide, as high as the highest needs."""
    each = (width - _GAP * (len(rooms) - 1)) / len(rooms)
    height = max(_TITLE + _LINE * len(_wrapped(room, each)) + _PAD for room in rooms)
    return [Box(room, x + number * (each + _GAP), y, each, height) for number, room in enumerate(rooms)]


def _wrapped(room: Room, width: float) -> list[str]:
    return textwrap.wrap(room.purpose, int((width - 2 * _PAD) / _LETTER))


def _draw(box: Box, colour: str) -> Iterator[str]:
    yield (
        f"<rect x='{box.x:.0f}' y='{box.y:.0f}' width='{box.width:.0f}' height='{box.height:.0f}' rx='4' fill='{colour}' stroke='{_SOFT}'/>"
    )
    yield _text(box.room.name, box.x + _PAD, box.y + 16, True)
    for number, line in enumerate(_wrapped(box.room, box.width)):
        yield _text(line, box.x + _PAD, box.y + _TITLE + 11 + _LINE * number, False)


def _text(words: str, x: float, y: float, bold: bool) -> str:
    style = f"font-size='13' font-weight='bold' fill='{_INK}'" if bold else f"font-size='12' fill='{_SOFT}'"
    return f"<text x='{x:.0f}' y='{y:.0f}' {_FONT} {style}>{escape(words)}</text>"


if __name__ == "__main__":
    (Path(__file__).parent / "reference" / NAME).write_text(picture())
