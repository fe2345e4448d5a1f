"""Does a rig on this computer need it now? For whatever may wait: copies to elsewhere, a long count."""

from station.bus.messages import PilotState, SessionState
from station.bus.sockets import Subscriber
from station.clock import NS_PER_MS, Clock, monotonic_ns
from station.errors import StationError
from station.files.lock import Lock
from station.files.runtime_folder import runtime_root

_LOOK_NS = 100 * NS_PER_MS
_FRESH_NS = 2000 * NS_PER_MS
"""What session and pilot said is believed so long; they say it several times a second."""
_AT_REST = ("idle", "hold")


class _Heard:
    def __init__(self, rig: str) -> None:
        self.subscriber = Subscriber(rig, [("session", "session"), ("pilot", "pilot")])
        self.session: tuple[SessionState, int] | None = None
        self.pilot: tuple[PilotState, int] | None = None

    def look(self, now_ns: int) -> None:
        for sample in self.subscriber.newest().values():
            if isinstance(sample.body, SessionState):
                self.session = sample.body, now_ns
            elif isinstance(sample.body, PilotState):
                self.pilot = sample.body, now_ns


class RigsAtWork:
    """Asked again and again; a context manager."""

    def __init__(self, clock: Clock = monotonic_ns) -> None:
        self._clock = clock
        self._heard: dict[str, _Heard] = {}
        self._due_ns = 0
        self._why = ""

    def __call__(self) -> str:
        """Which rig needs the computer, and for what; "" for none. A station that runs and says nothing is taken for one that does."""
        now_ns = self._clock()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + _LOOK_NS
            self._why = next(filter(None, (self._of(rig, now_ns) for rig in self._running())), "")
        return self._why

    def _running(self) -> list[str]:
        try:
            rigs = sorted(path.name for path in runtime_root().iterdir() if path.is_dir())
            running = [rig for rig in rigs if Lock.held(rig, "supervisor")]
        except OSError:
            running = []
        for gone in self._heard.keys() - set(running):
            self._heard.pop(gone).subscriber.close()
        return running

    def _of(self, rig: str, now_ns: int) -> str:
        if rig not in self._heard:
            try:
                self._heard[rig] = _Heard(rig)
            except StationError:  # it has no keys yet
                return f"rig {rig} is starting"
        heard = self._heard[rig]
        heard.look(now_ns)
        session, pilot = heard.session, heard.pilot
        return why(
            rig,
            session[0] if session is not None and now_ns - session[1] < _FRESH_NS else None,
            pilot[0] if pilot is not None and now_ns - pilot[1] < _FRESH_NS else None,
        )

    def close(self) -> None:
        """Stop listening."""
        for heard in self._heard.values():
            heard.subscriber.close()
        self._heard.clear()

    def __enter__(self) -> "RigsAtWork":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def why(rig: str, session: SessionState | None, pilot: PilotState | None) -> str:
    """Why a rig of which that was heard lately needs the computer; "" if it does not. Pure."""
    if session is not None and session.phase != "ended":
        return f"rig {rig} has a sitting open ({session.phase})"
    if session is not None and session.finalising:
        return f"rig {rig} is saving"
    if pilot is not None and pilot.state not in _AT_REST:
        return f"the arms of rig {rig} follow ({pilot.state})"
    return "" if session is not None and pilot is not None else f"rig {rig} says nothing yet"
