"""What a child process owes its parent: to end when it does, however that dies."""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
"""prctl(2)"""


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the thread that began this process ends. Ask who the parent is afterwards: it may be dead already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
