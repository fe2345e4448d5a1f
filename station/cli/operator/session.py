"""The loop of interactive `station record`: keys, pedal and bus in; requests, panel and cues out. It never blocks on anybody."""

from pathlib import Path
from typing import NamedTuple

import zmq
from rich.console import RenderableType

from station.bus.messages import PilotState, RecorderState, SessionState, StationState, Tick
from station.bus.pending import Outcome, as_reply
from station.bus.requests import (
    Allow,
    CloseSession,
    Label,
    Note,
    OpenSession,
    Refused,
    SessionRequest,
    SetMark,
    Start,
    Stop,
    Undo,
)
from station.bus.sockets import milliseconds_until
from station.cli.operator import small_panel
from station.cli.operator.bindings import Confirm, Local, Nothing, Plan, SendRequest, act
from station.cli.operator.board import Board
from station.cli.operator.cues import Speaker
from station.cli.operator.note import Line
from station.cli.operator.panel import HEIGHT, SILENT_NS, WIDTH, render
from station.cli.operator.pedal import Pedal
from station.cli.operator.scene_hands import SceneHands
from station.cli.operator.screen import Screen
from station.cli.operator.signals import Signals
from station.client import Station
from station.client.cue import Cue, cue
from station.clock import NS_PER_MS, NS_PER_S, Clock, monotonic_ns
from station.episodes.cadence import Cadence, in_words, read_cadence, together
from station.errors import DeviceError, EpisodeError, RequestRefused, StationError
from station.terminal.keys import Keyboard

REDRAW_NS = NS_PER_S // 4
_AGAIN_NS = 300 * NS_PER_MS
_PEDAL_NS = NS_PER_S
_DEAF_NS = 10 * NS_PER_S
"""How long leaving waits for a session that says nothing."""
_TOLD: dict[type[SessionRequest], str] = {
    Label: "labelled",
    Stop: "labelled",
    Note: "noted",
    Allow: "allowed",
    SetMark: "marked",
    Undo: "undone",
}
"""What is said when it is done, if there is more to say than the phase shows."""


class SittingEnd(NamedTuple):
    """How a sitting ended."""

    state: SessionState | None
    reports: tuple[Cadence, ...]
    cut: bool
    """Ctrl-C twice: it was not waited for."""
    hung_up: bool
    """The terminal is gone: there is nobody to tell."""


