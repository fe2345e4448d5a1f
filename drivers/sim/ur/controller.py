"""The controller of a UR arm: power, safety, program and clock, by what its manuals say and its clients rely on. Pure, given the time.

Sources: Universal Robots, "Real-Time Data Exchange (RTDE) Guide" and "Dashboard Server e-Series"; the numbers of modes and bits are
theirs. How fast `servoj` follows (tau = 0.8 · lookahead + 5 / gain) is a guess: only metal can tell.
"""

import math
from collections import deque
from typing import Literal, cast

from drivers.sim.network.joints import Arm, Logged
from drivers.sim.ur.program import Program
from station.clock import NS_PER_S

Power = Literal["off", "idle", "running"]
Safety = Literal["normal", "reduced", "protective", "safeguard", "system_estop", "robot_estop", "violation", "fault"]

ROBOT_MODE: dict[Power, int] = {"off": 3, "idle": 5, "running": 7}
SAFETY_MODE: dict[Safety, int] = {
    "normal": 1, "reduced": 2, "protective": 3, "safeguard": 5, "system_estop": 6, "robot_estop": 7, "violation": 8, "fault": 9,
}  # fmt: skip
_SAFETY_BITS: dict[Safety, tuple[int, ...]] = {
    "normal": (0,), "reduced": (1,), "protective": (2, 10), "safeguard": (4, 10), "system_estop": (5, 7, 10),
    "robot_estop": (6, 7, 10), "violation": (8, 10), "fault": (9, 10),
}  # fmt: skip
_CUTS_POWER = ("system_estop", "robot_estop", "violation", "fault")
UNLOCK_NS = 5 * NS_PER_S
"""A protective stop can't be unlocked earlier: whoever does it is to look first."""
_POWER_ON_NS, _BRAKES_NS, _RESTART_NS = NS_PER_S // 2, NS_PER_S // 2, NS_PER_S // 2
"""On metal each takes some seconds."""
REGISTERS = 48
_MOST_RAD_S = math.pi
_BOOTED_S = 1234.0
"""How long the controller has been on when the stand-in begins."""


