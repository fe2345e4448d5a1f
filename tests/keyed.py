"""Starts one node in a process of its own, as the supervisor would: with its key in a pipe."""

import subprocess
import sys
from typing import Any

from station.bus import keys
from station.rig.rig import Rig
from station.runtime.processes import COMMANDS, processes


def start_node(rig: Rig, module: str, node: str, **options: Any) -> "subprocess.Popen[bytes]":
    """`options` are Popen's. The test plays the other nodes (the fixture `runtime` gives it their keys)."""
    for row in processes(rig):
        keys.held(row.node)  # everybody's key is in the ring before it is handed over
    for name in (*COMMANDS, keys.CLIENT):
        keys.held(name)
    with keys.handed_over(keys.held(node)) as pipe:
        command = [sys.executable, "-P", "-m", module, "--rig", str(rig.file), "--node", node, "--keys", str(pipe)]
        return subprocess.Popen(command, pass_fds=(pipe,), **options)
