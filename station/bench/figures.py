"""What was measured, as numbers, and what limits the rig. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from station.bench.stalls import StallSeen, tally

STOLEN_PERCENT = 0.2
"""Worth a line: more than two stops of 50 ms in a minute."""


class Distribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measured quantity in `unit`."""

    n: int
    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Distribution":
        """Percentiles of the values; all zero where there are none (n says so)."""
        if not len(values):
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        p50, p95, p99 = np.percentile(values, (50, 95, 99))
        return cls(len(values), float(p50), float(p95), float(p99), float(max(values)))


class StreamFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stream over the measurement."""

    stream: str
    rate_hz: float
    declared_hz: float
    interval_ms: Distribution
    """Between neighbouring capture times: jitter."""
    transit_ms: Distribution
    """From capture to being sent."""
    lost: int


class NodeFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One process over the measurement."""

    node: str
    cpu_percent: float
    """Mean, of one core."""
    pss_mb: float
    """At the end; of a page that n processes share the n-th part, so that they add up."""
    growth_mb: float
    """End minus beginning."""
    budget_percent: float
    simulated: bool
    """It stands in for the hardware: not part of the station's own cost."""


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything `station bench` knows."""

    rig: str
    seconds: float
    ticks: int
    tick_emission_ms: Distribution
    """From t_k to the tick being sent; settle is part of it."""
    late_ticks: int
    setpoint_to_written_ms: Distribution
    """From a leader's sample being captured to the follower's goal write having left; n = 0 where nobody was engaged."""
    streams: tuple[StreamFigures, ...]
    nodes: tuple[NodeFigures, ...]
    own_cpu_percent: float
    """Of one core: all processes but the simulated world."""
    own_pss_mb: float
    """Of all processes but the simulated world."""
    stolen_percent: float = 0.0
    """Of all processors' time: what a virtual machine was not given."""
    stalls: tuple[StallSeen, ...] = ()
    """Every moment in which an arm, or commands to one, were missing for longer than `stale_ms`."""
    resume_ms: float = 300.0
    disk_mb_s: float = 0.0
    disk_sync_ms: Distribution = Distribution(0, 0.0, 0.0, 0.0, 0.0)
    limits: tuple[str, ...] = ()

    def with_disk(self, mb_s: float, sync_ms: Distribution) -> "Figures":
        """The same with the disk measured, and with what limits it all."""
        whole = msgspec.structs.replace(self, disk_mb_s=mb_s, disk_sync_ms=sync_ms)
        return msgspec.structs.replace(whole, limits=limits(whole))


def limits(figures: Figures) -> tuple[str, ...]:
    """What limits this rig, worst first, in words an operator can act on."""
    found = []
    if figures.stolen_percent > STOLEN_PERCENT:
        found.append(
            f"this virtual machine was not given {figures.stolen_percent:.1f} % of its processors' time: whatever waits here "
            "waits longer than it would on a computer of its own"
        )
    found += _stalls(figures)
    if figures.ticks and figures.late_ticks / figures.ticks > 0.001:
        found.append(
            f"{figures.late_ticks} of {figures.ticks} ticks were late: the processor is busy (own share {figures.own_cpu_percent:.0f} %)"
        )
    for stream in figures.streams:
        if stream.declared_hz and stream.rate_hz < 0.95 * stream.declared_hz:
            found.append(
                f"{stream.stream} reaches {stream.rate_hz:.0f} of {stream.declared_hz:.0f} Hz: its bus, cable or exposure time is the limit"
            )
        if stream.lost:
            found.append(f"{stream.stream} lost {stream.lost} samples on the bus: the synchronizer does not keep up")
    for node in figures.nodes:
        if not node.simulated and node.cpu_percent > node.budget_percent:
            found.append(
                f"{node.node} takes {node.cpu_percent:.0f} % of a core, over its budget of {node.budget_percent:.0f} %"
            )
    if figures.setpoint_to_written_ms.n and figures.setpoint_to_written_ms.p99 > 15:
        found.append(
            f"leader to follower takes {figures.setpoint_to_written_ms.p99:.0f} ms at p99: most of it is the servo bus (rate_hz, baud)"
        )
    if figures.disk_sync_ms.p99 > 500:
        found.append(
            f"the disk takes {figures.disk_sync_ms.p99:.0f} ms to sync: a power cut may cost more than the last second"
        )
    return tuple(found) or ("nothing: every stream is at its rate and no tick was late",)


def _stalls(figures: Figures) -> list[str]:
    count = tally(list(figures.stalls), figures.resume_ms)
    if not count.stalls:
        return []
    return [
        f"{count.stalls} stalls, the longest {count.longest_ms:.0f} ms: whatever stops here stops the arms for that long"
    ]
