"""A job of a few lines of Python, in a process of its own."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from station.steps import job as module
from station.steps.job import Job

CHOOSES = """
    speaker.tell("said: " + speaker.ask("did it succeed?", ("yes", "no")))
"""
"""A job that asks once."""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """Makes a job of a few lines of Python; `tells_prints`: what it prints is told."""

    def start(body: str, tells_prints: bool = False) -> Job:
        script = tmp_path / "script.py"
        script.write_text(
            f"TELLS = {tells_prints}\n"
            "import os, sys\nfrom station.errors import StationError\nfrom station.steps.speaker import is_job, speaking\n"
            "assert is_job()\nout = os.dup(1)\ntry:\n  with speaking(TELLS) as speaker:\n"
            + textwrap.indent(textwrap.dedent(body), "    ")
            + "\nexcept StationError as error:\n  sys.exit(error.exit_code)\n"
        )
        root = str(Path(__file__).parents[3])
        monkeypatch.setenv("PYTHONPATH", root)
        monkeypatch.setattr(module, "python", lambda *_: [sys.executable, str(script)])
        return Job([])

    return start
