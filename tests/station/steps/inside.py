"""A command done as a job within this process: its lines, and what a terminal would show of them."""

import os
import tempfile
from typing import Any, NamedTuple
from unittest import mock

from typer.testing import CliRunner

from station.steps import protocol
from station.steps.protocol import DOCUMENT, Line, Step
from station.steps.speaker import MARK


class Told(NamedTuple):
    """What came of it."""

    exit_code: int
    output: str
    lines: tuple[Line, ...]


def as_a_job(app: Any, *words: object) -> Told:
    """Run it; its lines go to this process's standard output, which is looked at meanwhile."""
    before = os.dup(1)
    with tempfile.TemporaryFile() as out, mock.patch.dict(os.environ, {MARK: "1"}):
        os.dup2(out.fileno(), 1)
        try:
            done = CliRunner().invoke(app, [str(word) for word in words])
        finally:
            os.dup2(before, 1)
            os.close(before)
        out.seek(0)
        lines = tuple(protocol.line(raw) for raw in out)
    return Told(done.exit_code, "".join(map(_shown, lines)) + done.output, lines)


def _shown(line: Line) -> str:
    if not isinstance(line, Step) or line.progress is not None:
        return ""
    return str(line.values[DOCUMENT]) if DOCUMENT in line.values else f"{line.words}\n"
