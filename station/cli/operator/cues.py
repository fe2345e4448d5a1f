"""What is said aloud, or beeped, when the session changes; and who says it.

A cue can hold nothing up: it is a child with no pipe of ours, in a session of its own, reaped when it is done and ended
when it is not.
"""

import shutil
import subprocess
from typing import NamedTuple

from station.bus.messages import SessionState
from station.clock import NS_PER_S
from station.files import settings

SPEECH_NS = 8 * NS_PER_S
"""A speaker that takes longer is ended."""


class Cue(NamedTuple):
    """Words for a voice, or so many beeps where there is none."""

    words: str
    beeps: int = 1


def cue(before: SessionState | None, now: SessionState) -> Cue | None:
    """What to say about the change from `before` to `now`; None if nothing. Pure."""
    if before is None:
        return None
    if now.phase == "hold" and before.phase != "hold":
        return Cue("paused" if now.paused else f"hold. {_first(now.why)}", 3)
    if now.phase == "recording" and before.phase != "recording":
        return Cue(f"recording {now.episode}")
    if now.phase == "recording" and now.paused != before.paused:
        return Cue("paused" if now.paused else "go on", 2)
    if now.ended_early > before.ended_early:
        return Cue(f"ended early. {_first(now.why)}", 3)
    if now.discarded > before.discarded:
        return Cue("discarded" if now.saved >= before.saved else "deleted", 2)
    if now.saved > before.saved:
        return Cue(f"saved {now.newest}" if now.saved != now.wanted else f"saved. all {now.wanted} done", 2)
    if before.phase == "opening" and now.phase == "ready":
        return Cue("ready")
    if now.phase == "ended" and before.phase not in ("ended", "saving"):
        return Cue(f"not ready. {_first(now.why)}", 3)
    return None


def _first(why: str) -> str:
    """The cause alone: a voice that reads a whole message is not listened to."""
    return why.partition(":")[0].partition(". ")[0].replace("_", " ")


class Speaker:
    """Says cues. One at a time: a newer one ends the older."""

    def __init__(self, quiet: bool = False) -> None:
        """`quiet` over this computer's `voice`, which may also be beeps only, or off."""
        wanted = settings.load().voice
        quiet = quiet or wanted == "off"
        voice = (
            None
            if wanted == "beeps"
            else shutil.which("spd-say") or shutil.which("espeak-ng") or shutil.which("espeak")
        )
        self._voice = None if quiet else voice
        self._quiet = quiet
        self._child: subprocess.Popen[bytes] | None = None
        self._until_ns = 0

    def say(self, cue: Cue, now_ns: int) -> str:
        """Say it. Returns the bell characters to send to the terminal where there is no voice."""
        if self._quiet:
            return ""
        if self._voice is None:
            return "\a" * cue.beeps
        self._end()
        wait = ["--wait"] if self._voice.endswith("spd-say") else []
        try:
            self._child = subprocess.Popen(
                [self._voice, *wait, "--", cue.words] if wait else [self._voice, cue.words],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                close_fds=True, start_new_session=True,
            )  # fmt: skip
        except OSError:
            self._voice = None
            return "\a" * cue.beeps
        self._until_ns = now_ns + SPEECH_NS
        return ""

    def reap(self, now_ns: int) -> None:
        """Now and then."""
        if self._child is not None and (self._child.poll() is not None or now_ns > self._until_ns):
            self._end()

    def _end(self) -> None:
        if self._child is not None:
            if self._child.poll() is None:
                self._child.kill()
            self._child.wait()
            self._child = None

    def close(self) -> None:
        """No more."""
        self._end()
