"""The wall clock is read in few places, for dates people read: a step of it can change nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WALL = {("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"), ("time", "strftime"),
        ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}  # fmt: skip
ALLOWED = {
    "station/sync/synchronizer.py": 1, "calibration/checks/measured.py": 1, "station/session/disk.py": 1, "station/files/logs.py": 3,
    "station/datasets/export.py": 1, "calibration/trying/command.py": 1, "station/runtime/life.py": 1, "station/client/faults.py": 3,
    "station/cli/console.py": 3, "station/console/server.py": 1, "station/console/setup.py": 1,
    "station/cli/episodes/pushing.py": 1,
    "station/episodes/pushing/push.py": 1, "station/episodes/collection_file.py": 1,
}  # fmt: skip
"""The `start_wall_ns` of an episode; the date of a check, which counts in hours; whether it still counts; the lines of logs; when an
export was made, in its sidecar; when a rig was tried by hand; since when a station runs, and how long ago one ended; until when a code and
a seat of a console hold; when somebody looked what is plugged in; how old an episode is that is to be retired, and when it was pushed;
whether a folder changed just now."""


def reads(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        named = (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in WALL
        )
        imported = isinstance(node, ast.ImportFrom) and any((node.module, alias.name) in WALL for alias in node.names)
        if isinstance(node, ast.expr | ast.stmt) and (named or imported):
            yield node.lineno


@pytest.mark.slow
def test_only_dates_for_people_come_from_the_wall_clock() -> None:
    found = {}
    for room in ("station", "drivers", "calibration"):
        for path in (ROOT / room).rglob("*.py"):
            if count := len(list(reads(path))):
                found[str(path.relative_to(ROOT))] = count
    assert found == ALLOWED
