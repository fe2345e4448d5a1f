"""What a command tells, as JSON for programs: one struct, or a list of them, encoded as it is.

`station.cli.tells` has the table of commands with theirs; docs/reference/told.md and its JSON Schema derive from it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

JsonOption = Annotated[
    bool, typer.Option("--json", help="as JSON, for programs (docs/reference/told.md has each command's)")
]
STDOUT = Path("-")
"""As the file of an option that writes JSON to one."""


def tell(body: msgspec.Struct | Sequence[msgspec.Struct]) -> None:
    """Write it to stdout, indented, and nothing else."""
    sys.stdout.write(as_text(body))


def as_text(body: msgspec.Struct | Sequence[msgspec.Struct]) -> str:
    """The document."""
    return msgspec.json.format(msgspec.json.encode(body, enc_hook=str), indent=2).decode() + "\n"


def tell_to(file: Path, body: msgspec.Struct) -> None:
    """The same to a file, or to stdout where it is called `-`."""
    if file == STDOUT:
        tell(body)
    else:
        file.write_text(as_text(body))
