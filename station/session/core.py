"""The state machine of a sitting. Pure: what it needs done it asks of its `Ports`, and time never enters.

    ended ──OpenSession──► opening ──aligned──► ready ──Start──► recording ──Stop / complete / early end──► saving ──► ready
      ▲                       ▲                   │                                                            │
      └──CloseSession── any   └──────Align────── hold ◄──the pilot holds───────────────────────────────────────┘

Every button, wherever it is, is one of `SessionRequest`. A request is answered when it is done, or refused with the reason.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from station.bus.messages import Phase, PilotState, RecorderState, SessionState
from station.bus.requests import (
    Align,
    BeginRecording,
    CloseSession,
    Discard,
    Disengage,
    Done,
    EndRecording,
    Engage,
    Label,
    OpenSession,
    PilotRequest,
    RecordingInfo,
    Refused,
    Reply,
    SessionRequest,
    Start,
    Stop,
    SyncRequest,
)
from station.rig import Rig

Answer = Callable[[Reply], None]

BUTTONS: dict[Phase, tuple[type[SessionRequest], ...]] = {
    "opening": (CloseSession,),
    "ready": (Start, Label, CloseSession),
    "recording": (Stop, Discard, CloseSession),
    "saving": (),
    "reset": (Start, Label, CloseSession),
    "hold": (Align, Label, CloseSession),
    "ended": (OpenSession,),
}
"""Which requests make sense in which phase; anything else is refused."""


class Ports(Protocol):
    """What the core asks of the world. Every `then` is called once, later, from the same thread."""

    def pilot(self, request: PilotRequest, then: Answer) -> None: ...
    def sync(self, request: SyncRequest, then: Answer) -> None: ...
    def prepare(self, folder: Path) -> int:
        """Make the folder, start recovery of what a killed station left, return the next episode's number."""

    def finalise(self, part: Path, discarded: bool, then: Callable[[Path | None, str], None]) -> None:
        """Build the HDF5 of a closed journal; `then` gets its path, or None and the reason."""

    def label(self, folder: Path, request: Label) -> str: ...


