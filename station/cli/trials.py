"""A trial of an evaluation, recorded by the session: one episode with its number, its condition and its label."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import typer

from station.bus.requests import CloseSession, Label, Note, OpenSession, Start, Stop
from station.cli.checked import asked_again
from station.cli.rollout import Ran, Rollout
from station.client import Station
from station.client.session import RESTS
from station.clock import NS_PER_S, monotonic_ns
from station.episodes.naming import episode_path
from station.errors import EpisodeError, NodeAbsent, RequestRefused
from station.terminal.screen import console

_TICK_MS = 50
ENDS_S = 30.0
"""How long a rollout may take to end once it is asked to."""


class RecordedTrials:
    """Rollouts in sittings of the session, one sitting for each policy's turn. A context manager that closes the last one."""

    def __init__(self, station: Station, rollout: Rollout, sitting: OpenSession) -> None:
        """`sitting`: all that the sittings of an evaluation have in common."""
        self._rollout, self._sitting = rollout, sitting
        self._rig = station.rig
        self._session = station.session(rollout.meanwhile)
        self._open = False
        self.folder = Path(sitting.data) / sitting.task
        """Where the episodes go."""

    def open(self, identity: str, folder: Path, instruction: str) -> None:
        """The next policy's turn: it was loaded just now."""
        self.close()
        self._sitting = msgspec.structs.replace(
            self._sitting, policy=identity, policy_folder=str(folder.absolute()), instruction=instruction
        )
        asked_again(self._rig, lambda: self._session.ask(self._sitting))
        self._open = True

    def run(self, seconds: float, over: Callable[[], bool], trial: int, condition: str) -> Ran:
        """One rollout of a scene that is ready, for `seconds`, until it is `over`, held, or ended by Ctrl-C or the end of
        whoever showed it.

        Raises RequestRefused or NodeAbsent where it does not begin.
        """
        session, rollout = self._session, self._rollout
        before = session.fresh()
        number = before.episode
        rollout.forget()
        session.ask(Start(seconds, trial, condition))
        interrupted, stopped, until_ns = False, False, monotonic_ns() + round((seconds + ENDS_S) * NS_PER_S)
        try:
            while not self._ended(number) and monotonic_ns() < until_ns:
                if over() and not stopped:
                    stopped = True
                    self._stop()
                session.wait(_TICK_MS)
                rollout.meanwhile()
        except (KeyboardInterrupt, typer.Abort):
            console.print("ending; what was recorded is saved, the arms hold")
            interrupted = True
            self._stop()
        state = session.until_over(number, ENDS_S)
        held = state.why if state.ended_early > before.ended_early else ""
        spoiled = bool(held) and state.ended_by == "station"
        return Ran(state.recorded_ticks / self._rig.tick_hz, held, rollout.helped, interrupted, spoiled, number)

    def _ended(self, number: int) -> bool:
        self._session.look()
        state = self._session.state
        return state.phase == "ended" or (state.episode > number and state.phase in RESTS)

    def _stop(self) -> None:
        try:
            self._session.ask(Stop())
        except (RequestRefused, NodeAbsent) as error:  # it has ended by itself just now, or will at its time
            console.print(f"not stopped: {error}")

    def judged(self, success: bool, why: str = "") -> None:
        """How the last one went: its label, and why where that is known."""
        self._session.ask(Label(success))
        if why:
            self._session.ask(Note(why))

    def counts_not(self, why: str) -> None:
        """The last one is no trial: its episode is kept without a label, and says so."""
        self._session.ask(Note(f"no trial: {why}"))

    def path(self, number: int) -> Path:
        """Of an episode."""
        return episode_path(self.folder, number)

    def close(self) -> None:
        """End the sitting: every episode of it is a whole file then."""
        if self._open:
            self._open = False
            try:
                self._session.ask(CloseSession())
            except (RequestRefused, NodeAbsent, EpisodeError) as error:
                console.print(f"the sitting was not closed: {error}")

    def __enter__(self) -> "RecordedTrials":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._session.close()
