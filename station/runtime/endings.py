"""How processes end: waiting for several at once and never for ever, and what one that does not end waits for."""

import select
from collections.abc import Iterable
from pathlib import Path

from station.clock import NS_PER_MS, NS_PER_S, monotonic_ns


def all_ended(pidfds: Iterable[int], seconds: float) -> bool:
    """Wait until all these processes have ended, so long at most. Did they? (−1 stands for one that was never started.)"""
    deadline_ns = monotonic_ns() + round(seconds * NS_PER_S)
    poller = select.poll()
    left = {pidfd for pidfd in pidfds if pidfd >= 0}
    for pidfd in left:
        poller.register(pidfd, select.POLLIN)
    while left and (wait_ns := deadline_ns - monotonic_ns()) > 0:
        for pidfd, _ in poller.poll(wait_ns / NS_PER_MS):
            poller.unregister(pidfd)
            left.discard(pidfd)
    return not left


def asleep_in(pid: int) -> str:
    """What a process waits for in the kernel, as far as it says: `state D in usb_kill_urb`."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]  # proc(5)
        waits = Path(f"/proc/{pid}/wchan").read_text().strip("0\n")
    except OSError:
        return "ending"
    return f"state {state}" + (f" in {waits}" if waits else "")
