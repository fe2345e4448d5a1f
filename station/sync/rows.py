"""What closes a tick: the action, what was really sent for it, and by whom. Pure.

`action` is the newest setpoint at or before t_k: the leaders' samples that tick k chose, or what a policy or replay issued for tick
k. `action_sent` is the goal each follower's gate wrote for that very setpoint (matched by tick, or by the setpoint's capture time),
which is known by t_{k+1}, when the row closes.
"""

from collections import deque
from typing import NamedTuple

from station.bus.messages import Applied, ArmState, Row, Setpoint, SourceName
from station.bus.wire import Sample
from station.clock import NS_PER_MS
from station.rig.rig import Rig
from station.sync.aligner import Instant

POLICY_TICKS = 25
"""A policy that has asked for none of the last so many ticks does not run any more."""
KEPT = 64
"""Applied goals kept per follower and setpoints per source: 320 ms at 200 Hz; a row needs 20 ms."""


STANDING: tuple[SourceName, ...] = ("hold", "none")
"""What a gate says of a goal that stands: it holds, or it is ready (`none`) in the moment of a hand-over."""
HUMAN: tuple[SourceName, ...] = ("leader", "vr")


class Observation(NamedTuple):
    """The followers' vectors in the rig's order, (D,) each."""

    qpos: tuple[float, ...]
    qvel: tuple[float, ...]
    effort: tuple[float, ...]


def observation(rig: Rig, instant: Instant) -> Observation:
    """ALOHA's observation: the gripper entry of qpos and qvel is the finger aperture where the arm has a linkage."""
    qpos: list[float] = []
    qvel: list[float] = []
    effort: list[float] = []
    for follower in rig.followers:
        state = _arm(instant, follower)
        if state is None:
            continue
        qpos += state.position if state.aperture is None else (*state.position[:-1], state.aperture)
        qvel += state.velocity if state.aperture_velocity is None else (*state.velocity[:-1], state.aperture_velocity)
        effort += state.effort
    return Observation(tuple(qpos), tuple(qvel), tuple(effort))


class RowMaker:
    """Remembers setpoints and applied goals long enough to close rows."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._stale_ns = round(rig.safety.stale_ms * NS_PER_MS)
        self._leader_of = {side.follower: side.leader for side in rig.sides if side.follower}
        self._applied: dict[str, deque[Applied]] = {name: deque(maxlen=KEPT) for name in rig.followers}
        self._setpoints: dict[SourceName, deque[Setpoint]] = {}

    def applied(self, applied: Applied) -> None:
        """A follower's gate wrote this."""
        if applied.arm in self._applied:
            self._applied[applied.arm].append(applied)

    def asked(self, setpoint: Setpoint) -> None:
        """A source asked this of all arms."""
        self._setpoints.setdefault(setpoint.source, deque(maxlen=KEPT)).append(setpoint)

    def hold_why(self) -> str:
        """What the followers' own gates last gave as the cause of a hold."""
        newest = (written[-1] for written in self._applied.values() if written)
        return "; ".join(f"{applied.arm} {applied.why}" for applied in newest if applied.hold)

    def close(self, tick: int, row: int, instant: Instant, late: bool, holding: bool) -> Row:
        """The row of `tick`, at t_{k+1}. `holding`: the pilot says hold (a gate at rest writes nothing that would say so)."""
        taken = {follower: self._taken(tick, instant, follower) for follower in self._rig.followers}
        source: SourceName = "hold" if holding else self._source(taken)
        asking = source if source != "hold" else self._asking(taken)
        human = self._human(instant) if asking == "leader" else self._issued("vr", tick, instant.t_ns)
        issued = self._issued("policy", tick, instant.t_ns)
        sent: list[float] = []
        for follower, applied in taken.items():
            state = _arm(instant, follower)
            sent += applied.goal if applied is not None else state.position if state is not None else ()
        action = human if asking in HUMAN else self._issued(asking, tick, instant.t_ns)
        return Row(
            tick, row, action or tuple(sent), tuple(sent), source,
            intervention=source in HUMAN and self._policy_runs(tick), policy_action=issued,
            human_action=human if asking in HUMAN else None, late=late,
            stalled=source not in STANDING and any(self._stalled(applied, instant.t_ns) for applied in taken.values()),
        )  # fmt: skip

    def _stalled(self, applied: Applied | None, t_ns: int) -> bool:
        """Does a follower say so, or was the newest setpoint too old at this tick? Where a whole computer stops, nobody says so."""
        return applied is not None and (applied.stalled or t_ns - applied.setpoint_at_ns > self._stale_ns)

    def _policy_runs(self, tick: int) -> bool:
        """Has a policy asked for this tick or one of the last, if only to hold?"""
        setpoints = self._setpoints.get("policy")
        return setpoints is not None and tick - setpoints[-1].tick < POLICY_TICKS

    def _asking(self, taken: dict[str, Applied | None]) -> SourceName:
        """While holding: whose setpoint the followers took last."""
        for follower in taken:
            for applied in reversed(self._applied[follower]):
                if applied.source not in STANDING:
                    return applied.source
        return "leader" if self._rig.leaders else "none"

    def _source(self, taken: dict[str, Applied | None]) -> SourceName:
        sources = [applied.source for applied in taken.values() if applied is not None]
        if not sources:
            return "none"
        return "hold" if set(sources) & set(STANDING) else sources[0]

    def _taken(self, tick: int, instant: Instant, follower: str) -> Applied | None:
        """The applied goal that answers the setpoint of this tick, or the newest one there is."""
        written = self._applied[follower]
        leader = self._leader_of[follower]
        sample = instant.samples.get(leader) if leader else None
        for applied in reversed(written):
            if applied.tick == tick:
                return applied
            if applied.tick < 0 and sample is not None and applied.setpoint_at_ns == sample.header.captured_at_ns:
                return applied
        return written[-1] if written else None

    def _issued(self, source: SourceName, tick: int, t_ns: int) -> tuple[float, ...] | None:
        """What a source issued for this tick; a source without ticks (vr): its newest setpoint at or before t_k.

        None where it issued nothing, or asked to hold.
        """
        for setpoint in reversed(self._setpoints.get(source, ())):
            if setpoint.tick == tick or (setpoint.tick < 0 and setpoint.at_ns <= t_ns):
                return None if setpoint.hold else setpoint.goal
        return None

    def _human(self, instant: Instant) -> tuple[float, ...] | None:
        """The leaders' ask for every follower; None unless every side has a leader that has spoken."""
        goal: list[float] = []
        for leader in self._leader_of.values():
            state = _arm(instant, leader) if leader else None
            if state is None:
                return None
            goal += state.position
        return tuple(goal) or None


def _arm(instant: Instant, node: str) -> ArmState | None:
    sample: Sample | None = instant.samples.get(node)
    return sample.body if sample is not None and isinstance(sample.body, ArmState) else None
