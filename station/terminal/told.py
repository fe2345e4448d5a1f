"""What a command tells, as JSON for programs: one struct, encoded as it is, with a schema of its own."""

import sys
from typing import Annotated, Any

import msgspec
import typer

JsonOption = Annotated[
    bool, typer.Option("--json", help="as JSON, for programs (docs/reference/told.md has each command's)")
]


def tell(body: msgspec.Struct) -> None:
    """Write it to stdout, indented, and nothing else."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(body), indent=2).decode() + "\n")


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of what a command tells."""
    return msgspec.json.schema(kind)
