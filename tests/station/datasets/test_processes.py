"""The pool's processes: whoever gives them work, they do not outlive it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

POOL = """
import os, sys, time
from station.datasets.engines.processes import Processes

if __name__ == "__main__":
    processes = Processes(2)
    for future in [processes.executor().submit(os.getpid) for _ in range(8)]:
        future.result()
    print("begun", flush=True)
    time.sleep(60)
"""

EARLY = """
import sys
from concurrent.futures import wait
from station.datasets.engines.processes import Processes

def imported(module):
    return module in sys.modules

if __name__ == "__main__":
    with Processes(2) as processes:
        processes.begin(["colorsys"])
        wait(asked := [processes.executor().submit(imported, "colorsys") for _ in range(8)])
        print({one.result() for one in asked})
"""


@pytest.mark.slow
def test_begun_early_they_import_meanwhile_what_their_work_will_need(tmp_path: Path) -> None:
    (tmp_path / "early.py").write_text(EARLY)
    done = subprocess.run([sys.executable, tmp_path / "early.py"], capture_output=True, text=True, check=True)
    assert done.stdout == "{True}\n"


@pytest.mark.slow
def test_workers_end_with_whoever_gave_them_work_however_it_dies() -> None:
    """They once stayed, idle, for as long as the computer ran."""
    with subprocess.Popen([sys.executable, "-c", POOL], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None and owner.stdout.readline() == b"begun\n"
        workers = [one for one in psutil.Process(owner.pid).children() if "spawn_main" in " ".join(one.cmdline())]
        assert workers
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    until_s = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{one.pid}") and one.is_running() for one in workers):
        assert time.monotonic() < until_s, workers
        time.sleep(0.02)
