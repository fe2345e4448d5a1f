"""Who says aloud, or beeps, what changes in the session.

A cue can hold nothing up: it is a child with no pipe of ours, in a session of its own, reaped when it is done and ended
when it is not.
"""

import shutil
import subprocess

from station.client.cue import Cue
from station.clock import NS_PER_S
from station.files import settings

SPEECH_NS = 8 * NS_PER_S
"""A speaker that takes longer is ended."""


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
