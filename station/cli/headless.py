"""Episodes without a panel: the session is opened, each episode is arranged and recorded, and what ended early is counted.

What dies meanwhile is brought back by the supervisor: it is waited for (`Patience`), and recording goes on.
"""

from collections.abc import Callable

import msgspec

from station.bus.requests import Align, CloseSession, Label, OpenSession
from station.bus.requests.time_outs import time_out_ms
from station.cli.checked import asked_again
from station.cli.operator.cues import Speaker
from station.cli.patience import WAIT_S, Patience
from station.cli.physics import prepare_scene
from station.client import SessionClient, Station
from station.client.session import FRESH_S, RESTS
from station.errors import NodeAbsent, RequestRefused, UsageError
from station.rig.rig import Rig
from station.terminal.screen import console


def refuse_unattended(rig: Rig, headless: bool, yes: bool) -> None:
    """Real arms do not move without somebody who said so. Raises UsageError where they would."""
    if headless and rig.moves_real_arms and not yes:
        raise UsageError(
            f"rig {rig.name} has real arms and --headless asks nothing. Next: clear the table and add --yes-arms-will-move"
        )


Arrange = Callable[[SessionClient, Patience], None]
"""Brings a session that is ready or in hold to ready, with everything in its place for the next episode."""


def align_and_prepare(station: Station) -> Arrange:
    """After an early end align again; then the scene."""

    def arrange(session: SessionClient, patience: Patience) -> None:
        align(session, patience)
        prepare_scene(station, session.state.episode)

    return arrange


def align(session: SessionClient, patience: Patience) -> None:
    """Out of a hold, announced: nobody at the arms need have seen it."""
    if session.state.phase == "hold":
        patience.announce(f"hold: {session.state.why}. Aligning again")
        session.ask(Align(), time_out_ms(Align, hands=False))


def record_headless(
    station: Station,
    open_session: OpenSession,
    episodes: int,
    seconds: float,
    arrange: Arrange | None = None,
    meanwhile: Callable[[], None] = lambda: None,
    wait_s: float = WAIT_S,
    speaker: Speaker | None = None,
    judge: Callable[[], bool] | None = None,
) -> int:
    """Record `episodes` of `seconds` each without asking anything; returns how many ended early, or are not saved.

    `judge` says how each went, as soon as it is over: its label. Whatever is in the way is waited for, `wait_s` at most each
    time. Raises StationError then, and RequestRefused where the sitting cannot even be opened.
    """
    open_session = msgspec.structs.replace(open_session, episodes=episodes)
    patience = Patience(station, wait_s, speaker, meanwhile)
    try:
        with station.session(meanwhile) as session:
            taker = _Taker(
                station, session, open_session, seconds, arrange or align_and_prepare(station), patience, judge
            )
            patience.until_done("the sitting", taker.open, first=True)
            try:
                for _ in range(episodes):
                    taker.take()
                patience.until_done("saving", session.until_saved)
            finally:
                _close(session)
            state = session.state
    finally:
        patience.close()
    unsaved = max(0, episodes - state.saved)
    console.print(
        f"{state.saved} saved, {state.ended_early} ended early; newest: {state.saved_path or '–'}"
        + (f"; waited {patience.waited_s:.0f} s altogether" if patience.waited_s else "")
    )
    if unsaved:
        console.print(f"{unsaved} of {episodes} are not saved: {state.why or 'no reason given'}")
    return min(episodes, state.ended_early + unsaved)


def _close(session: SessionClient) -> None:
    try:
        session.ask(CloseSession())
    except (NodeAbsent, RequestRefused) as error:
        console.print(f"the sitting was not closed: {error}")


class _Taker:
    """Takes one episode after another."""

    def __init__(
        self, station: Station, session: SessionClient, open_session: OpenSession, seconds: float, arrange: Arrange, patience: Patience,
        judge: Callable[[], bool] | None,
    ) -> None:  # fmt: skip
        """`open_session` says how many are wanted in all."""
        self._judge = judge
        self._rig = station.rig
        self._session, self._open_session, self._seconds = session, open_session, seconds
        self._arrange, self._patience = arrange, patience
        self._opened = False

    def open(self) -> None:
        """Open the sitting, unless an attempt before has, whose answer was lost."""
        if self._opened and self._session.fresh().phase != "ended":
            return
        self._opened = True
        asked_again(self._rig, lambda: self._session.ask(self._open_session))

    def take(self) -> None:
        """One episode, begun as soon as it can be, and waited for."""
        number = self._patience.until_done("the next episode", self._begin)
        console.print(f"episode {number}: recording {self._seconds:g} s")
        state = self._patience.until_done(f"episode {number}", lambda: self._session.until_over(number, self._seconds))
        rows = f"{state.recorded_ticks} rows" + (
            f", {state.stalled_rows} of them in {state.stalls} stalls" if state.stalls else ""
        )
        console.print(f"episode {number}: {rows}" + (f", ended early: {state.why}" if state.why else ""))
        if self._judge is not None:
            self._patience.until_done(f"the label of episode {number}", self._label)

    def _label(self) -> None:
        assert self._judge is not None
        console.print(f"{self._session.ask(Label(self._judge())).detail}, says physics")

    def _begin(self) -> int:
        """Its number. Raises RequestRefused and NodeAbsent while something is in the way."""
        session = self._session
        if session.fresh().phase == "ended":  # the sitting went with the whole station
            self._patience.announce("the sitting is over. Opening another")
            asked_again(self._rig, lambda: session.ask(self._open_session))
        session.until(lambda state: state.phase in RESTS, FRESH_S)
        self._arrange(session, self._patience)
        return session.begin(self._seconds)
