"""`station logs` as typed."""

import msgspec
import pytest
from typer.testing import CliRunner

from station.cli import app
from station.cli.logs import LogsTold
from station.errors import StationError, UsageError
from station.files.logs import logs_folder

LINE = "2026-11-29T13:00:0{n}.000+01:00 10{n}.000000 INFO {node}: says {n}\n"


@pytest.fixture
def written(runtime: str) -> None:
    folder = logs_folder("bench")
    (folder / "pilot.log").write_text(LINE.format(n=1, node="pilot") + LINE.format(n=3, node="pilot"))
    (folder / "session.log").write_text(LINE.format(n=2, node="session") + "a \x1b[31m line without a stamp\n")


def test_all_nodes_come_by_one_clock_or_one_alone(written: None) -> None:
    out = CliRunner().invoke(app, ["logs", "--rig", "bench"]).stdout
    assert [text.rpartition(" ")[2] for text in out.splitlines()] == ["1", "2", "stamp", "3"]
    assert "\x1b" not in out
    assert len(CliRunner().invoke(app, ["logs", "pilot", "--rig", "bench"]).stdout.splitlines()) == 2
    told = msgspec.json.decode(CliRunner().invoke(app, ["logs", "--rig", "bench", "--json"]).stdout, type=LogsTold)
    assert told.nodes == ("pilot", "session") and len(told.lines) == 4
    assert CliRunner().invoke(app, ["logs", "--rig", "bench", "--since", "1s"]).stdout == ""


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [(["nobody"], UsageError, "There are pilot, session"), (["--since", "soon"], UsageError, "10min, 2h, 13:05"),
     (["--rig", "sim"], StationError, "rig sim has not run yet")],
)  # fmt: skip
def test_what_there_is_not_is_said(written: None, arguments: list[str], error: type[StationError], says: str) -> None:
    rig = [] if "--rig" in arguments else ["--rig", "bench"]
    found = CliRunner().invoke(app, ["logs", *rig, *arguments]).exception
    assert isinstance(found, error) and says in str(found)
