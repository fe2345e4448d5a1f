"""What a command tells, as JSON for programs: one struct, or a list of them, encoded as it is.

`station.cli.tells` has the table of commands with theirs; docs/reference/told.md and its JSON Schema derive from it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from station.terminal.shown import shown

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
    try:
        encoded = msgspec.json.encode(body, enc_hook=str)
    except UnicodeEncodeError:  # a file's name that is no text
        encoded = msgspec.json.encode(_as_shown(msgspec.to_builtins(body, enc_hook=str)))
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def _as_shown(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {_as_shown(key): _as_shown(each) for key, each in value.items()}
    return [_as_shown(each) for each in value] if isinstance(value, list | tuple) else value


def tell_to(file: Path, body: msgspec.Struct) -> None:
    """The same to a file, or to stdout where it is called `-`."""
    if file == STDOUT:
        tell(body)
    else:
        file.write_text(as_text(body))