class OperatorTerminal:
    """One operator at one terminal, for one sitting."""

    def __init__(
        self, station: Station, plan: Plan, keyboard: Keyboard, pedal: Pedal | None, speaker: Speaker,
        scene: SceneHands | None = None,
    ) -> None:  # fmt: skip
        """`scene`: puts it back between two rollouts, where that is not people's work."""
        self._scene = scene
        self._clock: Clock = monotonic_ns
        self._station = station
        self._board = Board(station.rig, plan)
        self._plan, self._keyboard, self._pedal, self._speaker = plan, keyboard, pedal, speaker
        self._signals = Signals()
        self._screen = Screen(keyboard.fd)
        self._session = station.session()
        self._heard = station.subscribe([("recorder", "synchronizer"), ("pilot", "pilot"), ("station", "supervisor")])
        # fifty a second are not worth waking up for: they are looked at when the panel is drawn
        self._ticks = station.subscribe([("tick", "synchronizer")])
        self._begun = self._over = self._keys_there = False
        self._draw_due_ns = self._close_due_ns = self._pedal_due_ns = self._station_due_ns = 0

    def run(self) -> SittingEnd:
        """Until the sitting has ended. Raises RequestRefused if another sitting is in the way."""
        try:
            with self._signals.caught(), self._keyboard, self._screen:
                while not self._over and self._signals.interrupts < 2:
                    self._turn()
        finally:
            self._speaker.close()
            self._session.close()
            self._heard.close()
            self._ticks.close()
        board = self._board
        cut = self._signals.interrupts > 1 and not self._over
        return SittingEnd(board.session, tuple(board.reports), cut, self._signals.hung_up or self._keyboard.closed)

    def _turn(self) -> None:
        self._wait()
        now_ns = self._clock()
        self._signals.drain()
        self._read_keys()
        self._read_pedal(now_ns)
        self._hear(now_ns)
        self._session.poll(now_ns)
        self._go_on(now_ns)
        self._speaker.reap(now_ns)
        if now_ns >= self._draw_due_ns:
            self._draw_due_ns = now_ns + REDRAW_NS
            for sample in self._ticks.newest().values():
                if isinstance(sample.body, Tick):
                    self._board.tick = sample.body
            self._screen.draw(self._picture(now_ns))

    def _picture(self, now_ns: int) -> RenderableType:
        columns, lines = self._screen.size
        if (columns, lines) == (WIDTH, HEIGHT):
            return render(self._board, now_ns)
        return small_panel.render(self._board, now_ns, columns, lines)

    def _wait(self) -> None:
        poller = zmq.Poller()
        for source in (self._signals.fd, *self._session.sockets, self._heard.socket):
            poller.register(source, zmq.POLLIN)
        if not self._keyboard.closed:
            poller.register(self._keyboard.fd, zmq.POLLIN)
        if self._pedal is not None and self._pedal.fd is not None:
            poller.register(self._pedal.fd, zmq.POLLIN)
        ready = dict(poller.poll(milliseconds_until(self._draw_due_ns, self._clock()) + 1))
        self._keys_there = self._keyboard.fd in ready

    # -- keys --

    def _read_keys(self) -> None:
        keys = self._keyboard.read() if self._keys_there else self._keyboard.idle()
        for key in keys:
            self._press(key)
        if self._keyboard.closed and self._signals.interrupts == 0:
            self._signals.interrupts = 1

    def _read_pedal(self, now_ns: int) -> None:
        pedal = self._pedal
        if pedal is None:
            return
        try:
            if pedal.fd is None and now_ns >= self._pedal_due_ns:
                self._pedal_due_ns = now_ns + _PEDAL_NS
                pedal.open()
            for key in pedal.acts(now_ns):
                self._press(key)
            self._board.pedal = "" if pedal.fd is not None else self._board.pedal
        except DeviceError as error:
            self._board.pedal = str(error)

    def _press(self, key: str) -> None:
        board, now_ns = self._board, self._clock()
        self._draw_due_ns = min(self._draw_due_ns, now_ns + REDRAW_NS // 5)
        if board.note is not None and not key.startswith("pedal"):
            self._type(board.note, key, now_ns)
            return
        if board.session is None or board.leaving:
            return
        what = act(key, board.session, self._plan, board.asked)
        busy = self._scene is not None and self._scene.busy
        if busy and isinstance(what, SendRequest) and isinstance(what.request, Start):
            what = Nothing(board.scene)
        board.asked = None
        board.message = None
        if isinstance(what, SendRequest):
            board.help = False
            self._ask(what.request, now_ns, what.seen)
        elif isinstance(what, Confirm):
            board.asked = what
        elif isinstance(what, Nothing):
            board.tell(what.words, "warn", now_ns)
        else:
            self._local(what, board)

    @staticmethod
    def _local(what: Local, board: Board) -> None:
        if what.what == "note":
            board.note, board.noted = Line(), board.session
        else:
            board.help = not board.help

    def _type(self, line: Line, key: str, now_ns: int) -> None:
        typed = line.typed(key)
        self._board.note = typed if typed.keep is None else None
        if typed.keep:
            self._ask(Note(typed.text), now_ns, self._board.noted)

    # -- the session --

    def _ask(self, request: SessionRequest, now_ns: int, seen: SessionState | None = None) -> None:
        if isinstance(request, CloseSession):
            self._leave(now_ns)
            return
        if not self._session.asks(type(request)):  # a key pressed twice is no second request
            self._send(request, now_ns, seen)

    def _send(self, request: SessionRequest, now_ns: int, seen: SessionState | None = None) -> None:
        self._session.post(request, lambda outcome: self._answered(request, outcome), now_ns, seen)

    def _leave(self, now_ns: int) -> None:
        self._board.leaving = True
        self._board.note = None
        self._close_due_ns = now_ns + _AGAIN_NS
        self._send(CloseSession(), now_ns)

    def _answered(self, request: SessionRequest, outcome: Outcome) -> None:
        now_ns = self._clock()
        if isinstance(request, CloseSession) or self._board.leaving:
            return  # the session's state says when it is over, and what was saved
        reply = as_reply(outcome)
        if isinstance(reply, Refused):
            self._board.tell(reply.why, "bad", now_ns)
            self._speak(Cue("no"), now_ns)
        elif type(request) in _TOLD and reply.detail:
            self._board.tell(f"{_TOLD[type(request)]}: {reply.detail}", "say", now_ns)

    def _hear(self, now_ns: int) -> None:
        board = self._board
        if (state := self._session.look()) is not None:
            self._show_session(state, now_ns)
        for sample in self._heard.newest().values():
            body = sample.body
            if isinstance(body, RecorderState):
                board.recorder = body
            elif isinstance(body, PilotState):
                board.pilot = body
            elif isinstance(body, StationState):
                board.station = body

    def _show_session(self, state: SessionState, now_ns: int) -> None:
        board, before = self._board, self._board.session
        board.session, board.session_ns = state, now_ns
        if before is None or before.phase != state.phase:
            board.phase_ns = now_ns
        spoken = cue(before, state)
        if spoken is not None and self._begun:
            self._speak(spoken, now_ns)
        if before is None:
            self._join(state, now_ns)
        elif state.saved < before.saved and board.reports:
            board.reports.pop()
            board.last = board.reports[-1] if board.reports else None
        if before is not None and state.saved > before.saved:
            self._report(Path(state.saved_path), now_ns)
        if state.why and state.phase not in ("hold", "ended") and (before is None or before.why != state.why):
            board.tell(state.why, "bad", now_ns)

    def _join(self, state: SessionState, now_ns: int) -> None:
        """The session's first word: open a sitting, or join the one a terminal that died has left open."""
        if state.phase == "ended":
            self._ask(self._plan.open_session, now_ns)
        elif (state.task, state.kept) != (self._plan.open_session.task, self._plan.open_session.kept):
            of, end = f"for task {state.task}", f"`station record --task {state.task}`"
            if not state.kept:
                of, end = f"of {state.task} that nobody records", "`station run` of that policy"
            raise RequestRefused(
                f"a sitting {of} is open on this rig ({state.phase}). Next: end it with {end} and q, then begin yours"
            )
        else:
            self._board.tell("this sitting was open already: going on with it", "warn", now_ns)
        if self._station.fault:
            self._board.tell(self._station.fault, "warn", now_ns)
        self._begun = True

    def _report(self, episode: Path, now_ns: int) -> None:
        try:
            self._board.last = read_cadence(episode)
        except EpisodeError as error:
            self._board.tell(str(error), "bad", now_ns)
            return
        self._board.reports.append(self._board.last)
        self._board.tell(f"{episode.stem} is saved", "say", now_ns)

    def _go_on(self, now_ns: int) -> None:
        """What happens without a key: enough episodes, Ctrl-C, a session that could not close yet."""
        board, state = self._board, self._board.session
        self._look_for_the_station(now_ns)
        if self._scene is not None and state is not None and not board.leaving:
            board.scene = self._scene.between(state.phase == "reset", state.episode)
        if state is None:
            self._over = self._signals.interrupts > 0
            return
        if not board.leaving:
            enough = state.saved if state.kept else state.episode
            done = 0 < state.wanted <= enough and state.finalising == 0
            if self._signals.interrupts or (done and state.phase in ("ready", "reset", "hold")):
                self._leave(now_ns)
        elif state.phase == "ended" and not self._session.asks(OpenSession):
            self._over = True
        elif "close" in state.actions and now_ns >= self._close_due_ns:
            self._leave(now_ns)

    def _look_for_the_station(self, now_ns: int) -> None:
        """A session that says nothing is restarted by its supervisor, unless that is gone too."""
        board = self._board
        silent_ns = now_ns - board.session_ns
        if board.session is None or silent_ns < SILENT_NS or now_ns < self._station_due_ns:
            return
        self._station_due_ns = now_ns + NS_PER_S
        if not self._station.runs:
            raise StationError(
                f"the station of rig {board.rig.name} is gone: its supervisor was ended. {board.session.saved} saved; a take "
                "that was running is in its journal, the arms hold. Next: run the same command again; it saves what was left"
            )
        if board.leaving and silent_ns > _DEAF_NS:
            self._signals.interrupts = 2  # nobody is there to close the sitting

    def _speak(self, spoken: Cue, now_ns: int) -> None:
        self._screen.write(self._speaker.say(spoken, now_ns))


def summary(outcome: SittingEnd) -> list[str]:
    """What is said when the panel is gone."""
    state = outcome.state
    lines = []
    if state is not None and not state.kept:
        lines.append(f"{state.episode} rollouts, {state.ended_early} ended early, nothing recorded; the arms hold")
    elif state is not None:
        lines.append(
            f"{state.saved} saved, {state.discarded} discarded, {state.ended_early} ended early; "
            f"newest: {state.saved_path or '–'}; the arms hold"
        )
    if outcome.reports:
        lines.append(f"cadence of the sitting: {in_words(together(outcome.reports))}")
    if outcome.cut and state is not None and (state.phase in ("recording", "saving") or state.finalising):
        lines.append("what was not saved yet is in its journal: the next start on this folder, or "
                     "`station episodes recover`, saves it")  # fmt: skip
    return lines
