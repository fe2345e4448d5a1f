"""The gate: which commands pass to one arm, and what the arm does when none does. Pure, given the time.

Its states: closed (no torque, or not opened yet) → holding (a reason is latched) → ready → following. `reset` closes it
on a reason, `resume` opens it, the first sound command near the held goal makes it follow, and anything wrong latches a
reason again. While it holds, the goal first slows down within the acceleration limit and then stands.

Beside holding there is `stalled`: commands have been missing for a moment. The goal slows down as in a hold, but the next
sound command is followed again, catching up no faster than a hand-over, if everything is as it was before.

Whatever comes in, over every window w a goal moves by at most the velocity limit times (w + 25 ms): `station.safety.pace`.
"""

from collections.abc import Sequence
from math import inf, isfinite

from station.bus.messages import Command, Dimension
from station.clock import NS_PER_MS, NS_PER_S
from station.errors import CommandRefused
from station.rig.file import Safety
from station.safety.limiter import Limiter
from station.safety.pace import Pace
from station.safety.stalls import Stalls
from station.safety.watch import Finding, Watch

ALIGNED_RAD = 0.15
"""How far the first command after `resume` may be from the held goal. The pilot's ramp starts at that goal."""
AHEAD_NS = 25 * NS_PER_MS
"""A setpoint from farther in the future than this is no setpoint of this clock."""
READY_NS = NS_PER_S
"""How long a gate stays ready after `resume` without a command: an operator's act does not keep."""
RETREAT_RAD_S = 0.5
"""How fast a goal is brought back to the measured pose."""
CATCH_UP_RAD_S = 0.7
"""How much faster than its target a goal may be that catches up after a stall: a hand-over's speed."""