class Controller:
    """One controller. `step` is called some hundred times a second, everything else between two steps."""

    def __init__(self, arm: Arm, now_ns: int, skew_ppm: float = 0.0, unlock_ns: int = UNLOCK_NS) -> None:
        self.arm = arm
        self._begun_ns, self._rate, self._before_s, self._unlock_ns = now_ns, 1 + skew_ppm / 1e6, _BOOTED_S, unlock_ns
        self.power: Power = "running"
        self.safety: Safety = "normal"
        self.remote, self.teaching, self.slider = True, False, 1.0
        self.pressed = False
        """Is an emergency stop button down, a safeguard open?"""
        self.program: Program | None = None
        self.foreign_program = False
        """Does a program of somebody's own run, started at the pendant?"""
        self.starts = True
        """Do programs that are sent start? (A controller whose script fails does not start it.)"""
        self.ints, self.doubles = [0] * REGISTERS, [0.0] * REGISTERS
        """Input registers, written by clients."""
        self.out_ints, self.out_doubles = [0] * REGISTERS, [0.0] * REGISTERS
        self.input_ns = now_ns
        """When a client last wrote any."""
        self.target: tuple[float, ...] = arm.joints().position_rad
        """Where the controller has the joints be."""
        self.payload_kg, self.payload_cog_m, self.temperature_c = 1.2, (0.0, 0.0, 0.06), 31.0
        self.checksum = 0x5AFE1234
        self._stopped_ns = now_ns
        self._next: list[tuple[int, Power | Safety]] = []
        self._at_ns = now_ns
        self.log: deque[Logged] = deque(maxlen=200_000)

    def set_skew(self, skew_ppm: float, now_ns: int) -> None:
        """Its clock runs faster by so much from now on."""
        self._before_s, self._begun_ns, self._rate = self.clock_s(now_ns), now_ns, 1 + skew_ppm / 1e6

    def clock_s(self, now_ns: int) -> float:
        """Its own clock: seconds since it was switched on."""
        return self._before_s + (now_ns - self._begun_ns) / NS_PER_S * self._rate

    # -- what clients read --

    @property
    def stopped(self) -> bool:
        """Does safety keep it from moving?"""
        return self.safety not in ("normal", "reduced")

    @property
    def scaling(self) -> float:
        """How fast it goes of what is asked."""
        return 0.0 if self.stopped else self.slider

    @property
    def robot_status_bits(self) -> int:
        """Power, program, teach button, power button."""
        return (self.power != "off") | (self.playing << 1) | (self.teaching << 2)

    @property
    def safety_status_bits(self) -> int:
        """Bit by bit, as the RTDE guide has it."""
        return sum(1 << bit for bit in _SAFETY_BITS[self.safety])

    @property
    def playing(self) -> bool:
        """Does any program run?"""
        return self.program is not None or self.foreign_program

    # -- what happens to it --

    def step(self, now_ns: int) -> None:
        """Go on to that time."""
        dt_s = (now_ns - self._at_ns) / NS_PER_S
        self._at_ns = now_ns
        if dt_s <= 0:
            return
        for due in [due for due in self._next if now_ns >= due[0]]:
            self._next.remove(due)
            self._become(due[1], now_ns)
        if self.program is not None:
            self._run(self.program, now_ns, dt_s)
        free = self.power == "running"
        if self.teaching and free:
            self.target = self.arm.joints().position_rad
        self.arm.drive(self.target if free else None, dt_s)
        self.log.append(Logged(now_ns, "q", self.arm.joints().position_rad))

    def _run(self, program: Program, now_ns: int, dt_s: float) -> None:
        if program.watchdog_hz > 0 and now_ns - self.input_ns > NS_PER_S / program.watchdog_hz:
            self.end_program(now_ns, "watchdog")
            return
        before = program.servo_target
        program.cycle(self.ints, self.doubles, self.out_ints)
        if program.ended:
            self.end_program(now_ns, "stop script")
            return
        if program.servo_target is not None and program.servo_target != before:
            self.log.append(Logged(now_ns, "servoj", program.servo_target))
        if program.servo_target is None or self.stopped:
            return
        tau_s = 0.8 * program.lookahead_s + 5 / program.gain
        share = 1 - math.exp(-dt_s * self.scaling / tau_s)
        most = _MOST_RAD_S * dt_s
        self.target = tuple(
            here + max(-most, min(most, (there - here) * share))
            for here, there in zip(self.target, program.servo_target, strict=True)
        )

    def written(self, now_ns: int) -> None:
        """A client wrote input registers."""
        self.input_ns = now_ns

    def load(self, script: str, now_ns: int) -> bool:
        """A script came by a script port: it runs instead of what ran before, if it may. Did it start?"""
        self.end_program(now_ns, "replaced")
        self.foreign_program = False
        if not self.starts or not self.remote or self.stopped or self.power != "running":
            return False
        self.program = Program(script)
        self.input_ns = now_ns
        self.log.append(Logged(now_ns, "program starts"))
        return True

    def end_program(self, now_ns: int, why: str) -> None:
        """Nothing runs any more; the joints are held where they are."""
        if self.program is not None:
            self.log.append(Logged(now_ns, f"program ends: {why}"))
        self.program = None
        self.target = self.arm.joints().position_rad

    def stop(self, safety: Safety, now_ns: int) -> None:
        """A safety stop: programs end, an emergency stop and a fault take the power away."""
        self.safety, self._stopped_ns = safety, now_ns
        self.foreign_program = False
        self.pressed = safety in ("safeguard", "system_estop", "robot_estop")
        self.end_program(now_ns, safety)
        self.log.append(Logged(now_ns, f"safety: {safety}"))
        if safety in _CUTS_POWER:
            self.power, self._next = "off", []

    def release(self, now_ns: int) -> None:
        """The button comes up again, the safeguard is closed and reset."""
        self.pressed = False
        if self.safety == "safeguard":
            self._become("normal", now_ns)

    def _become(self, what: Power | Safety, now_ns: int) -> None:
        if what in ("off", "idle", "running"):
            self.power = what
            self.target = self.arm.joints().position_rad
        else:
            self.safety = cast(Safety, what)
        self.log.append(Logged(now_ns, f"is {what}"))

    # -- what the dashboard asks --

    def unlock(self, now_ns: int) -> bool:
        """Unlock a protective stop. Was it allowed?"""
        if self.safety != "protective" or now_ns - self._stopped_ns < self._unlock_ns:
            return False
        self._become("normal", now_ns)
        return True

    def power_on(self, now_ns: int) -> bool:
        """Motors get power, brakes stay on. An emergency stop that was released is over with it."""
        if self.pressed or self.safety in ("violation", "fault"):
            return False
        if self.safety in ("system_estop", "robot_estop"):
            self._become("normal", now_ns)
        if self.power == "off":
            self._next.append((now_ns + _POWER_ON_NS, "idle"))
        return True

    def release_brakes(self, now_ns: int) -> bool:
        """Brakes are released; from power off this powers on, too."""
        if not self.power_on(now_ns):
            return False
        if self.power != "running":
            self._next.append((now_ns + (_POWER_ON_NS if self.power == "off" else 0) + _BRAKES_NS, "running"))
        return True

    def power_off(self, now_ns: int) -> None:
        """Brakes hold it."""
        self.end_program(now_ns, "power off")
        self.foreign_program, self._next = False, []
        self._become("off", now_ns)

    def restart_safety(self, now_ns: int) -> bool:
        """After a fault or violation, once its cause is gone: the arm is off afterwards."""
        if self.safety not in ("violation", "fault"):
            return False
        self._next.append((now_ns + _RESTART_NS, "normal"))
        return True
