"""Recordings that go on, or went on, without anybody of this sitting waiting for them: each is ended, and saved once. Pure.

The answer to a begin came after everybody's time-out, the session was restarted, or the synchronizer answered nothing at all.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path

from station.bus.messages import Ending, EndReason, RecorderState
from station.episodes.naming import number_of
from station.errors import UsageError
from station.session.ports import Ports
from station.session.take import Over, Take

_REMEMBERED = 16
"""Journals that are over, whose recorder may be heard of a moment longer."""


class Strays:
    """`save` gets each that has rows to save, with how it ended."""

    def __init__(self, ports: Ports, save: Callable[[Take, Ending], None]) -> None:
        self._ports, self._save = ports, save
        self._unwanted: Take | None = None
        self._over: deque[Path] = deque(maxlen=_REMEMBERED)
        self._doubtful: deque[Take] = deque(maxlen=_REMEMBERED)

    def is_over(self, part: Path) -> None:
        """That journal is closed and taken care of: what is heard of it later is old."""
        self._over.append(part)

    def may_begin_yet(self, take: Take) -> None:
        """Nobody said whether it began; its number is spent."""
        self._doubtful.append(take)

    def heard(self, state: RecorderState) -> None:
        """The synchronizer spoke of something that is not the sitting's own recording."""
        part = Path(state.path)
        self.clear_doubts(part)
        if self._unwanted is not None:
            if self._unwanted.part == part:
                self._unwanted.heard(state)
            return
        if state.path and part not in self._over and (state.recording or self._ports.disk.exists(part)):
            self._unwanted = take = Take(self._ports, part, _number(part), lambda _: None, self._ended)
            take.adopt(state.recorded_ticks)
            take.heard(state)
            take.end(Ending(EndReason.UNWANTED))

    def lost(self) -> None:
        """The synchronizer was restarted."""
        if self._unwanted is not None:
            self._unwanted.lost()
        self.clear_doubts(None)

    def clear_doubts(self, speaks_of: Path | None) -> None:
        """Takes that did begin and are over, although nobody heard of them: their end was asked for right after their begin."""
        for take in [take for take in self._doubtful if take.part != speaks_of and self._ports.disk.exists(take.part)]:
            self._doubtful.remove(take)
            self._ended(take, Over(True, Ending(EndReason.SYNCHRONIZER_KILLED)))

    def _ended(self, take: Take, over: Over) -> None:
        if self._unwanted is take:
            self._unwanted = None
        known = take.part in self._over
        self._over.append(take.part)
        if over.recorded and not known and take.number >= 0:
            self._save(take, over.ending)


def _number(part: Path) -> int:
    """Of an episode's journal; −1 for a name that is none."""
    try:
        return number_of(part)
    except UsageError:
        return -1
