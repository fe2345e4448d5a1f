"""The synchronizer without sockets, threads and clocks: samples, requests and the time in; ticks, rows and answers out.

At t_k + settle the aligner chooses, the tick is published, and the row before is closed: what was sent for it is known by then. What
a policy sees in a tick is what is recorded: while a recording may get rows, ticks hold the streams it began with.
"""

from collections.abc import Sequence
from typing import NamedTuple

from station.borders.stamps import Stamps
from station.bus.messages import (
    SCHEMA,
    Applied,
    Command,
    Description,
    Header,
    Health,
    Mark,
    Message,
    PilotState,
    RecorderState,
    Setpoint,
    StreamHealth,
    Tick,
)
from station.bus.messages.endings import Ending, EndReason
from station.bus.requests import BeginRecording, EndRecording, KeepMark, SyncRequest
from station.bus.streams import period_ns
from station.bus.wire import Sample
from station.clock import NS_PER_MS, Grid
from station.episodes.journal import journal_header
from station.rig.rig import Rig
from station.sync.aligner import Aligner, Instant
from station.sync.effects import Asker, Effect, JournalNews, JournalOpened, Now, Publish
from station.sync.flow import Flow
from station.sync.recording_core import RecordingCore
from station.sync.rows import RowMaker, observation
from station.sync.stream_names import StreamNames
from station.sync.watch import EndWatch

LATE_NS = 5 * NS_PER_MS
"""A tick emitted more than this after t_k + settle is late."""
STATE_NS = period_ns("recorder")
ASKING_NODES = ("policy", "replay", "vr_teleop")
"""Nodes that may ask for all arms at once."""


class _OpenRow(NamedTuple):
    """The tick whose row closes at the next one."""

    tick: int
    instant: Instant
    sample: Sample
    late: bool


