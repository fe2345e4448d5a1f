"""Everything the panel shows, as it was heard. Pure."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from station.bus.messages import PilotState, ProcessState, RecorderState, SessionState, StationState, Tick
from station.cli.operator.bindings import Confirm, Plan
from station.cli.operator.note import Line
from station.clock import NS_PER_MS, NS_PER_S
from station.episodes.cadence import Cadence
from station.rig.rig import Rig

SILENT_NS = 2 * NS_PER_S
"""A node that said nothing for so long is shown as silent, never by its last words."""
MESSAGE_NS = 8 * NS_PER_S


class Stream(NamedTuple):
    """One device's stream, for a line of the table."""

    node: str
    rate_hz: float
    declared_hz: float
    age_ms: float
    """−1 if nothing came yet."""
    trouble: str
    """The device's own error or warning; "" if it is well."""
    fault: bool = True
    """Is that trouble a fault? Else it is a warning."""

    @property
    def level(self) -> Literal["ok", "warn", "bad"]:
        """How much to worry."""
        if (self.trouble and self.fault) or self.age_ms < 0 or self.rate_hz < 0.5 * self.declared_hz:
            return "bad"
        return "warn" if self.trouble or self.rate_hz < 0.9 * self.declared_hz else "ok"


class Message(NamedTuple):
    """A line for the operator."""

    words: str
    level: Literal["say", "warn", "bad"]
    until_ns: int


@dataclass
class Board:
    """What was heard last from whom, and what is going on at this terminal."""

    rig: Rig
    plan: Plan
    session: SessionState | None = None
    session_ns: int = 0
    phase_ns: int = 0
    """When the session was first heard in its phase."""
    pilot: PilotState | None = None
    recorder: RecorderState | None = None
    station: StationState | None = None
    tick: Tick | None = None
    message: Message | None = None
    asked: Confirm | None = None
    """The question that is open."""
    note: Line | None = None
    noted: SessionState | None = None
    """What the note is for: the session as it was when it was begun."""
    help: bool = False
    leaving: bool = False
    pedal: str = ""
    """What is wrong with the pedal; "" if nothing, or if there is none."""
    scene: str = ""
    """What hands do with a simulated rig's scene just now, or why they could not; "" if it is in its place."""
    last: Cadence | None = None
    reports: list[Cadence] = field(default_factory=list)

    def tell(self, words: str, level: Literal["say", "warn", "bad"], now_ns: int) -> None:
        """Show a line for a while; bad news stay until the next."""
        until_ns = now_ns + (MESSAGE_NS if level != "bad" else 3600 * NS_PER_S)
        self.message = Message(words, level, until_ns)

    def streams(self, now_ns: int) -> list[Stream]:
        """Every device's first stream, in the rig's order: its rate by its own count, its age in the newest tick."""
        processes = {process.node: process for process in self.station.processes} if self.station is not None else {}
        ages = {}
        if self.tick is not None:
            since_ns = max(0, now_ns - self.tick.t_ns) if now_ns - self.tick.t_ns > SILENT_NS else 0
            ages = {chosen.stream: (chosen.age_ns + since_ns) / NS_PER_MS for chosen in self.tick.chosen}
        return [
            self._stream(device.node, processes.get(device.node), ages.get(device.node, -1.0))
            for device in self.rig.devices
        ]

    @staticmethod
    def _stream(node: str, process: ProcessState | None, age_ms: float) -> Stream:
        if process is None:
            return Stream(node, 0.0, 0.0, -1.0, "not heard of yet")
        health = process.health
        if not process.running or health is None:
            return Stream(
                node, 0.0, 0.0, -1.0, f"its driver ended ({process.last_exit})" if process.last_exit else "starting"
            )
        error = health.error or ("silent" if process.health_age_ns > SILENT_NS else "")
        if not health.streams:
            return Stream(node, 0.0, 0.0, -1.0, error or health.state)
        first = health.streams[0]
        return Stream(node, first.rate_hz, first.declared_hz, age_ms, error, health.state != "warn")

    @property
    def taken_s(self) -> float:
        """How much of this take is safe."""
        return self.session.recorded_ticks / self.rig.tick_hz if self.session is not None else 0.0

    @property
    def lost(self) -> int:
        """Samples lost on their way to the journal since this take began."""
        return self.recorder.lost if self.recorder is not None else 0
