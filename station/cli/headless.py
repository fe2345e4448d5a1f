"""Episodes without a panel: the session is opened, each episode is arranged and recorded, and what ended early is counted."""

from collections.abc import Callable

from station.bus.messages import SessionState
from station.bus.requests import Align, CloseSession, OpenSession, PrepareScene, Start
from station.bus.sockets import Asker, Subscriber
from station.cli.attach import console
from station.clock import NS_PER_S, monotonic_ns
from station.errors import NodeAbsent, RequestRefused, UsageError
from station.rig import Rig

ALIGN_MS = 40_000
"""Opening a session waits for the followers to arrive at the source's pose."""
ATTEMPTS = 3
"""How often one episode may be begun."""
START_MS = 8_000
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
        with Asker(rig.name, "world") as world:
            world.ask(PrepareScene(episode), ALIGN_MS)


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


Arrange = Callable[[Asker, SessionWatcher], None]
"""Brings a session that is ready or in hold to ready, with everything in its place for the next episode."""


def align_and_prepare(rig: Rig) -> Arrange:
    """After an early end align again; then the scene."""

    def arrange(session: Asker, watcher: SessionWatcher) -> None:
        if watcher.state.phase == "hold":
            console.print(f"hold: {watcher.state.why}. Aligning again")
            session.ask(Align(), ALIGN_MS)
        prepare_scene(rig, watcher.state.episode)

    return arrange


def record_headless(
    rig: Rig,
    opening: OpenSession,
    episodes: int,
    seconds: float,
    arrange: Arrange | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> int:
    """Record `episodes` of `seconds` each without asking anything; returns how many ended early."""
    watcher = SessionWatcher(rig, meanwhile)
    with Asker(rig.name, "session") as session:
        session.ask(opening, ALIGN_MS)
        try:
            for _ in range(episodes):
                _one_episode(session, watcher, seconds, arrange or align_and_prepare(rig))
            watcher.until(lambda state: state.finalising == 0, SAVE_S)
        finally:
            session.ask(CloseSession(), int(SAVE_S * 1000))
            watcher.close()
    state = watcher.state
    console.print(f"{state.saved} saved, {state.ended_early} ended early; newest: {state.saved_path or '–'}")
    return state.ended_early


def _one_episode(session: Asker, watcher: SessionWatcher, seconds: float, arrange: Arrange) -> None:
    number = watcher.until(lambda state: state.phase in ("ready", "hold"), 5.0).episode
    for attempt in range(ATTEMPTS):
        arrange(session, watcher)
        try:
            session.ask(Start(seconds), START_MS)
            break
        except RequestRefused:  # a hold may fall between the two: arranging aligns again, once it has been heard of
            if attempt == ATTEMPTS - 1:
                raise
            watcher.until(lambda state: state.phase in ("ready", "hold"), 5.0, since_ns=monotonic_ns())
    console.print(f"episode {number}: recording {seconds:g} s")
    state = watcher.until(lambda state: state.episode > number and state.phase in ("ready", "hold"), seconds + 20)
    rows = f"{state.recorded_ticks} rows" + (
        f", {state.stalled_rows} of them in {state.stalls} stalls" if state.stalls else ""
    )
    console.print(f"episode {number}: {rows}" + (f", ended early: {state.why}" if state.why else ""))
