"""A node's life beside a supervisor that is killed."""

import os
import select
import subprocess
import sys

import pytest

from station.clock import NS_PER_MS, NS_PER_S
from station.rig.rig import find_rig, load_rig
from station.runtime.node import HEALTH_PERIOD_NS, YOUNG, YOUNG_PERIOD_NS, Node

PATIENCE_MS = 30_000
NODE = """
import sys
from station.runtime.node import run
def main(node):
    print(node.name, flush=True)
    node.finish.wait()
run(main, float(sys.argv.pop()))
"""
SUPERVISOR = """
import ctypes, os, subprocess, sys, threading, time
from station.bus import keys
rings = keys.make_rings(("synchronizer", "pilot"))
threading.Thread(target=time.sleep, args=(60,)).start()
for name, delay_s in (("synchronizer", "0"), ("pilot", "1.5")):
    command = [sys.executable, "-c", sys.argv[1], "--rig", sys.argv[2], "--node", name, delay_s]
    with keys.handed_over(rings[name]) as pipe:
        command[-1:-1] = ["--keys", str(pipe)]
        node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=(pipe,))
    print(node.stdout.readline().strip(), node.pid, flush=True)
sys.stdin.readline()
if sys.argv[3] == "kill":
    os.kill(os.getpid(), 9)
ctypes.CDLL(None).syscall(60, 0)  # exit(2), of this thread alone: the others live on for a while, as in a slow death
"""


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("death", ["kill", "main thread first"])
def test_nodes_go_down_in_order_when_their_supervisor_dies(death: str) -> None:
    rig = load_rig(find_rig("bench"))
    command = [sys.executable, "-c", SUPERVISOR, NODE, str(rig.file), death]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as supervisor:
        try:
            assert supervisor.stdin is not None
            assert supervisor.stdout is not None
            pids = dict(supervisor.stdout.readline().split() for _ in range(2))
            ends = {name: os.pidfd_open(int(pid)) for name, pid in pids.items()}
            supervisor.stdin.write("\n")
            supervisor.stdin.close()
            assert select.select(ends.values(), [], [], PATIENCE_MS / 1000)[0] == [ends["synchronizer"]]
            assert select.select([ends["pilot"]], [], [], PATIENCE_MS / 1000)[0] == [ends["pilot"]]
        finally:
            supervisor.kill()
    for descriptor in ends.values():
        os.close(descriptor)


@pytest.mark.usefixtures("runtime")
def test_a_young_node_says_how_it_is_ten_times_a_second_and_then_twice() -> None:
    now_ns = born_ns = 7 * NS_PER_S
    node = Node(load_rig(find_rig("bench")), "pilot", lambda: now_ns)
    due_ns = []
    try:
        while now_ns < born_ns + 3 * NS_PER_S:
            if node.health_due(now_ns):
                due_ns.append(now_ns - born_ns)
            now_ns += NS_PER_MS
    finally:
        node.close()
    young_ns = YOUNG * YOUNG_PERIOD_NS
    assert due_ns[:YOUNG] == [k * YOUNG_PERIOD_NS for k in range(YOUNG)]
    assert due_ns[YOUNG:] == [young_ns + k * HEALTH_PERIOD_NS for k in range(4)]
