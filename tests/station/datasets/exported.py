"""Exports for tests: in this process, told to nobody."""

from pathlib import Path
from typing import Any

from station.datasets.choosing import choose
from station.datasets.conversion import Conversion
from station.datasets.engines.processes import InThisProcess
from station.datasets.export import Engine, Exported, export, read_back
from station.datasets.parts import format_named
from station.datasets.record import read_record
from station.datasets.selection import Selection, Split

HERE = Engine(InThisProcess, 0)


def export_to(
    out: Path, data: Path, format_name: str = "lerobot-v3", selection: Selection | None = None, **conversion: Any
) -> Exported:
    """Everything in `data`, half of it held back, unless the selection says otherwise."""
    chosen = selection or Selection(folders=(str(data),), split=Split(validation=0.5))
    fmt = format_named(format_name)
    asked = {"video": fmt.videos[0], "space": fmt.spaces[0], **conversion}
    return export(format_name, out, chosen, choose(chosen, data), Conversion(**asked), HERE, quiet)


def findings(out: Path) -> tuple[str, ...]:
    """What `station dataset verify` says of what the files say; that bytes were changed its checksums tell besides."""
    return read_back(out, read_record(out).plan, HERE, quiet)


def quiet(what: str, done: int, of: int, size_bytes: int) -> None:
    """Nobody is told."""
