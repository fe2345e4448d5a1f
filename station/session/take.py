"""One recording as the session sees it, from the wish to begin to the closed journal. Pure.

    beginning ──Done──► running ──end, or it ended by itself──► ending ──► over
        │                                                         ▲
        ├──Refused──► over: nothing was recorded                   │
        └──no answer, or an end was asked for meanwhile ───────────┘

Every question to the synchronizer has its owner here: one at a time, and what is answered late or never still ends the recording
that may have begun by it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from station.bus.messages import Ending, EndReason, RecorderState
from station.bus.pending import Outcome, Unanswered
from station.bus.requests import BeginRecording, Done, EndRecording, RecordingInfo, Refused
from station.session.ports import Ports


class Over(NamedTuple):
    """How a recording ended."""

    recorded: bool
    """Is there a journal? False: it never began."""
    ending: Ending
    """How it ended, or why it never began."""
    doubtful: bool = False
    """It may begin yet: the synchronizer answered nothing at all."""


class Take:
    """Of one episode. `began` is called when rows flow, `over` once, when nothing more will come."""

    def __init__(
        self,
        ports: Ports,
        part: Path,
        number: int,
        began: Callable[["Take"], None],
        over: Callable[["Take", Over], None],
    ) -> None:
        self._ports, self._began, self._over = ports, began, over
        self.part, self.number = part, number
        self.rows = 0
        """Acknowledged, as last heard."""
        self.state: Literal["beginning", "running", "ending", "over"] = "beginning"
        self._end: Ending | None = None
        self._unclear = False
        """Nobody said whether it began."""

    def begin(self, info: RecordingInfo, ticks: int | None) -> None:
        """Ask for it."""
        self._ports.sync(BeginRecording(str(self.part), info, ticks), self._answered)

    def adopt(self, rows: int) -> None:
        """It goes on already: a life that was killed began it, or an answer that came too late."""
        self.state, self.rows = "running", rows

    def end(self, ending: Ending) -> None:
        """End it: at once, or as soon as it has begun. The first end counts."""
        if self._end is None and self.state in ("beginning", "running"):
            self._end = ending
            if self.state == "running":
                self._ask_end(self._end)

    def heard(self, recorder: RecorderState) -> None:
        """The recorder spoke of it."""
        self.rows = max(self.rows, recorder.recorded_ticks)
        if recorder.ended is not None and self.state == "running":
            self._finish(Over(True, recorder.ended))

    def lost(self) -> None:
        """The recorder was restarted: it ends at its last acknowledged row. Who waits for an answer is told by that."""
        if self.state == "running":
            self._finish(Over(True, Ending(EndReason.SYNCHRONIZER_KILLED)))

    def _answered(self, reply: Outcome) -> None:
        if isinstance(reply, Refused):
            self._finish(Over(False, Ending(EndReason.NOT_BEGUN, reply.why)))
        elif isinstance(reply, Unanswered):
            self._unclear = True
            self._ask_end(self._end or Ending(EndReason.UNWANTED, reply.why))
        elif self._end is not None:
            self._ask_end(self._end)
        else:
            self.state = "running"
            self._began(self)

    def _ask_end(self, ending: Ending) -> None:
        self.state, self._end = "ending", ending
        self._ports.sync(EndRecording(ending, str(self.part)), self._closed)

    def _closed(self, reply: Outcome) -> None:
        assert self._end is not None
        if isinstance(reply, Done):
            self._finish(Over(True, self._end))
        elif self._unclear and not self._ports.disk.exists(self.part):
            never = Ending(EndReason.NOT_BEGUN, self._end.detail or self._end.sentence)
            self._finish(Over(False, never, doubtful=isinstance(reply, Unanswered)))
        else:  # what it acknowledged is saved all the same
            self._finish(Over(True, Ending(EndReason.NOT_CLOSED, reply.why)))

    def _finish(self, over: Over) -> None:
        self.state = "over"
        self._over(self, over)
