"""What is said aloud, or beeped, when the session changes: at the terminal and by a page alike. Pure."""

from typing import NamedTuple

from station.bus.messages import SessionState
from station.bus.requests.time_outs import COUNT_DOWN_S
from station.client.staged import things


class Cue(NamedTuple):
    """Words for a voice, or so many beeps where there is none."""

    words: str
    beeps: int = 1


def cue(before: SessionState | None, now: SessionState) -> Cue | None:
    """What to say about the change from `before` to `now`; None if nothing."""
    return None if before is None else _asked_from_afar(before, now) or _said(before, now)


def _said(before: SessionState, now: SessionState) -> Cue | None:
    if now.phase == "hold" and before.phase != "hold":
        return Cue("paused" if now.paused else f"hold. {_first(now.why)}", 3)
    if now.phase == "recording" and before.phase != "recording":
        return Cue(f"recording {now.episode}")
    if now.phase == "running" and before.phase != "running":
        return Cue(f"running {now.episode}")
    if now.phase in ("recording", "running") and (change := _while_recording(before, now)) is not None:
        return change
    if now.ended_early > before.ended_early:
        return Cue(f"ended early. {_first(now.why)}", 3)
    if now.discarded > before.discarded:
        return Cue("discarded" if now.saved >= before.saved else "deleted", 2)
    if now.saved > before.saved:
        said = f"saved {now.newest}" if now.saved != now.wanted else f"saved. all {now.wanted} done"
        return Cue(_joined(said, _staged(before, now)), 2)
    if before.phase == "opening" and now.phase == "ready":
        return Cue(_joined("ready", _next(now)))
    if now.phase == "ended" and before.phase not in ("ended", "saving"):
        return Cue(f"not ready. {_first(now.why)}", 3)
    staged = _staged(before, now)
    return Cue(staged) if staged else None


def _joined(first: str, then: str) -> str:
    return f"{first}. {then}" if then else first


def _staged(before: SessionState, now: SessionState) -> str:
    """What is to be staged, where that is news: the arms rest, and something was recorded or said since."""
    rested = ("ready", "reset", "hold")
    if now.phase not in rested or (before.phase in rested and _next(before) == _next(now)):
        return ""
    return _next(now)


def _next(state: SessionState) -> str:
    staging = state.staging
    if staging is None or staging.why:
        return ""
    return f"next: {things(staging)}" if things(staging) else "the plan is complete" if not staging.left else ""


def _asked_from_afar(before: SessionState, now: SessionState) -> Cue | None:
    motion, was = now.motion, before.motion
    if motion is None:
        return None
    if was is None or was.number != motion.number:
        return Cue(f"somebody elsewhere asks to move the arms. {_first(motion.what)}", 3)
    if motion.moves_ns and not was.moves_ns:
        return Cue(f"arms move in {COUNT_DOWN_S:.0f} seconds", 3)
    return None


def _while_recording(before: SessionState, now: SessionState) -> Cue | None:
    if now.paused != before.paused:
        return Cue("paused" if now.paused else "go on", 2)
    return Cue(now.mark) if now.marked > before.marked else None


def _first(why: str) -> str:
    """The cause alone: a voice that reads a whole message is not listened to."""
    return why.partition(":")[0].partition(". ")[0].replace("_", " ")
