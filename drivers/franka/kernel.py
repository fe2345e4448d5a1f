"""Whether commands can leave in real time from this computer, and if not, why and what to do. Pure, given what the system says."""

import resource
from pathlib import Path

_MARK = Path("/sys/kernel/realtime")
_PRIORITY = 99
_WHY = "an FR3 stops when 20 commands in a row are late"


def trouble(mark: str, priority: int, root: bool) -> str:
    """Why not; "" if they can. `mark`: what /sys/kernel/realtime says, "" without it; `priority`: the highest one may take."""
    if mark.strip() != "1":
        return f"this kernel is not a real-time one: {_WHY}"
    if not root and priority < _PRIORITY:
        return f"this user may take no real-time priority above {priority}: {_WHY}"
    return ""


def next_act(said: str) -> str:
    """What to do about that."""
    return "give it rtprio 99 (/etc/security/limits.d)" if "priority" in said else "install a PREEMPT_RT kernel"


def found() -> str:
    """On this computer."""
    import os

    mark = _MARK.read_text() if _MARK.exists() else ""
    hard = resource.getrlimit(resource.RLIMIT_RTPRIO)[1]
    return trouble(mark, _PRIORITY if hard == resource.RLIM_INFINITY else hard, os.geteuid() == 0)
