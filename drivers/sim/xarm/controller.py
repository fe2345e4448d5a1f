"""The controller of a UFACTORY arm: motors, modes, errors and clock, by what its manuals say and its clients rely on. Pure, given the
time.

Sources: UFACTORY, "xArm Developer Manual" (modes, states, error codes). How fast it follows a target in mode 1 (a time constant of 10 ms)
and when it says that a target is too far (C24) are guesses: only metal can tell.
"""

import math
from collections import deque

from drivers.sim.network.joints import Arm, Logged
from station.clock import NS_PER_S

POSITION, SERVO, BY_HAND, PLANNED = 0, 1, 2, 6
MOVES, READY, PAUSED, STOPPED, CHANGED = 1, 2, 3, 4, 5
ESTOP, COLLISION, TOO_FAST = 1, 31, 24
_TAU_S = 0.010
_MOST_RAD_S = math.pi
_TOO_FAR_RAD = 0.15
_STILL_RAD = 1e-4
_BOOTED_US = 1_234_000_000


class Controller:
    """One controller. `step` is called some hundred times a second, everything else between two steps."""

    def __init__(self, arm: Arm, joints: int, kind: int, now_ns: int, skew_ppm: float = 0.0) -> None:
        self.arm, self.joints, self.kind = arm, joints, kind
        self._begun_ns, self._rate, self._before_us = now_ns, 1 + skew_ppm / 1e6, float(_BOOTED_US)
        self.mode, self.state, self.enabled = POSITION, READY, True
        self.error = self.warning = 0
        self.pressed = False
        """Is an emergency stop button down?"""
        self.collision_sensitivity, self.payload_kg, self.temperature_c = 3, 0.85, 33
        self.firmware = "v2.7.0"
        self.target: tuple[float, ...] = arm.joints().position_rad
        """Where it is told to be."""
        self.held: tuple[float, ...] = self.target
        """Where it has the joints be on their way there."""
        self.speed_rad_s = 0.35
        self._at_ns = now_ns
        self.log: deque[Logged] = deque(maxlen=200_000)

    def set_skew(self, skew_ppm: float, now_ns: int) -> None:
        """Its clock runs faster by so much from now on."""
        self._before_us, self._begun_ns, self._rate = self.clock_us(now_ns), now_ns, 1 + skew_ppm / 1e6

    def clock_us(self, now_ns: int) -> float:
        """Its own clock: microseconds since it was switched on."""
        return self._before_us + (now_ns - self._begun_ns) / 1000 * self._rate

    # -- what clients ask --

    @property
    def ready(self) -> bool:
        """Would it move if it were told to?"""
        return self.enabled and not self.error and self.state in (MOVES, READY)

    def set_mode(self, mode: int) -> None:
        """Another mode begins with the next `set_state`."""
        if mode != self.mode:
            self.mode = mode
            self.state = max(self.state, CHANGED) if self.state != STOPPED else STOPPED
            self._stay()

    def set_state(self, state: int, now_ns: int) -> None:
        """0 go, 3 pause, 4 stop, 6 slow down."""
        if state == 0 and self.enabled and not self.error:
            self._stay()
            self.state = READY
            self.log.append(Logged(now_ns, f"goes on in mode {self.mode}"))
        elif state == PAUSED and self.ready:
            self.state = PAUSED
        elif state in (STOPPED, 6):
            self.stop(now_ns, "told to stop")

    def enable(self, on: bool, now_ns: int) -> None:
        """Motors on, or brakes."""
        if on and (self.pressed or self.error):
            return
        self.enabled = on
        self._stay()
        if not on:
            self.stop(now_ns, "motors off")

    def clear(self) -> None:
        """Errors are over whose cause is gone; it stays stopped."""
        if not self.pressed:
            self.error = 0

    def servo(self, target: tuple[float, ...], now_ns: int) -> None:
        """A target of mode 1: only the newest counts."""
        if not self.ready or self.mode != SERVO:
            return
        if max(abs(a - b) for a, b in zip(target, self.target, strict=True)) > _TOO_FAR_RAD:
            self.fail(TOO_FAST, now_ns)
            return
        self._aim(target, _MOST_RAD_S, now_ns)

    def plan(self, target: tuple[float, ...], speed_rad_s: float, now_ns: int) -> None:
        """A target of mode 6, or of mode 0."""
        if self.ready and self.mode in (POSITION, PLANNED):
            self._aim(target, speed_rad_s, now_ns)

    def _aim(self, target: tuple[float, ...], speed_rad_s: float, now_ns: int) -> None:
        if target != self.target:
            self.log.append(Logged(now_ns, "target", target))
        self.target, self.speed_rad_s = target, speed_rad_s

    # -- what happens to it --

    def fail(self, code: int, now_ns: int) -> None:
        """An error: it stops, and does nothing until that is cleared."""
        self.error = code
        if code in (1, 2, 3):
            self.pressed, self.enabled = True, False
        self.stop(now_ns, f"error {code}")

    def stop(self, now_ns: int, why: str) -> None:
        """It stays where it is."""
        self.state = STOPPED
        self._stay()
        self.log.append(Logged(now_ns, f"stops: {why}"))

    def _stay(self) -> None:
        self.target = self.held = self.arm.joints().position_rad

    def step(self, now_ns: int) -> None:
        """Go on to that time."""
        dt_s = (now_ns - self._at_ns) / NS_PER_S
        self._at_ns = now_ns
        if dt_s <= 0:
            return
        if self.enabled and self.mode == BY_HAND and self.ready:
            self._stay()
        elif self.ready:
            self._follow(dt_s)
        self.arm.drive(self.held if self.enabled else None, dt_s)
        self.log.append(Logged(now_ns, "q", self.arm.joints().position_rad))

    def _follow(self, dt_s: float) -> None:
        share, most = 1 - math.exp(-dt_s / _TAU_S), min(self.speed_rad_s, _MOST_RAD_S) * dt_s
        self.held = tuple(
            here + max(-most, min(most, (there - here) * share))
            for here, there in zip(self.held, self.target, strict=True)
        )
        away = max(abs(a - b) for a, b in zip(self.held, self.target, strict=True))
        self.state = MOVES if away > _STILL_RAD else READY
