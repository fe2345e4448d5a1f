"""Episodes without a panel: the session is opened, each episode is arranged and recorded, and what ended early is counted.

What dies meanwhile is brought back by the supervisor: it is waited for (`Patience`), and recording goes on.
"""

from collections.abc import Callable

from station.bus.messages import SessionState
from station.bus.requests import Align, CloseSession, OpenSession, PrepareScene, Start
from station.bus.requests.time_outs import time_out_ms
from station.bus.sockets import RequestClient, Subscriber
from station.cli.attach import console
from station.cli.operator.cues import Speaker
from station.cli.patience import WAIT_S, Patience
from station.clock import NS_PER_S, monotonic_ns
from station.errors import NodeAbsent, RequestRefused, UsageError
from station.rig.rig import Rig

FRESH_S = 5.0
"""How long the session may take to say how it is."""
SAVE_S = 120.0
_HEAR_MS = 50


def refuse_unattended(rig: Rig, headless: bool, yes: bool) -> None:
    """Real arms do not move without somebody who said so."""
    if headless and rig.moves_real_arms and not yes:
        raise UsageError(
            f"rig {rig.name} has real arms and --headless asks nothing. Next: clear the table and add --yes-arms-will-move"
        )


def prepare_scene(rig: Rig, episode: int) -> None:
    """On a simulated rig: put the scene as it is at the start of this episode. Elsewhere people have done it."""
    if rig.world is not None:
        with RequestClient(rig.name, "world") as world:
            world.ask(PrepareScene(episode))


class SessionWatcher:
    """The session as a client sees it. `meanwhile` is called while it waits, 20 times a second at least."""

    def __init__(self, rig: Rig, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._heard = Subscriber(rig.name, [("session", "session")])
        self._rig, self._meanwhile = rig, meanwhile
        self.state = SessionState("ended", "", "", 0, 0, 0, 0, 0, ())

    def until(self, seen: Callable[[SessionState], bool], seconds: float, since_ns: int = 0) -> SessionState:
        """Wait for a state told after `since_ns`; NodeAbsent if it does not come."""
        deadline_ns = monotonic_ns() + int(seconds * NS_PER_S)
        while monotonic_ns() < deadline_ns:
            sample = self._heard.receive(_HEAR_MS)
            self._meanwhile()
            if sample is not None and isinstance(sample.body, SessionState):
                self.state = sample.body
                if sample.header.sent_at_ns >= since_ns and seen(self.state):
                    return self.state
        raise NodeAbsent(
            f"the session stayed {self.state.phase} ({self.state.why or 'no reason given'}) for {seconds:g} s. "
            f"Next: `station status --rig {self._rig.name}`"
        )

    def close(self) -> None:
        """Stop listening."""
        self._heard.close()


Arrange = Callable[[RequestClient, SessionWatcher, Patience], None]
"""Brings a session that is ready or in hold to ready, with everything in its place for the next episode."""


def align_and_prepare(rig: Rig) -> Arrange:
    """After an early end align again; then the scene."""

    def arrange(session: RequestClient, watcher: SessionWatcher, patience: Patience) -> None:
        align(session, watcher, patience)
        prepare_scene(rig, watcher.state.episode)

    return arrange


def align(session: RequestClient, watcher: SessionWatcher, patience: Patience) -> None:
    """Out of a hold, announced: nobody at the arms need have seen it."""
    if watcher.state.phase == "hold":
        patience.announce(f"hold: {watcher.state.why}. Aligning again")
        session.ask(Align(), time_out_ms(Align, hands=False))


def record_headless(
    rig: Rig,
    open_session: OpenSession,
    episodes: int,
    seconds: float,
    arrange: Arrange | None = None,
    meanwhile: Callable[[], None] = lambda: None,
    wait_s: float = WAIT_S,
    speaker: Speaker | None = None,
) -> int:
    """Record `episodes` of `seconds` each without asking anything; returns how many ended early, or are not saved.

    Whatever is in the way is waited for, `wait_s` at most each time. Raises StationError then, and RequestRefused where the
    sitting cannot even be opened.
    """
    watcher = SessionWatcher(rig, meanwhile)
    patience = Patience(rig, wait_s, speaker, meanwhile)
    taker = _Taker(rig, open_session, seconds, arrange or align_and_prepare(rig), watcher, patience)
    try:
        with RequestClient(rig.name, "session") as session:
            patience.until_done("the sitting", lambda: taker.open(session), first=True)
            try:
                for _ in range(episodes):
                    taker.take(session)
                patience.until_done("saving", lambda: watcher.until(lambda state: state.finalising == 0, SAVE_S))
            finally:
                _close(session)
    finally:
        patience.close()
        watcher.close()
    state = watcher.state
    unsaved = max(0, episodes - state.saved)
    console.print(
        f"{state.saved} saved, {state.ended_early} ended early; newest: {state.saved_path or '–'}"
        + (f"; waited {patience.waited_s:.0f} s altogether" if patience.waited_s else "")
    )
    if unsaved:
        console.print(f"{unsaved} of {episodes} are not saved: {state.why or 'no reason given'}")
    return min(episodes, state.ended_early + unsaved)


def _close(session: RequestClient) -> None:
    try:
        session.ask(CloseSession())
    except (NodeAbsent, RequestRefused) as error:
        console.print(f"the sitting was not closed: {error}")


class _Taker:
    """Takes one episode after another."""

    def __init__(
        self,
        rig: Rig,
        open_session: OpenSession,
        seconds: float,
        arrange: Arrange,
        watcher: SessionWatcher,
        patience: Patience,
    ) -> None:
        self._rig, self._open_session, self._seconds = rig, open_session, seconds
        self._arrange, self._watcher, self._patience = arrange, watcher, patience
        self._opened = False

    def open(self, session: RequestClient) -> None:
        """Open the sitting, unless an attempt before has, whose answer was lost."""
        if self._opened and self._fresh().phase != "ended":
            return
        self._opened = True
        session.ask(self._open_session)

    def take(self, session: RequestClient) -> None:
        """One episode, begun as soon as it can be, and waited for."""
        watcher = self._watcher
        number = self._patience.until_done("the next episode", lambda: self._begin(session))
        console.print(f"episode {number}: recording {self._seconds:g} s")
        state = self._patience.until_done(
            f"episode {number}", lambda: watcher.until(lambda state: _is_over(state, number), self._seconds + 20)
        )
        rows = f"{state.recorded_ticks} rows" + (
            f", {state.stalled_rows} of them in {state.stalls} stalls" if state.stalls else ""
        )
        console.print(f"episode {number}: {rows}" + (f", ended early: {state.why}" if state.why else ""))

    def _begin(self, session: RequestClient) -> int:
        """Its number. Raises RequestRefused and NodeAbsent while something is in the way."""
        state = self._fresh()
        if state.phase == "ended":  # the sitting went with the whole station
            self._patience.announce("the sitting is over. Opening another")
            session.ask(self._open_session)
        state = self._watcher.until(lambda state: state.phase in ("ready", "hold"), FRESH_S)
        self._arrange(session, self._watcher, self._patience)
        number = self._fresh().episode
        session.ask(Start(self._seconds))
        return number

    def _fresh(self) -> SessionState:
        return self._watcher.until(lambda _: True, FRESH_S, since_ns=monotonic_ns())


def _is_over(state: SessionState, number: int) -> bool:
    return state.phase == "ended" or (state.episode > number and state.phase in ("ready", "hold"))
