"""What this computer keeps of the rig besides episodes, as a page is shown it: the last check, logs, who asked for what.

Blocking; for a thread.
"""

import datetime
from collections import deque
from typing import Any

import msgspec

from station.errors import UsageError
from station.files import check_results
from station.files.log_reading import merged, nodes
from station.files.logs import logs_folder
from station.rig.rig import Rig
from station.terminal.shown import shown

LINES = 300
"""Of a log, the newest."""
SINCE_H = 24
ASKED = " asked: "
"""What the console writes into its own log of every act: who, this, what and what came of it."""
CONSOLE = "console"


def last_check(rig: Rig) -> dict[str, Any]:
    """The rig's last check, of whatever rig file; `found` is null where there is none."""
    stored = check_results.last(rig.name)
    if stored is None:
        return {"found": None}
    findings = [
        {**msgspec.to_builtins(each), "value": check_results.value_text(each), "limit": check_results.limit_text(each)}
        for each in stored.result.findings
    ]
    same = stored.rig_sha256 == rig.sha256
    return {
        "found": {"verdict": stored.result.verdict, "at_s": stored.at_s, "findings": findings, "same_rig_file": same}
    }


def log(rig: Rig, node: str) -> dict[str, Any]:
    """The newest lines of one node's log, "" for all together. Raises UsageError for a node that has none."""
    folder = logs_folder(rig.name)
    known = nodes(folder)
    if node and node not in known:
        raise UsageError(f"no node {node[:40]!r} has a log. Next: choose one of the menu")
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=SINCE_H)
    found = deque(merged(folder, [node] if node else known, since), maxlen=LINES)
    return {"nodes": known, "lines": [shown(line.text) for line in found]}


def acts(rig: Rig) -> dict[str, Any]:
    """Who asked for what at the console's pages, and what came of it, newest last."""
    folder = logs_folder(rig.name)
    of = [CONSOLE] if CONSOLE in nodes(folder) else []
    return {"lines": list(deque((shown(line.text) for line in merged(folder, of) if ASKED in line.text), maxlen=LINES))}
