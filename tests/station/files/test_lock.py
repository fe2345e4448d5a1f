"""Who owns what: one at a time, told by the kernel, and asked for without being in anybody's way."""

import os
import signal
import subprocess
import sys

import pytest

from station.errors import AlreadyRunning
from station.files.lock import Lock

pytestmark = pytest.mark.usefixtures("runtime")
HOLDER = (
    "import sys; from station.files.lock import Lock; Lock('r', 'pilot'); print('held', flush=True); sys.stdin.read()"
)
PROBER = """
import sys
from station.files.lock import Lock
print("probing", flush=True)
while True:
    Lock.owner("r", "pilot"), Lock.held("r", "pilot")
"""


def test_a_second_owner_is_refused_with_the_firsts_pid() -> None:
    lock = Lock("r", "pilot")
    try:
        with pytest.raises(
            AlreadyRunning, match=f"already run by process {os.getpid()}. Next: use the running station"
        ):
            Lock("r", "pilot")
        assert Lock.owner("r", "pilot") == os.getpid()
    finally:
        lock.release()
    assert not Lock.held("r", "pilot") and Lock.owner("r", "pilot") is None


def test_nobody_owns_what_was_never_locked() -> None:
    assert Lock.owner("r", "pilot") is None
    assert not Lock.held("r", "pilot")


def test_asking_takes_nothing_away_from_who_holds_it_in_the_same_process() -> None:
    lock = Lock("r", "pilot")
    assert Lock.held("r", "pilot") and Lock.owner("r", "pilot") == os.getpid()
    with pytest.raises(AlreadyRunning):
        Lock("r", "pilot")
    lock.release()


def test_the_kernel_lets_go_however_the_owner_dies() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        assert Lock.owner("r", "pilot") == holder.pid
        with pytest.raises(AlreadyRunning, match=str(holder.pid)):
            Lock("r", "pilot")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not Lock.held("r", "pilot")
    Lock("r", "pilot").release()


def test_a_pid_that_is_by_now_somebody_elses_is_no_owner() -> None:
    """Between taking the lock and saying so, its last owner's pid stands in the file."""
    lock = Lock("r", "pilot")
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as other:
        os.pwrite(lock._fd, str(other.pid).ljust(12).encode(), 0)
        assert Lock.held("r", "pilot") and Lock.owner("r", "pilot") is None
        os.pwrite(lock._fd, b"            ", 0)
        assert Lock.held("r", "pilot") and Lock.owner("r", "pilot") is None
    lock.release()


def test_no_start_is_refused_under_a_probing_loop() -> None:
    """As often as makes a probe that takes the lock for a moment meet a start, and no more: the probers fill the processors."""
    probers = [subprocess.Popen([sys.executable, "-c", PROBER], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for prober in probers:
            assert prober.stdout is not None and prober.stdout.readline() == b"probing\n"
        for _ in range(3000):
            Lock("r", "pilot").release()  # raises AlreadyRunning where a probe is in the way
    finally:
        for prober in probers:
            prober.kill()
            prober.wait()
            if prober.stdout is not None:
                prober.stdout.close()
