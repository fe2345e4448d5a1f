"""Listens to a running rig and turns what it hears into figures."""

import itertools
import os
import time
from collections import defaultdict
from pathlib import Path

from station.bench.computer import Computer
from station.bench.figures import Distribution, Figures, NodeFigures, StreamFigures
from station.bench.stalls import COMMANDS, EpisodeSeen, StallSeen, StallWatch, Steal
from station.bus.messages import (
    Applied,
    ArmState,
    Description,
    PilotState,
    RecorderState,
    SessionState,
    StationState,
    Tick,
)
from station.bus.streams import DEVICE_KINDS
from station.bus.wire import Sample
from station.client import Station
from station.clock import NS_PER_MS, NS_PER_S, Clock
from station.runtime.processes import processes
from station.sync.core import LATE_NS

DISK_BLOCK = 4 << 20
DISK_BLOCKS = 16


class Listener:
    """Everything heard while measuring."""

    def __init__(self, station: Station, clock: Clock, begin_ns: int | None = None, figures: bool = True) -> None:
        """`begin_ns`: what times of stalls are counted from, now by default. Without `figures` only stalls are kept."""
        rig = station.rig
        self._rig, self._clock, self._figures = rig, clock, figures
        devices = [device.node for device in rig.devices]
        self._bus = station.subscribe(
            [(kind, node) for node in devices for kind in (*DEVICE_KINDS, "description")]
            + [(kind, node) for node in rig.followers for kind in ("applied", "command")]
            + [("tick", "synchronizer"), ("recorder", "synchronizer"), ("pilot", "pilot")]
            + [("station", "supervisor"), ("session", "session")],
            publishers=[*devices, "synchronizer", "pilot", "supervisor", "session"],
        )
        self._captured_ns: dict[str, list[int]] = defaultdict(list)
        self._transit_ns: dict[str, list[int]] = defaultdict(list)
        self._declared: dict[str, float] = {}
        self._emission_ns: list[int] = []
        self._written_ns: list[int] = []
        self._states: list[StationState] = []
        self._computer: Computer | None = None
        self._phase = ""
        self._begin_ns = clock() if begin_ns is None else begin_ns
        self._silences = StallWatch(self._begin_ns, round(rig.safety.stale_ms * NS_PER_MS))
        self._steal = Steal()
        self._ended_path = ""
        self.stalls: list[StallSeen] = []
        self.episodes: list[EpisodeSeen] = []

    def listen(self, until_ns: int) -> None:
        """Hear everything until then."""
        while (now_ns := self._clock()) < until_ns:
            self._steal.note(now_ns)
            sample = self._bus.receive(max(1, min(50, (until_ns - now_ns) // NS_PER_MS)))
            if sample is not None:
                self._measure_silences(sample)
                if self._figures or isinstance(sample.body, SessionState):
                    self._take(sample)
        self.stalls += self._silences.done(self._clock(), self._steal)

    def _measure_silences(self, sample: Sample) -> None:
        body, at_ns = sample.body, sample.header.sent_at_ns
        if isinstance(body, ArmState):
            self._silences.sent(sample.node, at_ns)
        elif isinstance(body, Applied):
            self._silences.sent(f"{COMMANDS}{sample.node}", at_ns)
        elif isinstance(body, PilotState):
            self._silences.pilot(body.state, body.why, at_ns)
        elif isinstance(body, RecorderState) and body.ended is not None and body.path != self._ended_path:
            self._ended_path = body.path
            if body.ended.early:
                self._silences.episode_ended(at_ns)
            self.episodes.append(
                EpisodeSeen(
                    (at_ns - self._begin_ns) / NS_PER_S, body.recorded_ticks, body.stalls, body.stalled_rows,
                    body.ended.cause,
                )
            )  # fmt: skip

    def listen_until_recording(self, record: bool) -> None:
        """Hear until the session records (at most a minute: an alignment is slow on purpose)."""
        until_ns = self._clock() + 60 * NS_PER_S
        while record and self._phase != "recording" and self._clock() < until_ns:
            self.listen(self._clock() + NS_PER_S // 10)

    def forget(self) -> None:
        """Start counting here (the rig has settled)."""
        if self._states:
            told = self._states[-1]
            self._computer = Computer(told.pid, {process.pid for process in told.processes if process.pid is not None})
        for heard in (self._captured_ns, self._transit_ns):
            heard.clear()
        for times in (self._emission_ns, self._written_ns):
            times.clear()
        self._states.clear()
        self.stalls.clear()
        self._bus.lost.clear()

    def close(self) -> None:
        """Stop listening."""
        self._bus.close()

    def _take(self, sample: Sample) -> None:
        body, header = sample.body, sample.header
        if isinstance(body, Tick):
            self._emission_ns.append(header.sent_at_ns - body.t_ns)
        elif isinstance(body, Applied):
            if body.source == "leader" and not (body.hold or body.stalled):
                self._written_ns.append(header.captured_at_ns - body.setpoint_at_ns)
        elif isinstance(body, Description):
            for stream in body.streams:
                self._declared[f"{stream.kind}/{sample.node}"] = stream.rate_hz
        elif isinstance(body, StationState):
            self._states.append(body)
        elif isinstance(body, SessionState):
            self._phase = body.phase
        elif not isinstance(body, PilotState | RecorderState):
            name = f"{sample.kind}/{sample.node}"
            self._captured_ns[name].append(header.captured_at_ns)
            self._transit_ns[name].append(header.sent_at_ns - header.captured_at_ns)

    def figures(self, seconds: float) -> Figures:
        """What it comes to."""
        settle_ns = int(self._rig.settle_ms * NS_PER_MS)
        nodes = self._nodes(seconds)
        own = [node for node in nodes if not node.simulated]
        figures = Figures(
            rig=self._rig.name, seconds=seconds, ticks=len(self._emission_ns), tick_emission_ms=_ms(self._emission_ns),
            late_ticks=sum(t > settle_ns + LATE_NS for t in self._emission_ns), setpoint_to_written_ms=_ms(self._written_ns),
            streams=self._streams(), nodes=nodes,
            own_cpu_percent=sum(node.cpu_percent for node in own), own_pss_mb=sum(node.pss_mb for node in own),
            stolen_percent=self._computer.stolen_percent() if self._computer is not None else 0.0,
            stalls=tuple(self.stalls), resume_ms=self._rig.safety.resume_ms,
        )  # fmt: skip
        return figures

    def _streams(self) -> tuple[StreamFigures, ...]:
        found = []
        for name, times in sorted(self._captured_ns.items()):
            kind, _, node = name.partition("/")
            gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
            rate = len(gaps) * NS_PER_S / (times[-1] - times[0]) if gaps else 0.0
            lost = self._bus.lost.get((kind, node), 0)
            found.append(
                StreamFigures(name, rate, self._declared.get(name, 0.0), _ms(gaps), _ms(self._transit_ns[name]), lost)
            )
        return tuple(found)

    def _nodes(self, seconds: float) -> tuple[NodeFigures, ...]:
        found = list(self._computer.beside(seconds)) if self._computer is not None else []
        for row in processes(self._rig):
            seen = [p for state in self._states for p in state.processes if p.node == row.node and p.running]
            if seen:
                cpu = sum(p.cpu_percent for p in seen) / len(seen)
                pid = seen[-1].pid
                mb, growth_mb = (
                    self._computer.node_mb(pid) if self._computer is not None and pid is not None else (0.0, 0.0)
                )
                found.append(NodeFigures(row.node, cpu, mb, growth_mb, row.cpu_percent, row.simulated))
        return tuple(found)


def measure_disk(folder: Path) -> tuple[float, Distribution]:
    """Sequential write speed with a sync per block, MB/s, and how long the syncs take, ms."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".bench-{os.getpid()}"
    block = os.urandom(DISK_BLOCK)
    syncs = []
    begun = time.perf_counter()
    try:
        with path.open("wb", buffering=0) as file:
            for _ in range(DISK_BLOCKS):
                file.write(block)
                before = time.perf_counter()
                os.fdatasync(file.fileno())
                syncs.append((time.perf_counter() - before) * 1000)
        return DISK_BLOCK * DISK_BLOCKS / 1e6 / (time.perf_counter() - begun), Distribution.of(syncs)
    finally:
        path.unlink(missing_ok=True)


def _ms(values_ns: list[int]) -> Distribution:
    return Distribution.of([value / NS_PER_MS for value in values_ns])