class SessionCore:
    """One sitting after another at one rig."""

    def __init__(self, rig: Rig, ports: Ports) -> None:
        self._rig, self._ports = rig, ports
        self.phase: Phase = "ended"
        self._opened = OpenSession(task="")
        self._folder = rig.data
        self._number = 0
        self._part = Path()
        self._recorded = self._saved = self._discarded = self._early = self._finalising = 0
        self._saved_path = ""
        self._why = ""
        self._pilot: PilotState | None = None
        self._closing: Answer | None = None

    def state(self) -> SessionState:
        """What every client shows."""
        return SessionState(
            phase=self.phase, task=self._opened.task, operator=self._opened.operator, episode=self._number,
            recorded_ticks=self._recorded, saved=self._saved, discarded=self._discarded, ended_early=self._early,
            buttons=tuple(button.__name__ for button in BUTTONS[self.phase]), finalising=self._finalising,
            saved_path=self._saved_path, why=self._why,
        )  # fmt: skip

    def request(self, request: SessionRequest, answer: Answer) -> None:
        """A button was pressed somewhere."""
        if not isinstance(request, BUTTONS[self.phase]):
            sensible = ", ".join(button.__name__ for button in BUTTONS[self.phase]) or "wait"
            answer(Refused(f"{type(request).__name__} makes no sense while {self.phase}. Next: {sensible}"))
            return
        if isinstance(request, OpenSession):
            self._open(request, answer)
        elif isinstance(request, Start):
            self._start(request, answer)
        elif isinstance(request, Stop | Discard):
            self._stop(answer, isinstance(request, Discard))
        elif isinstance(request, Align):
            self._align(answer, "hold")
        elif isinstance(request, Label):
            answer(Done(self._ports.label(self._folder, request)))
        else:
            self._close(answer)

    def heard_pilot(self, state: PilotState) -> None:
        """The pilot spoke: a hold stops the sitting until somebody acts."""
        self._pilot = state
        if state.state == "hold" and self.phase in ("ready", "reset"):
            self._hold(state.why)

    def heard_recorder(self, state: RecorderState) -> None:
        """The synchronizer spoke: rows are safe, or the episode has ended by itself."""
        if self.phase != "recording" or state.path != str(self._part):
            return
        self._recorded = state.recorded_ticks
        if state.ended:
            self._ended(state.ended, discarded=False)

    def recorder_lost(self) -> None:
        """The synchronizer was restarted while recording: the episode ends at its last acknowledged tick."""
        if self.phase == "recording":
            self._ended("the synchronizer was killed", discarded=False)

    def _open(self, request: OpenSession, answer: Answer) -> None:
        data = Path(request.data).expanduser() if request.data else self._rig.data
        folder = data / request.task
        try:
            self._number = self._ports.prepare(folder)
        except OSError as error:
            answer(Refused(f"{folder} cannot be written: {error}. Next: name another folder with --data"))
            return
        self._opened, self._folder = request, folder
        self._recorded = self._saved = self._discarded = self._early = 0
        self._saved_path = self._why = ""
        self._align(answer, "ended")

    def _align(self, answer: Answer, otherwise: Phase) -> None:
        self.phase, self._why = "opening", ""

        def then(reply: Reply) -> None:
            if self.phase == "opening":
                self.phase = "ready" if isinstance(reply, Done) else otherwise
                self._why = "" if isinstance(reply, Done) else reply.why
            answer(reply)

        self._ports.pilot(Engage(self._opened.source), then)

    def _start(self, request: Start, answer: Answer) -> None:
        ticks = None if request.seconds is None else round(request.seconds * self._rig.tick_hz)
        if ticks is not None and ticks < 1:
            answer(Refused(f"{request.seconds} s is less than one tick"))
            return
        part = self._folder / f"episode_{self._number}.mcap.part"
        opened = self._opened
        info = RecordingInfo(opened.task, self._number, opened.instruction, opened.operator, opened.scene)

        def then(reply: Reply) -> None:
            if isinstance(reply, Done):
                self.phase, self._part, self._recorded, self._why = "recording", part, 0, ""
            answer(reply)

        self._ports.sync(BeginRecording(str(part), info, ticks), then)

    def _stop(self, answer: Answer, discard: bool) -> None:
        self.phase = "saving"

        def then(reply: Reply) -> None:
            self._ended("", discard)
            answer(reply)

        self._ports.sync(EndRecording("discarded" if discard else "stopped"), then)

    def _ended(self, why: str, discarded: bool) -> None:
        """The journal is closed: the next episode may start while this one's HDF5 is built."""
        early = why not in ("", "complete")
        self._early += early
        self._number += 1
        self._finalising += 1
        self._why = why if early else ""
        self.phase = "ready"
        if self._pilot is not None and self._pilot.state == "hold":
            self._hold(why if early else self._pilot.why)

        def then(path: Path | None, error: str) -> None:
            self._finalising -= 1
            if path is None:
                self._why = error
            elif discarded:
                self._discarded += 1
            else:
                self._saved += 1
                self._saved_path = str(path)
            self._finish_closing()

        self._ports.finalise(self._part, discarded, then)

    def _hold(self, why: str) -> None:
        self.phase, self._why = "hold", why

    def _close(self, answer: Answer) -> None:
        if self.phase == "recording":
            self._stop(lambda _: self._close(answer), discard=False)
            return
        self.phase = "saving"
        self._closing = answer
        self._ports.pilot(Disengage(), lambda _: self._finish_closing())

    def _finish_closing(self) -> None:
        if self._closing is not None and self._finalising == 0:
            self.phase = "ended"
            answer, self._closing = self._closing, None
            answer(Done(f"{self._saved} saved"))
