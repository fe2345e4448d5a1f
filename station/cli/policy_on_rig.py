"""How fast a policy is in its place: on a running rig, from the tick that is published to the command that is."""

from pathlib import Path

import msgspec

from station.bench.figures import Distribution
from station.bus.messages import Command, Health, Setpoint, Tick
from station.bus.requests import Engage
from station.cli.rollout import Hands, Rollout
from station.client import Station
from station.clock import NS_PER_MS, NS_PER_S, monotonic_ns

_SETTLE_S = 2.0


class Timing:
    """When each tick, the setpoint for it and the first command to an arm for it were published."""

    def __init__(self, station: Station) -> None:
        streams = [
            ("tick", "synchronizer"),
            ("setpoint", "policy"),
            ("setpoint", "policy_shadow"),
            ("health", "policy"),
        ]
        streams += [("command", follower) for follower in station.rig.followers]
        self._heard = station.subscribe(streams, publishers=["synchronizer", "policy", "pilot"])
        self._ticks: dict[int, int] = {}
        self._setpoints: dict[int, int] = {}
        self._commands: dict[int, int] = {}
        self.readings: dict[str, float] = {}
        """The runner's own, the newest."""

    def listen(self, seconds: float) -> None:
        """Hear everything for so long."""
        until_ns = monotonic_ns() + round(seconds * NS_PER_S)
        while monotonic_ns() < until_ns:
            sample = self._heard.receive(50)
            if sample is None:
                continue
            sent_ns = sample.header.sent_at_ns
            if isinstance(sample.body, Tick):
                self._ticks[sample.body.tick] = sent_ns
            elif isinstance(sample.body, Health):
                self.readings = sample.body.readings
            elif (
                isinstance(sample.body, Setpoint | Command) and sample.body.source == "policy" and not sample.body.hold
            ):
                times = self._setpoints if isinstance(sample.body, Setpoint) else self._commands
                times.setdefault(sample.body.tick, sent_ns)

    def forget(self) -> None:
        """Count from here."""
        for times in (self._ticks, self._setpoints, self._commands):
            times.clear()

    def to_setpoint(self) -> Distribution:
        """From the tick to the setpoint for it, ms."""
        return self._from_tick(self._setpoints)

    def to_command(self) -> Distribution:
        """From the tick to the first arm's command for it, ms."""
        return self._from_tick(self._commands)

    def _from_tick(self, times: dict[int, int]) -> Distribution:
        return Distribution.of([(at - self._ticks[k]) / NS_PER_MS for k, at in times.items() if k in self._ticks])

    def close(self) -> None:
        """Stop listening."""
        self._heard.close()


class OnRig(msgspec.Struct, frozen=True):
    """What `station policy bench --rig R --json` tells."""

    rig: str
    moved: bool
    """Engaged; else in shadow."""
    to_setpoint_ms: Distribution
    """From the tick that was published to the setpoint for it."""
    to_command_ms: Distribution | None
    """And to the first arm's command for it; None where nothing moved."""
    readings: dict[str, float]
    """The runner's own: `delay_p95_ms` from the observation to a usable row, `inference_p95_ms`, `starved_ticks`, …"""


def measure_on(station: Station, folder: Path, seconds: float) -> OnRig:
    """Run the policy on a running rig and time it: engaged where no real arm moves, else in shadow."""
    rig, timing = station.rig, Timing(station)
    with Rollout(station, Hands()) as rollout:
        rollout.load(folder)
        rollout.begin(shadow=rig.moves_real_arms)
        try:
            if not rig.moves_real_arms:
                station.ask("pilot", Engage("policy"))
            timing.listen(_SETTLE_S)
            timing.forget()
            timing.listen(seconds)
        finally:
            rollout.stop()
            timing.close()
    moved = not rig.moves_real_arms
    return OnRig(rig.name, moved, timing.to_setpoint(), timing.to_command() if moved else None, timing.readings)


def in_words(found: OnRig) -> list[tuple[str, str]]:
    """For a table."""
    own = found.readings
    return [
        ("tick → setpoint published", _said(found.to_setpoint_ms)),
        ("tick → command published", _said(found.to_command_ms) if found.to_command_ms else "nothing moved (shadow)"),
        ("observation → usable row, p95", f"{own.get('delay_p95_ms', float('nan')):.1f} ms (decoding and inference in it)"),
        ("inference, p95", f"{own.get('inference_p95_ms', float('nan')):.1f} ms"),
        ("starved ticks, missing frames", f"{own.get('starved_ticks', 0):.0f}, {own.get('missing_frames', 0):.0f}"),
    ]  # fmt: skip


def _said(ms: Distribution) -> str:
    return f"p50 {ms.p50:.2f}, p95 {ms.p95:.2f}, p99 {ms.p99:.2f}, max {ms.max:.2f} ms (n={ms.n})"
