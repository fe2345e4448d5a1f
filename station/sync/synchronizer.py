"""The synchronizer: `python -m station.sync.synchronizer --rig R --node synchronizer`.

Wakes once per tick at t_k + settle, drains the bus, lets the aligner choose, publishes the tick, and while recording closes
the row before. The grid is CLOCK_MONOTONIC itself (t_k = k·20 ms since the clock's zero), so tick numbers go on rising over a
restart of this node.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from station.borders.stamps import Stamps
from station.bus.messages import SCHEMA, Command, Header, Health, Message, PilotState, RecorderState, StreamHealth, Tick
from station.bus.requests import BeginRecording, Done, EndRecording, Refused, Reply, SyncRequest
from station.bus.requests.time_outs import STREAMS_S
from station.bus.sockets import RequestServer, Subscriber, milliseconds_until
from station.bus.streams import DEVICE_KINDS
from station.bus.wire import Sample
from station.clock import NS_PER_MS, NS_PER_S, Grid
from station.devices.contract import Description
from station.episodes.journal import journal_header
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.sync.aligner import Aligner, Instant
from station.sync.flow import Flow
from station.sync.recording import Recording
from station.sync.rows import RowMaker, end_reason, explained, observation
from station.sync.stream_names import StreamNames
from station.version import station_version

LATE_NS = 5 * NS_PER_MS
"""A tick emitted more than this after t_k + settle is late."""
ARM_LOSS_NS = NS_PER_S // 2
PATIENCE_NS = round(STREAMS_S * NS_PER_S)
PILOT_TICKS = 3
"""How many ticks the cause of a hold may come after it."""
KILLED = "the synchronizer was killed"
ASKING_NODES = ("policy", "replay", "vr_teleop")
"""Nodes that may ask for all arms at once."""


class _Waiting(NamedTuple):
    """Who waits for a recording to be open, or closed."""

    recording: Recording
    closed: bool
    answer: Callable[[Reply], None]


class Synchronizer:
    """The loop around the aligner and the row maker."""

    def __init__(self, node: Node) -> None:
        rig = node.rig
        self._node, self._rig = node, rig
        self._grid = Grid(0, rig.tick_hz)
        self._settle_ns = int(rig.settle_ms * NS_PER_MS)
        self._aligner = Aligner()
        self._stamps = Stamps()
        self._rows = RowMaker(rig)
        self._names = StreamNames(rig)
        self._request_server: RequestServer[SyncRequest] = RequestServer(rig.name, "synchronizer", SyncRequest)
        devices = [device.node for device in rig.devices]
        self._bus = Subscriber(
            rig.name,
            [(kind, name) for name in devices for kind in (*DEVICE_KINDS, "description", "health")]
            + [("applied", name) for name in rig.followers]
            + [("command", name) for name in (*rig.followers, *ASKING_NODES)]
            + [("pilot", "pilot"), ("health", "policy")],
            publishers=[*devices, "pilot", *ASKING_NODES],
        )
        self._troubles: dict[str, str] = {}
        """What devices say is wrong with them."""
        self._pilot_holds = ""
        """Why the pilot holds; "" while it does not."""
        self._pilot_aligns = False
        """A hand-over: arms hold for a moment on their way, which ends no episode."""
        self._recording: Recording | None = None
        self._end_told: Recording | None = None
        self._asked: tuple[BeginRecording, Callable[[Reply], None], int] | None = None
        """A recording that begins once every stream has a sample, or is refused at the time given."""
        self._waiting: list[_Waiting] = []
        self._before: tuple[int, Instant, Sample, bool] | None = None
        """The tick whose row is still open."""
        self._lost_at_start = 0
        self._unexplained = 0
        self._ticks = self._late = 0
        self._sequences: dict[str, int] = {}
        self._state_due_ns = 0
        self._flow = Flow(node.clock())

    def run(self) -> None:
        """Tick until told to stop; then end the episode where it stands."""
        k = self._grid.index_at(self._node.clock()) + 1
        try:
            while not self._node.finish.is_set():
                # twice, so that little is left to do between what settles last and the tick
                self._wait(self._grid.time_ns(k))
                self._drain()
                self._wait(self._grid.time_ns(k) + self._settle_ns)
                self._drain()
                self._tick(k)
                self._after_tick()
                k += 1
        finally:
            self._stop()

    def _wait(self, until_ns: int) -> None:
        while (wait_ms := milliseconds_until(until_ns, self._node.clock())) > 0:
            self._receive_requests(wait_ms)
        time.sleep(max(0, until_ns - self._node.clock()) / NS_PER_S)

    def _drain(self) -> None:
        while (sample := self._bus.receive()) is not None:
            # now is when it came: on a busy computer a drain takes longer than a stamp may be ahead
            now_ns, header, body = self._node.clock(), sample.header, sample.body
            if self._stamps.refuse(f"{sample.kind}/{sample.node}", now_ns, header.captured_at_ns, header.sent_at_ns):
                continue
            if isinstance(body, Description):
                self._describe(sample.node, body)
            elif isinstance(body, Health):
                self._well(sample, body)
            elif isinstance(body, PilotState):
                self._pilot_holds = (body.why or "asked to") if body.state == "hold" else ""
                self._pilot_aligns = body.state == "aligning"
            elif isinstance(body, Command):
                self._command(sample, body)
                self._flow.add(sample)
                self._put(sample)
            else:
                self._device(sample)

    def _device(self, sample: Sample) -> None:
        """A device's sample: aligned under its stream's name, and recorded if that was one when the recording began."""
        name = self._names.name(sample.kind, sample.node)
        recording = self._recording
        if recording is not None and not recording.ended and not recording.has(sample.kind, sample.node):
            late = name or f"{sample.node}_{sample.kind}"
            if late not in recording.unrecorded:
                recording.unrecorded[late] = None
                self._node.log.warning("%s appeared after %s had begun: it is not recorded", late, recording.path)
        if name is None:
            return
        self._aligner.expect(name)
        if self._aligner.push(name, sample):
            self._flow.add(sample)
            if recording is not None and recording.has(sample.kind, sample.node):
                recording.put(sample)

    def _put(self, sample: Sample) -> None:
        if self._recording is not None:
            self._recording.put(sample)

    def _well(self, sample: Sample, health: Health) -> None:
        """A device's trouble explains a hold; how the policy's runner does is part of the episode."""
        if sample.node in ASKING_NODES:
            self._put(sample)
        else:
            self._troubles[sample.node] = health.error

    def _command(self, sample: Sample, command: Command) -> None:
        if sample.kind == "applied":
            self._rows.applied(command)
        elif command.arm == "rig":
            self._rows.asked(command)

    def _describe(self, node: str, description: Description) -> None:
        self._names.describe(node, description)
        self._settle_names()

    def _settle_names(self) -> None:
        if not self._busy:
            self._names.settle()

    @property
    def _busy(self) -> bool:
        return self._recording is not None and not self._recording.closed

    @property
    def _missing(self) -> tuple[str, ...]:
        """Devices that have not said what they are, and streams without a sample."""
        return (*self._names.silent, *(name for name in self._names.expected if not self._aligner.has(name)))

    def _tick(self, k: int) -> None:
        t_ns = self._grid.time_ns(k)
        late = self._node.clock() - t_ns - self._settle_ns > LATE_NS
        self._ticks += 1
        self._late += late
        instant, recording = self._aligner.choose(t_ns), self._recording
        if recording is not None and not recording.ended:  # what a policy sees is what is recorded
            instant = instant.only(recording.streams)
        tick = Tick(k, t_ns, instant.chosen, *observation(self._rig, instant))
        self._node.publisher.publish("tick", tick, t_ns)
        if self._before is not None:
            self._close_row()
        if recording is None or not recording.opened or recording.ended or recording.complete:
            return
        if len(instant.chosen) == len(recording.streams):  # a first sample may still lie a moment ahead
            self._before = (k, instant, self._own("tick", tick, t_ns), late)

    def _close_row(self) -> None:
        """Tick k−1 closes now, at t_k: what was sent for it is known."""
        assert self._before is not None
        recording = self._recording
        k, instant, tick, late = self._before
        self._before = None
        if recording is None or recording.ended:
            return
        row = self._rows.close(k, recording.rows, instant, late, bool(self._pilot_holds))
        camera_loss_ns = int(self._rig.safety.camera_loss_s * NS_PER_S)
        kept = recording.keep_hold or self._pilot_aligns
        hold_why = "" if kept else self._pilot_holds or self._rows.hold_why() or "asked to"
        why = end_reason(self._rig, instant, row, camera_loss_ns, ARM_LOSS_NS, hold_why)
        if self._pilot_to_come(row.source == "hold" and not kept):
            return
        why = why or (f"hold: {hold_why}" if self._unexplained else "")
        if why:
            recording.end(explained(why, self._troubles))
            return
        recording.add(tick, self._own("row", row, instant.t_ns))
        if recording.complete:
            recording.end("complete")

    def _pilot_to_come(self, held: bool) -> bool:
        """An arm's gate may tell of a hold before the pilot tells its cause: a moment's patience, for a row that is cut anyway."""
        if not (held or self._unexplained) or self._pilot_holds or self._unexplained >= PILOT_TICKS:
            return False
        self._unexplained += 1
        return True

    def _own(self, kind: str, body: Message, captured_at_ns: int) -> Sample:
        sequence = self._sequences.get(kind, 0)
        self._sequences[kind] = sequence + 1
        header = Header(SCHEMA, self._node.start_id, sequence, captured_at_ns, self._node.clock())
        return Sample(kind, "synchronizer", header, body, ())

    def _after_tick(self) -> None:
        recording = self._recording
        if recording is not None and not recording.ended:
            recording.open_with(self._aligner.kept(recording.streams))
            if recording.error:
                recording.end(recording.error)
        self._begin_if_possible()
        self._answer_waiting()
        self._receive_requests(0)
        now_ns = self._node.clock()
        if now_ns >= self._state_due_ns:
            self._publish_state(now_ns)
        if self._node.health_due(now_ns):
            self._publish_health()

    def _receive_requests(self, timeout_ms: int) -> None:
        while (got := self._request_server.receive(timeout_ms)) is not None:
            request, answer = got
            timeout_ms = 0
            self._handle(request, answer)

    def _handle(self, request: SyncRequest, answer: Callable[[Reply], None]) -> None:
        if isinstance(request, BeginRecording):
            if self._asked is not None or (self._recording is not None and not self._recording.ended):
                path = self._asked[0].path if self._asked is not None else self._recording.path  # type: ignore[union-attr]
                answer(Refused(f"{path} is being recorded. Next: stop it first"))
                return
            self._asked = (request, answer, self._node.clock() + PATIENCE_NS)
            self._begin_if_possible()
        elif isinstance(request, EndRecording):
            self._end(request, answer)
        elif self._recording is None:
            # only who believes that a recording goes on asks this: it was another life's
            answer(Refused(KILLED))
        else:
            self._recording.keep_hold = request.keep
            answer(Done())

    def _end(self, request: EndRecording, answer: Callable[[Reply], None]) -> None:
        """Of what is recorded, or is still to begin."""
        if self._asked is not None and request.path in ("", self._asked[0].path):
            begin, self._asked = self._asked, None
            begin[1](Refused("it was ended before it began"))
            answer(Done("0 rows"))
        elif self._recording is None or request.path not in ("", self._recording.path):
            answer(Refused(KILLED if self._recording is None else f"{request.path} is not being recorded"))
        else:
            self._recording.end(request.why)
            self._waiting.append(_Waiting(self._recording, True, answer))

    def _begin_if_possible(self) -> None:
        """A node that was just restarted is given a moment to bring its first sample."""
        if self._asked is None:
            return
        request, answer, until_ns = self._asked
        now_ns = self._node.clock()
        why = self._cannot_begin()
        if why and now_ns < until_ns:
            return
        self._asked = None
        if why:
            answer(Refused(why))
            return
        streams = [name for name in self._names.described if self._aligner.has(name)]
        header = journal_header(self._rig, request.info, self._names.descriptions, now_ns, time.time_ns(), streams)
        self._lost_at_start = self._lost()
        self._recording = Recording(request, header, self._node.clock)
        self._node.log.info("%s begins: %s", request.path, ", ".join(streams))
        self._unexplained = 0
        self._waiting.append(_Waiting(self._recording, False, answer))

    def _cannot_begin(self) -> str:
        if self._busy:
            assert self._recording is not None
            return f"{self._recording.path} is still being recorded. Next: stop it first"
        self._settle_names()
        if missing := self._missing:
            names = ", ".join(missing)
            return f"no sample yet from {names}; recording needs one of every stream. Next: `station status` says why"
        return self._names.clash

    def _answer_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for asked in waiting:
            recording, closed, answer = asked
            if closed and recording.closed:
                answer(Done(f"{recording.acknowledged} rows"))
            elif not closed and recording.error:
                answer(Refused(recording.error))
            elif not closed and (recording.opened or recording.closed):
                answer(Done())
            else:
                self._waiting.append(asked)

    def _publish_state(self, now_ns: int) -> None:
        self._state_due_ns = now_ns + NS_PER_S // 10
        recording = self._recording
        ended = recording is not None and bool(recording.ended) and recording.closed
        if recording is not None and ended and self._end_told is not recording:
            self._end_told = recording
            self._node.log.info("%s: %s, %d rows", recording.path, recording.ended, recording.acknowledged)
        state = RecorderState(
            recording=recording is not None and not ended,
            path=recording.path if recording is not None else "",
            recorded_ticks=recording.acknowledged if recording is not None else 0,
            ended=recording.ended if recording is not None and ended else "",
            ticks=self._ticks, late_ticks=self._late, missing=self._missing,
            lost=self._lost() - self._lost_at_start, bytes_per_s=self._flow.bytes_per_s(now_ns),
            journal_bytes=recording.journal_bytes if recording is not None else 0,
            stalls=recording.stalls if recording is not None else 0,
            stalled_rows=recording.stalled_rows if recording is not None else 0,
            unrecorded=tuple(recording.unrecorded) if recording is not None else (),
        )  # fmt: skip
        self._node.publisher.publish("recorder", state)

    def _publish_health(self) -> None:
        streams = (StreamHealth("tick", self._rig.tick_hz, self._rig.tick_hz, 0),)
        readings: dict[str, float] = {
            "ticks": self._ticks,
            "late_ticks": self._late,
            "refused_samples": self._aligner.refused,
            "bad_stamps": self._stamps.count,
        }
        troubles = [self._recording.error if self._recording is not None else ""]
        troubles += self._stamps.warnings(self._node.clock())
        error = "; ".join(filter(None, troubles))
        self._node.publish_health(
            Health("synchronizer", "warn" if error else "ok", error, streams, readings, (), self._lost())
        )

    def _lost(self) -> int:
        return sum(self._bus.lost.values())

    def _stop(self) -> None:
        if self._recording is not None:
            self._recording.end("the station stopped")
        while self._recording is not None and not self._recording.closed:
            time.sleep(0.01)
        self._request_server.close()
        self._bus.close()


def main(node: Node) -> None:
    """The node."""
    station_version()  # every journal says it; git is asked here, where no tick waits for the answer
    Synchronizer(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S[0])