class SynchronizerCore:
    """Of one rig, for the life `start_id` of its node. Every method returns what is to be done now, in this order."""

    def __init__(self, rig: Rig, start_id: int, now_ns: int) -> None:
        self._rig, self._start_id = rig, start_id
        self._grid = Grid(0, rig.tick_hz)
        self._settle_ns = int(rig.settle_ms * NS_PER_MS)
        self._aligner = Aligner()
        self._stamps = Stamps()
        self._rows = RowMaker(rig)
        self._names = StreamNames(rig)
        self._watch = EndWatch(rig)
        self._flow = Flow(now_ns)
        self._out: list[Effect] = []
        self.recording = RecordingCore(self._out)
        self._open_row: _OpenRow | None = None
        self._sequences: dict[str, int] = {}
        self._ticks = self._late = 0
        self._lost = self._lost_at_start = 0
        self._state_due_ns = 0

    def _done(self) -> Sequence[Effect]:
        if not self._out:
            return ()
        done = self._out.copy()
        self._out.clear()
        return done

    # -- what comes --

    def sample(self, sample: Sample, now_ns: int) -> Sequence[Effect]:
        """One message of a device, a source or the pilot, at the moment it came."""
        header, body = sample.header, sample.body
        if self._stamps.refuse(f"{sample.kind}/{sample.node}", now_ns, header.captured_at_ns, header.sent_at_ns):
            return ()
        if isinstance(body, Description):
            self._names.describe(sample.node, body)
            self._settle_names()
        elif isinstance(body, Health):
            self._health(sample, body)
        elif isinstance(body, PilotState):
            self._watch.heard_pilot(body)
        elif isinstance(body, Setpoint | Command | Applied):
            self._commanding(sample, body)
        else:
            self._device(sample)
        return self._done()

    def _device(self, sample: Sample) -> None:
        """A device's sample: aligned under its stream's name, and recorded if that was one when the recording began."""
        name = self._names.name(sample.kind, sample.node)
        recording = self.recording
        recorded = recording.has(sample.kind, sample.node)
        if not recorded:
            recording.appeared(name or f"{sample.node}_{sample.kind}")
        if name is None:
            return
        self._aligner.expect(name)
        if self._aligner.push(name, sample):
            self._flow.add(sample)
            if recorded:
                recording.put(sample)

    def _health(self, sample: Sample, health: Health) -> None:
        """A device's trouble explains a hold; how the policy's runner does is part of the episode."""
        if sample.node in ASKING_NODES:
            self.recording.put(sample)
        else:
            self._watch.heard_health(sample.node, health)

    def _commanding(self, sample: Sample, body: Setpoint | Command | Applied) -> None:
        if isinstance(body, Applied):
            self._rows.applied(body)
        elif isinstance(body, Setpoint):
            self._rows.asked(body)
        self._flow.add(sample)
        self.recording.put(sample)

    def _settle_names(self) -> None:
        if self.recording.state == "idle":
            self._names.settle()

    # -- ticks --

    def tick(self, k: int, now_ns: int) -> Sequence[Effect]:
        """Emit tick k, and close the row of the one before."""
        t_ns, recording = self._grid.time_ns(k), self.recording
        late = now_ns - t_ns - self._settle_ns > LATE_NS
        self._ticks += 1
        self._late += late
        instant = self._aligner.choose(t_ns)
        if recording.frozen:
            instant = instant.only(recording.streams)
        tick = Tick(k, t_ns, instant.chosen, *observation(self._rig, instant))
        self._out.append(Publish("tick", tick, t_ns))
        if self._open_row is not None:
            self._close_row(self._open_row, now_ns)
        # a first sample may still lie a moment ahead
        if recording.takes_rows and len(instant.chosen) == len(recording.streams):
            self._open_row = _OpenRow(k, instant, self._own("tick", tick, t_ns, now_ns), late)
        return self._done()

    def _close_row(self, opened: _OpenRow, now_ns: int) -> None:
        """Tick k−1 closes now, at t_k: what was sent for it is known."""
        self._open_row, recording = None, self.recording
        if not recording.takes_rows:
            return
        row = self._rows.close(opened.tick, recording.rows, opened.instant, opened.late, self._watch.holds)
        verdict = self._watch.ending(opened.instant, row, recording.keep_hold, self._rows.hold_why())
        if verdict == "keep":
            recording.add(opened.sample, self._own("row", row, opened.instant.t_ns, now_ns))
        elif verdict != "drop":
            recording.end(verdict)

    def _own(self, kind: str, body: Message, captured_at_ns: int, now_ns: int) -> Sample:
        sequence = self._sequences.get(kind, 0)
        self._sequences[kind] = sequence + 1
        header = Header(SCHEMA, self._start_id, sequence, captured_at_ns, now_ns)
        return Sample(kind, "synchronizer", header, body, ())

    # -- requests, and what became of the journal --

    def request(self, request: SyncRequest, asker: Asker, now: Now) -> Sequence[Effect]:
        """The session asks."""
        if isinstance(request, BeginRecording):
            self.recording.ask(request, asker, now.ns)
            self._begin_if_possible(now)
        elif isinstance(request, EndRecording):
            self.recording.ask_end(request, asker)
        elif isinstance(request, KeepMark):
            self.recording.mark(request.path, self._own("mark", Mark(request.name), request.at_ns, now.ns), asker)
        else:
            self.recording.keep(request, asker)
        return self._done()

    def journal(self, news: JournalNews) -> Sequence[Effect]:
        """What became of the journal."""
        self.recording.journal(news)
        if isinstance(news, JournalOpened):
            for sample in self._aligner.kept(self.recording.streams):  # what the first tick may choose
                self.recording.put(sample)
        return self._done()

    def turn(self, now: Now, lost: int) -> Sequence[Effect]:
        """After each tick. `lost`: messages lost on the bus so far."""
        self._lost = lost
        self._begin_if_possible(now)
        if now.ns >= self._state_due_ns:
            self._state_due_ns = now.ns + STATE_NS
            self._out.append(Publish("recorder", self._state(now.ns), now.ns))
        return self._done()

    def stop(self) -> Sequence[Effect]:
        """The node ends: so does the episode, where it stands."""
        self.recording.end(Ending(EndReason.STATION_STOPPED))
        return self._done()

    def _begin_if_possible(self, now: Now) -> None:
        """A node that was just restarted is given a moment to bring its first sample."""
        if self.recording.wish is None:
            return
        self._settle_names()
        request = self.recording.decide(self._obstacle(), now.ns)
        if request is None:
            return
        streams = [name for name in self._names.described if self._aligner.has(name)]
        header = journal_header(self._rig, request.info, self._names.descriptions, now.ns, now.wall_ns, streams)
        self._lost_at_start = self._lost
        self._open_row = None
        self._watch.begin()
        self.recording.begin(request, header)

    def _obstacle(self) -> str:
        if missing := self._missing:
            names = ", ".join(missing)
            return f"no sample yet from {names}; recording needs one of every stream. Next: `station status` says why"
        return self._names.clash

    @property
    def _missing(self) -> tuple[str, ...]:
        """Devices that have not said what they are, and streams without a sample."""
        return (*self._names.silent, *(name for name in self._names.expected if not self._aligner.has(name)))

    # -- what is said --

    def _state(self, now_ns: int) -> RecorderState:
        recording = self.recording
        return RecorderState(
            recording=recording.state != "idle", path=recording.path, recorded_ticks=recording.acknowledged,
            ended=recording.ended, ticks=self._ticks, late_ticks=self._late, missing=self._missing,
            lost=self._lost - self._lost_at_start, bytes_per_s=self._flow.bytes_per_s(now_ns),
            journal_bytes=recording.journal_bytes, stalls=recording.stalls, stalled_rows=recording.stalled_rows,
            unrecorded=recording.unrecorded,
        )  # fmt: skip

    def health(self, now_ns: int) -> Health:
        """How this node is."""
        streams = (StreamHealth("tick", self._rig.tick_hz, self._rig.tick_hz, 0),)
        readings: dict[str, float] = {
            "ticks": self._ticks,
            "late_ticks": self._late,
            "refused_samples": self._aligner.refused,
            "bad_stamps": self._stamps.count,
        }
        error = "; ".join(filter(None, [self.recording.trouble, *self._stamps.warnings(now_ns)]))
        return Health("synchronizer", "warn" if error else "ok", error, streams, readings, (), self._lost)
