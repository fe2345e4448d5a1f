"""`station logs`: what the nodes said, all of them by one clock."""

import datetime
import time
from collections import deque
from typing import Annotated

import msgspec
import typer

from station.borders.options import RigOption
from station.errors import StationError, UsageError
from station.files.log_reading import Follower, Line, merged, moment, nodes
from station.files.logs import logs_folder
from station.rig.choice import rig_of
from station.terminal.shown import shown
from station.terminal.told import JsonOption, tell

LAST = 200
_LOOK_S = 0.3


class LogLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    at: str
    """Wall time with its zone."""
    node: str
    text: str


class LogsTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station logs --json` tells."""

    folder: str
    nodes: tuple[str, ...]
    lines: tuple[LogLine, ...]


def logs(
    rig: RigOption,
    node: Annotated[str, typer.Argument(help="of this node alone")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what is written, until Ctrl-C")] = False,
    since: Annotated[str, typer.Option("--since", help="from then on: 10min, 2h, 13:05, 2026-11-29T13:05")] = "",
    as_json: JsonOption = False,
) -> None:
    """What the nodes said: wall time, monotonic time, level, who, what; of all nodes by one clock."""
    loaded = rig_of(rig)
    folder = logs_folder(loaded.name)
    known = nodes(folder)
    if not known:
        raise StationError(
            f"{folder} has no logs: rig {loaded.name} has not run yet. Next: `station up --rig {rig or loaded.name}`"
        )
    if node and node not in known:
        raise UsageError(f"no node {node} has a log in {folder}. There are {', '.join(known)}")
    wanted = [node] if node else known
    follower = Follower(folder, [node] if node else [])
    found = deque(merged(folder, wanted, _since(since)), maxlen=None if since else LAST)
    if as_json:
        tell(
            LogsTold(
                str(folder), tuple(wanted), tuple(LogLine(line.at.isoformat(), line.node, line.text) for line in found)
            )
        )
        return
    for line in found:
        _show(line)
    while follow:
        for line in follower.fresh():
            _show(line)
        time.sleep(_LOOK_S)


def _show(line: Line) -> None:
    print(shown(line.text), flush=True)


def _since(text: str) -> datetime.datetime | None:
    if not text:
        return None
    try:
        return moment(text, datetime.datetime.now().astimezone())
    except ValueError:
        raise UsageError(f"--since {text[:40]}: say 10min, 2h, 13:05 or 2026-11-29T13:05") from None
