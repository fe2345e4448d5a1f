"""What the console hears of the station, and asks of it: one loop that drains the bus and never waits for a viewer."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from station.borders.stamps import unbelievable
from station.bus.asking import PatientClient
from station.bus.messages import (
    ArmState,
    Description,
    Frame,
    PilotState,
    PolicyState,
    RecorderState,
    Row,
    SessionState,
    Setpoint,
    StationState,
    Tick,
)
from station.bus.pending import as_reply
from station.bus.requests import Refused, Reply, Who
from station.bus.sockets import Subscriber
from station.bus.wire import Sample
from station.client import Station
from station.client.cue import cue
from station.clock import NS_PER_MS, NS_PER_S, Clock
from station.console import pace, view
from station.console.asking import Question
from station.console.ears import Ear
from station.console.pictures import as_jpeg
from station.console.viewer import Viewer
from station.episodes.cadence import in_words, read_cadence
from station.errors import NodeAbsent, StationError
from station.policy.claims import Vector, rig_vector

LOOKED_AT_S, IDLE_S = 0.02, 0.2
"""How often the bus is drained while somebody looks, and while nobody does."""
STATE_NS, TICK_NS, PACE_NS, PROCESSES_NS, POLICY_NS = (
    200 * NS_PER_MS,
    100 * NS_PER_MS,
    NS_PER_S,
    NS_PER_S,
    500 * NS_PER_MS,
)
AGAIN_S = 1.0
_ASKS = (("setpoint", "policy"), ("setpoint", "policy_shadow"))
NODES = ("session", "pilot", "supervisor", "policy")
Then = Callable[[Reply], None]
_STATES = [
    ("session", "session"), ("pilot", "pilot"), ("recorder", "synchronizer"), ("station", "supervisor"),
    ("tick", "synchronizer"), ("row", "synchronizer"), ("policy", "policy"),
]  # fmt: skip
_log = logging.getLogger("console")


class Hub:
    """Of one rig. To be used in one event loop."""

    def __init__(self, station: Station, clock: Clock) -> None:
        self._station, self._clock = station, clock
        self.rig = station.rig
        self.viewers: set[Viewer] = set()
        self.heard = view.Heard()
        self._cameras = {name: place for place, name in enumerate(station.rig.cameras)}
        self._arms = {device.node for device in station.rig.devices if device.role in ("leader", "follower")}
        self._states: Subscriber | None = None
        self._frames, self._asks, self._efforts = Ear(station), Ear(station, ["policy"]), Ear(station)
        self._clients: dict[str, PatientClient] = {}
        self._row: Row | None = None
        self._ask: Setpoint | None = None
        self._sizes: dict[int, float] = {}
        """Bytes of a picture, by camera."""
        self._state_due_ns = self._tick_due_ns = self._pace_due_ns = self._processes_due_ns = self._policy_due_ns = 0
        self._card, self._card_of = "", ""

    async def run(self) -> None:
        """For ever: hear, pass on. A station that is not there is looked for once a second."""
        try:
            while True:
                try:
                    self._attach()
                except (NodeAbsent, StationError, OSError):
                    self.time(self._clock())
                    await asyncio.sleep(AGAIN_S)
                    continue
                self._hear()
                self.time(self._clock())
                await asyncio.sleep(LOOKED_AT_S if self.viewers else IDLE_S)
        finally:
            if self._states is not None:
                self._states.close()
            for ear in (self._frames, self._asks, self._efforts):
                ear.close()
            for client in self._clients.values():
                client.close()

    def _attach(self) -> None:
        if self._states is None:
            clients = {node: PatientClient(self.rig.name, node) for node in NODES}
            described = [("description", device.node) for device in self.rig.devices]
            self._states, self._clients = self._station.subscribe([*_STATES, *described]), clients

    # -- hearing --

    def _hear(self) -> None:
        assert self._states is not None
        now_ns = self._clock()
        for sample in self._states.newest().values():
            self.take(sample, now_ns)
        for client in self._clients.values():
            client.poll(now_ns)
        looking = [viewer for viewer in self.viewers if viewer.seen]
        shown = any(viewer.wants_pictures for viewer in looking)
        for sample in self._frames.listen([("frame", name) for name in self._cameras] if shown else ()):
            self.take_picture(sample, now_ns)
        asked = any(viewer.watch.policy for viewer in looking)
        for sample in self._asks.listen(_ASKS if asked else ()):
            self.take(sample, now_ns)
        arms = {viewer.watch.arm for viewer in looking} & self._arms
        for sample in self._efforts.listen(("arm_state", arm) for arm in arms):
            self.take(sample, now_ns)

    def take(self, sample: Sample, now_ns: int) -> None:
        """A node said something."""
        heard, body = self.heard, sample.body
        match body:
            case SessionState():
                self._take_session(body)
            case PilotState():
                heard.pilot = body
            case RecorderState():
                heard.recorder = body
            case StationState():
                heard.station = body
            case Tick():
                heard.tick = body
            case PolicyState():
                self._take_policy(body)
            case _:
                self._take_ageless(sample)
                return
        heard.at_ns[sample.kind] = min(now_ns, sample.header.sent_at_ns)  # what waited in a queue is as old as it is

    def _take_ageless(self, sample: Sample) -> None:
        """What is shown with something else, or not by its age."""
        match sample.body:
            case Row():
                self._row = sample.body
            case Setpoint():
                self._ask = sample.body
            case Description():
                self.heard.descriptions[sample.node] = sample.body
            case ArmState():
                self.heard.exerted(sample.node, sample.body.effort)

    def _take_policy(self, state: PolicyState) -> None:
        before, self.heard.policy = self.heard.policy, state
        if before is None or (before.phase, before.folder, before.shadow) != (state.phase, state.folder, state.shadow):
            self._policy_due_ns = 0  # a change is told at once

    def _take_session(self, state: SessionState) -> None:
        before, self.heard.session = self.heard.session, state
        if before != state:
            self._state_due_ns = 0  # a change is told at once
        spoken = cue(before, state)
        if spoken is not None:
            for viewer in self.viewers:
                viewer.say({"kind": "cue", "words": spoken.words, "beeps": spoken.beeps})

    def take_picture(self, sample: Sample, now_ns: int) -> None:
        """A camera's newest."""
        captured_ns = sample.header.captured_at_ns
        if not isinstance(sample.body, Frame) or unbelievable(captured_ns, now_ns):
            return
        camera = self._cameras[sample.node]
        watching = [viewer for viewer in self.viewers if viewer.seen and sample.node in viewer.watch.cameras]
        jpeg = as_jpeg(sample) if watching else None
        if jpeg is not None:
            self._sizes[camera] = float(len(jpeg))
            for viewer in watching:
                viewer.show_picture(camera, captured_ns, jpeg)

    # -- telling --

    def time(self, now_ns: int) -> None:
        """What is due is put into every viewer's slots."""
        if not self.viewers:
            return
        if now_ns >= self._pace_due_ns:
            self._pace_due_ns = now_ns + PACE_NS
            self._pace()
        if now_ns >= self._state_due_ns:
            self._state_due_ns = now_ns + STATE_NS
            self._look_at_the_last_episode()
            raw = msgspec.json.encode(view.state(self.heard, self.rig, now_ns, self._card))
            for viewer in self.viewers:
                viewer.show("state", raw)
        if now_ns >= self._tick_due_ns and self.heard.tick is not None:
            self._tick_due_ns = now_ns + TICK_NS
            tick, row = self.heard.tick, self._row
            asked = row.action_sent if row is not None and abs(row.tick - tick.tick) < self.rig.tick_hz else None
            ask = self._ask if self._ask is not None and abs(self._ask.tick - tick.tick) < self.rig.tick_hz else None
            raw = msgspec.json.encode(view.tick(tick, asked, ask))
            for viewer in self.viewers:
                viewer.show("tick", raw)
        self._tell_some(now_ns)

    def _tell_some(self, now_ns: int) -> None:
        """What only those are told who show it."""
        shows_policy = [viewer for viewer in self.viewers if viewer.watch.policy]
        if shows_policy and now_ns >= self._policy_due_ns:
            self._policy_due_ns = now_ns + POLICY_NS
            raw = msgspec.json.encode(view.policy(self.heard, now_ns))
            for viewer in shows_policy:
                viewer.show("policy", raw)
        watching = [viewer for viewer in self.viewers if viewer.watch.processes]
        if watching and now_ns >= self._processes_due_ns:
            self._processes_due_ns = now_ns + PROCESSES_NS
            raw = msgspec.json.encode(view.processes(self.heard, self.rig, now_ns))
            for viewer in watching:
                viewer.show("processes", raw)
            self.heard.efforts.clear()

    @property
    def up(self) -> bool:
        """Is the rig up?"""
        return self._station.runs

    @property
    def holder(self) -> str:
        """The page that holds control; "" where none does."""
        return self.heard.session.control.seat if self.heard.session is not None else ""

    @property
    def phase(self) -> str:
        """Of the sitting; "" while the session says nothing."""
        return self.heard.session.phase if self.heard.session is not None else ""

    @property
    def vector(self) -> Vector | None:
        """The rig's, once all its arms have said what they are."""
        known = self.heard.descriptions
        return rig_vector(self.rig, known) if all(name in known for name in self.rig.followers) else None

    @property
    def busy_with(self) -> str:
        """Path of the newest episode of a sitting that goes on."""
        return self.heard.session.saved_path if self.heard.session is not None and self.phase != "ended" else ""

    def _pace(self) -> None:
        holder = self.holder
        wishes = {
            place: pace.Wish(viewer.watch.fps, sum(self._sizes.get(self._cameras.get(name, -1), 0.0) for name in viewer.watch.cameras),
                             viewer.id == holder)
            for place, viewer in enumerate(tuple(self.viewers)) if viewer.wants_pictures
        }  # fmt: skip
        found = pace.paces(wishes)
        for place, viewer in enumerate(tuple(self.viewers)):
            viewer.pace_fps = found.get(place, 0.0)

    def _look_at_the_last_episode(self) -> None:
        """Its card, made beside the loop: reading a file may take a while."""
        session = self.heard.session
        path = session.saved_path if session is not None else ""
        if path == self._card_of:
            return
        self._card_of, self._card = path, ""
        if path:
            task = asyncio.get_running_loop().run_in_executor(None, _card, Path(path))
            task.add_done_callback(lambda done: self._carded(path, done.result()))

    def _carded(self, path: str, card: str) -> None:
        if path == self._card_of:
            self._card = card

    # -- asking --

    def ask(self, question: Question, who: Who, then: Then) -> None:
        """Ask a node; `then` gets what comes of it, silence too, and of what is asked after it."""
        client = self._clients.get(question.node)
        if client is None:
            then(Refused(f"no station runs for rig {self.rig.name}. Next: `station up --rig {self.rig.name}`"))
            return

        def answered(reply: Reply) -> None:
            _log.info("%s asked: %s: %s", who, question.request, reply)
            if question.after is not None and not isinstance(reply, Refused):
                self.ask(question.after, who, then)
            else:
                then(reply)

        client.ask(question.request, lambda outcome: answered(as_reply(outcome)), self._clock(), question.seen, who)


def _card(path: Path) -> str:
    try:
        return f"{path.stem}: {in_words(read_cadence(path))}"
    except StationError as error:
        return str(error)