class Gate:
    """The last gate of one arm, used by its host.

    The host calls `reset` after the arm was opened and after torque went on, `close` when torque is off or unknown, `command` for
    every command that arrives and `tick` after every reading, and writes what these return. All goals (D,).
    """

    def __init__(self, dimensions: Sequence[Dimension], safety: Safety) -> None:
        self._dimensions = tuple(dimensions)
        self._safety = safety
        self._limiter = Limiter(dimensions, safety.velocity_rad_s, safety.acceleration_rad_s2)
        self._watch = Watch(dimensions, safety.divergence_rad)
        self._stale_ns = round(safety.stale_ms * NS_PER_MS)
        self.stalls = Stalls(safety)
        """Commands that were missing for a moment."""
        self._looked = False
        """Has the arm been read since the stall was noticed?"""
        self._followed: tuple[str, int] = ("", 0)
        """Whose commands it follows: the source, and the pilot's life."""
        self._open = False
        self.pressed = False
        """Does it hold because of where it was led: against something, or near overload?"""
        self._latched = "the arm has not been opened"
        self._following = False
        self._ready_ns: int | None = None
        self._retreat: dict[int, float] = {}
        self._last_setpoint_ns: int | None = None
        self._last_accepted_ns = 0
        self._last_step_ns = 0
        self._pace = Pace()
        self.limited = False
        """Did the last command that passed have to be changed to keep a limit?"""

    @property
    def goal(self) -> tuple[float, ...]:
        """The goal that stands: joints rad, grippers 0 … 1. (D,), empty before the first `reset`."""
        return self._limiter.goal

    @property
    def velocity(self) -> tuple[float, ...]:
        """How fast the goal moved in the last step, in the goal's units per second. (D,)"""
        return self._limiter.velocity

    @property
    def holding(self) -> str:
        """Why it holds; "" while it follows or is ready to."""
        return self._latched

    @property
    def closed(self) -> bool:
        """Is nothing written until the next `reset`?"""
        return not self._open

    @property
    def following(self) -> bool:
        """Has a command passed since `resume`, and does it still follow?"""
        return self._following

    @property
    def stalled(self) -> bool:
        """Does it decelerate in a stall, or catch up after one?"""
        return self.stalls.open or self._limiter.catching_up

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is about to go wrong: servos near overload by name."""
        return self._watch.warnings

    def reset(self, goal: Sequence[float], now_ns: int) -> None:
        """Torque is on and the servos hold `goal` (read back, never assumed): hold it until somebody resumes.

        Raises CommandRefused if `goal` has a number that was not read.
        """
        if len(goal) != len(self._dimensions) or not all(isfinite(value) for value in goal):
            raise CommandRefused(
                f"the gate cannot start from {list(goal)}: {len(self._dimensions)} readings are needed"
            )
        self._limiter.reset(goal)
        self._watch.reset(now_ns)
        self._stop_following()
        self._open, self._retreat = True, {}
        self._latched, self.pressed = "waiting for an operator to engage", False
        self._last_setpoint_ns, self._last_step_ns = None, now_ns
        self._pace.begin(now_ns)

    def close(self, why: str) -> None:
        """Torque is off or unknown: nothing is written until the next `reset`."""
        self._stop_following()
        self._open, self._retreat = False, {}
        self._latched = why

    def hold(self, why: str) -> None:
        """Decelerate and hold until somebody resumes. The first reason stays."""
        if not self._latched:
            self._latched = why or "asked to hold"
            self._stop_following()

    def resume(self) -> None:
        """An operator has acted: ready for a command near the held goal. What is still wrong latches again in `tick`.

        Raises CommandRefused while closed, or while the goal is still slowing down.
        """
        if not self._open:
            raise CommandRefused(f"cannot resume: {self._latched}")
        if not self._limiter.standing:
            raise CommandRefused("cannot resume: the arm is still slowing down. Next: ask again in a moment")
        self._latched, self._retreat, self._ready_ns = "", {}, None
        self.pressed = False
        self._stop_following()
        self._watch.forgive()

    def command(self, cmd: Command, now_ns: int, life: int = 0) -> tuple[float, ...] | None:
        """The goal to write for a command that came in at `now_ns`; None if it was a hold or a stall: `tick` carries them out.

        `life` is the start id of who sent it. Raises CommandRefused with the reason; the arm then goes on as if the
        command had not come, or holds where the reason is one.
        """
        if cmd.hold:
            self.hold(cmd.why or f"{cmd.source} asked to hold")
            return None
        if cmd.stalled:
            self._stall(now_ns, cmd.why or "the source", noticed=True)
            return None
        self._check(cmd, now_ns)
        if self._following:
            self._go_on(cmd, now_ns, life)
        dt_ns = self._step_ns(cmd, now_ns)
        self._last_setpoint_ns = cmd.setpoint_at_ns
        self._last_accepted_ns = self._last_step_ns = now_ns
        self._following, self._followed = True, (cmd.source, life)
        if self.stalls.open:
            self.stalls.over(now_ns)
            self._limiter.catch_up(CATCH_UP_RAD_S)
        goal = self._limiter.step(cmd.goal, dt_ns / NS_PER_S)
        self.limited = goal != cmd.goal
        return goal

    def tick(
        self, now_ns: int, measured: Sequence[float | None], effort: Sequence[float | None]
    ) -> tuple[float, ...] | None:
        """After every reading: the goal to write if it holds and the goal still moves, else None."""
        if not self._open:
            return None
        finding = self._watch.look(now_ns, self.goal, measured, effort)
        if finding is not None:
            self._act_on(finding)
        self._look_for_commands(now_ns)
        self._looked = True
        return self._carry_out_hold(now_ns) if self._latched or self.stalls.open else None

    def _stop_following(self) -> None:
        self._following = False
        self._limiter.catch_up(inf)
        self.stalls.forget()

    def _stall(self, now_ns: int, what: str, noticed: bool) -> None:
        """Commands are missing, or the pilot has `noticed` that what they come from is silent: slow down, or hold."""
        if not self._following:
            return
        since_ns = self._last_accepted_ns
        was_open = self.stalls.open
        why = self.stalls.silent(what, min(since_ns, now_ns - self._stale_ns - 1) if noticed else since_ns, now_ns)
        if why:
            self.hold(why)
        elif self.stalls.open and not was_open:
            self._looked = False

    def _go_on(self, cmd: Command, now_ns: int, life: int) -> None:
        """May this command be followed as the one before was? After a stall only if nothing else has changed meanwhile.

        Raises CommandRefused if not, and holds where waiting would not help.
        """
        source, pilot = self._followed
        if life != pilot:
            self.hold("the pilot was restarted")
        elif now_ns - self._last_accepted_ns > self._stale_ns:
            self._stall(now_ns, "no command", noticed=False)
        if self.stalls.open:
            if not self._looked:
                raise CommandRefused("stalled: the arm has not been read since")
            if cmd.source != source:
                self.hold(f"after a stall {cmd.source} commands where {source} did")
            self._hold_if_astray(cmd)
        if self._latched:
            raise CommandRefused(f"holding: {self._latched}")

    def _hold_if_astray(self, cmd: Command) -> None:
        """A setpoint that is far from where the arm is now is no continuation of the one before the stall."""
        for dimension, goal, found in zip(self._dimensions, cmd.goal, self._watch.measured, strict=True):
            if dimension.compliant:
                continue
            off_rad = inf if found is None else abs(goal - found) * abs(dimension.rad_per_unit)
            if off_rad > self._safety.divergence_rad:
                where = "has not been read" if found is None else f"is {off_rad:.2f} rad from what {cmd.source} asks"
                self.hold(f"after a stall {dimension.name} {where}")

    def _look_for_commands(self, now_ns: int) -> None:
        if self._following:
            self._stall(now_ns, "no command", noticed=False)
        elif self._ready_ns is None:
            self._ready_ns = now_ns
        elif now_ns - self._ready_ns > READY_NS:
            self.hold(f"resumed, but no command came for {READY_NS / NS_PER_S:g} s")

    def _carry_out_hold(self, now_ns: int) -> tuple[float, ...] | None:
        elapsed_ns = now_ns - self._last_step_ns
        dt_ns = self._pace.take(elapsed_ns, now_ns)
        if not dt_ns:
            return None
        before = self._limiter.goal
        if self._retreat:
            target = [self._retreat.get(i, value) for i, value in enumerate(before)]
            goal = self._limiter.step(target, dt_ns / NS_PER_S, RETREAT_RAD_S)
        else:
            goal = self._limiter.stop(dt_ns / NS_PER_S, elapsed_ns / NS_PER_S)
        self._last_step_ns = now_ns
        return goal if goal != before else None

    def _act_on(self, finding: Finding) -> None:
        """Hold, and bring those dimensions back to where they are now, once per hold.

        Once, because a target that followed the arm would let it sag for ever.
        """
        if not self._latched:
            self.pressed = finding.pressed
        self.hold(finding.why)
        for i in finding.retreat:
            position = self._watch.measured[i]
            if position is not None:
                self._retreat.setdefault(i, position)

    def _check(self, cmd: Command, now_ns: int) -> None:
        if self._latched:
            raise CommandRefused(f"holding: {self._latched}")
        if len(cmd.goal) != len(self._dimensions):
            raise CommandRefused(
                f"a goal of {len(cmd.goal)} numbers from {cmd.source}; this arm takes {len(self._dimensions)}"
            )
        for dimension, value in zip(self._dimensions, cmd.goal, strict=True):
            if not isfinite(value):
                raise CommandRefused(f"{dimension.name} = {value} from {cmd.source} is no goal")
        age_ns = now_ns - cmd.setpoint_at_ns
        if age_ns > self._stale_ns:
            raise CommandRefused(
                f"setpoint {cmd.setpoint_sequence} of {cmd.source} is {age_ns / NS_PER_MS:.0f} ms old, "
                f"more than {self._safety.stale_ms:g} ms"
            )
        if age_ns < -AHEAD_NS:
            raise CommandRefused(
                f"setpoint {cmd.setpoint_sequence} of {cmd.source} is {-age_ns / NS_PER_MS:.0f} ms in the future"
            )
        if self._last_setpoint_ns is not None and cmd.setpoint_at_ns <= self._last_setpoint_ns:
            raise CommandRefused(
                f"setpoint {cmd.setpoint_sequence} of {cmd.source} is not newer than the one before: out of order, or sent twice"
            )
        if not self._following:
            self._check_alignment(cmd)

    def _check_alignment(self, cmd: Command) -> None:
        for dimension, goal, held in zip(self._dimensions, cmd.goal, self.goal, strict=True):
            off_rad = abs(goal - held) * abs(dimension.rad_per_unit)
            if off_rad > ALIGNED_RAD:
                raise CommandRefused(
                    f"{dimension.name}: the first command of {cmd.source} is {off_rad:.2f} rad from the held goal, "
                    f"more than {ALIGNED_RAD:g} rad. Next: engage through the pilot, which aligns first"
                )

    def _step_ns(self, cmd: Command, now_ns: int) -> int:
        """The dt of this setpoint: from the setpoint before it, but never more than really went by."""
        if self._following and self._last_setpoint_ns is not None:
            wanted_ns = cmd.setpoint_at_ns - self._last_setpoint_ns
        else:
            wanted_ns = max(now_ns - self._last_step_ns, NS_PER_MS)
        dt_ns = self._pace.take(wanted_ns, now_ns)
        if not dt_ns:
            raise CommandRefused(f"setpoints of {cmd.source} come faster than time goes by")
        return dt_ns
