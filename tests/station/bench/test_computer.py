"""What the kernel counts of real processes."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from station.bench.computer import Computer, pss_mb

WORKS_S = 0.3
CHILD = f"""
import os, time
os.read(0, 1)
end = time.process_time() + {WORKS_S}
while time.process_time() < end: pass
print(flush=True)
os.read(0, 1)
"""
PARENT = f"""
import subprocess, sys
import setproctitle
setproctitle.setproctitle("station:supervisor")
command = [sys.executable, "-c", {CHILD!r}, "station.episodes.incremental_builder"]
children = [subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) for _ in range(2)]
print(*(child.pid for child in children), flush=True)
for _ in range(2):
    sys.stdin.readline()
    for child in children:
        child.stdin.write(b".")
for child in children:
    child.wait()
"""


@pytest.fixture
def family() -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """A supervisor's process with two children, and the pid of the one that is a node. They work after one line, end after two."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    yield int(parent.stdout.readline().split()[0]), parent
    parent.communicate("\n", timeout=30)


@pytest.mark.slow
def test_whoever_is_no_node_is_counted_with_what_it_used(family: tuple[int, "subprocess.Popen[str]"]) -> None:
    node, parent = family
    assert parent.stdin is not None
    assert parent.stdout is not None
    computer = Computer(parent.pid, {node})
    parent.stdin.write("\n")
    parent.stdin.flush()
    for _ in range(2):
        parent.stdout.readline()
    found = {figures.node: figures for figures in computer.beside(seconds=10.0)}
    assert set(found) == {"supervisor", "episodes.incremental_builder"}
    wanted = 100 * WORKS_S / 10
    assert wanted - 0.5 < found["episodes.incremental_builder"].cpu_percent < wanted + 2  # the interpreter's own start
    assert found["episodes.incremental_builder"].pss_mb > 1
    assert not found["supervisor"].simulated
    mb, growth_mb = computer.node_mb(node)
    assert mb > 1 and growth_mb < mb


def test_a_station_that_is_gone_counts_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    computer = Computer(gone.pid, set())
    assert computer.beside(1.0) == ()
    assert pss_mb(gone.pid) == 0.0
    assert 0 <= computer.stolen_percent() <= 100


@pytest.mark.slow
def test_a_page_that_two_share_counts_half_in_each() -> None:
    """A child that was forked shares nearly all of its parent's memory."""
    shares = "import os, sys; held = bytearray(os.urandom(40_000_000)); pid = os.fork(); "
    shares += "print(pid, flush=True) if pid else None; sys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", shares], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    own, forked = pss_mb(parent.pid), pss_mb(child)
    parent.communicate(timeout=30)
    assert 20 < own < 40 and 20 < forked < 40, (own, forked)
