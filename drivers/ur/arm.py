"""A UR arm, and the Robotiq gripper on it: one driver for all models. No vendor's library is imported here: it has a process of its own."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from drivers.ur import conditions
from drivers.ur.models import GRIPPER, GRIPPERS, JOINTS, REACH_RAD
from drivers.ur.settings import URSettings
from station.clock import NS_PER_MS, NS_PER_S
from station.devices.contract import Condition, Description, Place, Reading
from station.errors import CommandRefused, DeviceMissing, DeviceSilent, DeviceWrong

if TYPE_CHECKING:
    from drivers.ur.acts import Acts
    from drivers.ur.dashboard import Dashboard
    from drivers.ur.program import Program
    from drivers.ur.readings import Readings
    from drivers.ur.robotiq import Robotiq
    from drivers.ur.rtde import Reader, State

MISSING_NS, SILENT_NS = 100 * NS_PER_MS, NS_PER_S // 2
"""No word from the controller: nothing is sent to it any more; the arm is lost."""
STARTS_NS = 900 * NS_PER_MS
"""How long `torque` waits for the program to run, for the power to be off: no call takes a second."""
FIRST_NS = 800 * NS_PER_MS
_WAIT_S, _BLOCK_S = 0.01, 0.05


class URArm:
    """See `station.devices.contract.ArmDriver` for what each method promises."""

    Settings: ClassVar[type[URSettings]] = URSettings
    paced: ClassVar[bool] = True

    def __init__(self, settings: URSettings, place: Place) -> None:
        self._settings, self._place = settings, place
        self._gripped = GRIPPERS.get(settings.gripper.kind)
        self._period_ns = round(NS_PER_S / settings.rate_hz)
        self._reader: Reader | None = None
        self._program: Program
        self._dashboard: Dashboard
        self._robotiq: Robotiq | None = None
        self._acts: Acts
        self._state: State
        self._readings: Readings
        self._goal: tuple[float, ...] | None = None
        """What it follows or holds while its program runs."""
        self._read_ns = 0

    def opens_with(self) -> tuple[str, ...]:
        """What talks to the arm; the vendor's library is imported in its own process."""
        return "drivers.ur.description", "drivers.ur.program", "drivers.ur.readings"

    def open(self) -> None:
        """Connect; nothing is sent that the arm could do something about."""
        from drivers.ur.acts import Acts
        from drivers.ur.dashboard import Dashboard
        from drivers.ur.program import Program
        from drivers.ur.readings import Readings
        from drivers.ur.robotiq import Robotiq
        from drivers.ur.rtde import Broken, Reader

        self.close()
        settings, clock = self._settings, self._place.clock
        try:
            self._reader = Reader(settings.address, settings.rate_hz, clock)
        except Broken as error:
            raise DeviceWrong(
                self._place.node,
                settings.address,
                "a controller of Universal Robots",
                str(error),
                "correct the rig file's address",
            ) from error
        except OSError as error:
            raise self._missing(str(error)) from error
        self._dashboard = Dashboard(settings.address, clock)
        self._program = Program(settings, max(0.1, self._place.resume_ms / 1000), clock)
        self._robotiq = Robotiq(settings.address, settings.gripper, clock) if self._gripped is not None else None
        self._acts = Acts(self._place.node, self._dashboard, lambda: self._state, clock)
        self._readings = Readings(settings.arm.controller_hz, self._gripped is not None)
        self._goal = None
        try:
            self._begin(self._reader)
        except BaseException:
            self.close()
            raise

    def _begin(self, reader: "Reader") -> None:
        """The first reading, and the gripper's."""
        until_ns = self._place.clock() + FIRST_NS
        first = reader.take(_BLOCK_S)
        while not first and self._place.clock() < until_ns and not reader.broken:
            first = reader.take(_BLOCK_S)
        if not first:
            raise self._silent(reader.broken or "none at all")
        self._state = first[-1]
        while self._robotiq is not None and self._robotiq.fingers is None and self._place.clock() < until_ns:
            self._state = (reader.take(_BLOCK_S) or [self._state])[-1]

    def describe(self) -> Description:
        """Joints, limits, geometry, what was checked."""
        from drivers.ur import description

        gripper = self._robotiq.trouble if self._robotiq is not None else ""
        found = description.checks(
            self._place.node, self._state.payload_kg, self._robotiq is not None, self._dashboard.missing, gripper
        )
        return description.description(self._settings, self._dashboard.serial, self._opened().firmware, found)

    # -- readings --

    def read(self) -> list[Reading]:
        """What has come. Who reads faster than the rate waits for it."""
        reader = self._opened()
        now_ns = self._place.clock()
        hurried = now_ns - self._read_ns < self._period_ns // 2
        states = reader.take(_BLOCK_S if hurried else 0.0)
        self._read_ns = self._place.clock()
        self._state = states[-1] if states else self._state
        silent = self._silent_ns() > MISSING_NS
        if not self._program.look(stopped=not silent and not conditions.playing(self._state)):
            self._rest()
        if not states:
            self._refuse_silence(reader)
        fingers = self._robotiq.fingers if self._robotiq is not None else None
        readings = [reading for state in states if (reading := self._readings.arm(state, fingers)) is not None]
        return [*readings, *self._readings.held(fingers, self._state.arrived_ns)] if states else []

    def _refuse_silence(self, reader: "Reader") -> None:
        if reader.broken:
            raise self._missing(reader.broken)
        silent_ns = self._silent_ns()
        if silent_ns > SILENT_NS:
            raise self._silent(f"none for {silent_ns / NS_PER_S:.1f} s")

    def _silent_ns(self) -> int:
        return self._place.clock() - self._state.arrived_ns

    def goal(self) -> tuple[float, ...]:
        """What it follows while its program runs; else where it is, for there the controller holds it."""
        here = self._where()
        if self._goal is None or not self._program.runs:
            return here
        return self._goal

    def _where(self) -> tuple[float, ...]:
        if self._robotiq is None:
            return self._state.position_rad
        fingers = self._robotiq.fingers
        return (*self._state.position_rad, fingers.opening if fingers is not None else math.nan)

    def measured(self) -> tuple[float | None, ...]:
        """Where it is; None for the joints of a silent controller, and for a gripper that does not answer."""
        now_ns = self._place.clock()
        joints: tuple[float | None, ...] = (
            self._state.position_rad if self._silent_ns() <= MISSING_NS else (None,) * len(JOINTS)
        )
        if self._robotiq is None:
            return joints
        fingers = self._robotiq.newest(now_ns)
        return (*joints, fingers.opening if fingers is not None else None)

    def effort(self) -> tuple[float | None, ...]:
        """The motors' currents, A."""
        current = self._state.current_a
        return current if self._robotiq is None else (*current, None)

    # -- commands --

    def write(self, goal: tuple[float, ...]) -> int:
        """Hand a goal on. While the controller is silent it is kept, not queued: nothing is obeyed in a burst when it speaks again."""
        count = len(JOINTS) + (self._gripped is not None)
        if len(goal) != count or not all(math.isfinite(value) for value in goal):
            raise CommandRefused(f"{self._place.node}: {goal} is no vector of {count} finite numbers")
        condition = self.condition()
        if condition.mode != "ready":
            raise CommandRefused(f"{self._place.node} takes no goal: it is {condition.mode} ({condition.said})")
        kept = [max(-reach, min(reach, value)) for value, reach in zip(goal, REACH_RAD, strict=False)]
        if self._robotiq is not None:
            kept.append(max(0.0, min(1.0, goal[-1])))
            self._robotiq.go(kept[-1])
        self._goal = tuple(kept)
        if self._silent_ns() <= MISSING_NS:
            self._program.follow(self._goal[: len(JOINTS)])
        return self._place.clock()

    def condition(self) -> Condition:
        """How its controller, its pendant, its program and its gripper let it stand."""
        return conditions.condition(self._state, self._around())

    def _around(self) -> conditions.Around:
        program, gripper = self._program, self._robotiq.trouble if self._robotiq is not None else ""
        return conditions.Around(
            self._place.node, self._dashboard.remote, program.runs, program.ours, program.lost, gripper
        )

    def torque(self, on: bool, free: tuple[str, ...] = ()) -> None:
        """On: the program is sent and started, following from where the arm is. Off: its power is off, and its brakes hold it."""
        if not set(free) <= ({GRIPPER} if self._gripped is not None else set()):
            raise CommandRefused(f"{self._place.node}: of {', '.join(free)} none may be let go of but the gripper")
        if not on:
            self._power_off()
            return
        if why := conditions.refusal(self._state, self._around()):
            raise CommandRefused(f"{self._place.node}: {why}")
        if not self._program.runs:
            self._start()
        if self._robotiq is not None and GRIPPER in free:
            self._robotiq.rest()

    def _start(self) -> None:
        self._program.start(self._state.position_rad)
        until_ns = self._place.clock() + STARTS_NS
        while not (self._program.runs and conditions.playing(self._state)):
            if self._place.clock() > until_ns:
                raise CommandRefused(f"{self._place.node}: its program does not run yet. Next: ask again in a moment")
            self._heed()
            if not self._program.look(stopped=False):
                why = self._program.lost
                raise CommandRefused(f"{self._place.node}: its program did not start: {why}. Next: {_after(why)}")
        self._goal = self._where()

    def _power_off(self) -> None:
        self._program.forget()
        self._rest()
        asked = self._dashboard.ask("power off")
        until_ns = self._place.clock() + STARTS_NS
        while asked.answer is None or conditions.powered(self._state):
            if asked.answer == "" or self._place.clock() > until_ns:
                why = self._dashboard.missing or "its controller still says that motors are on"
                raise CommandRefused(f"{self._place.node} does not switch off: {why}. Next: do it at the pendant")
            self._heed()

    def _rest(self) -> None:
        """It follows nothing."""
        self._goal = None
        if self._robotiq is not None:
            self._robotiq.rest()

    def _heed(self) -> None:
        """A moment, and what has come in it."""
        states = self._opened().take(_WAIT_S)
        if states:
            self._state = states[-1]

    def torque_on(self) -> bool:
        """Are motors on and brakes released."""
        return conditions.powered(self._state)

    def act(self, name: str) -> Iterator[str]:
        """`recover`, `power_on`, `activate_gripper`. Its program is given up first: it ends in a hold."""
        if name not in {act.name for act in self.describe().acts}:
            raise CommandRefused(f"{self._place.node} knows no act {name!r}")
        self._program.forget()
        self._rest()
        if name == "recover":
            return self._acts.recover()
        if name == "power_on":
            return self._acts.power_on()
        assert self._robotiq is not None
        return self._acts.activate(self._robotiq)

    # -- how it is --

    def health(self) -> dict[str, float]:
        """Speed, temperatures, how the clocks stand."""
        if self._reader is None:
            return {}
        state = self._state
        numbers = {
            "speed_scaling": state.scaling,
            "clock_drift_ppm": self._readings.clock.drift_ppm,
            "late": self._readings.late,
        }
        for name, celsius in zip(JOINTS, state.temperature_c, strict=False):
            numbers[f"{name}.temperature_c"] = celsius
        return {name: float(value) for name, value in numbers.items()}

    def warnings(self) -> tuple[str, ...]:
        """A silent controller, a dashboard or a gripper that does not answer."""
        if self._reader is None:
            return ()
        told = []
        if self._silent_ns() > MISSING_NS:
            told.append(
                f"no word from the controller for {self._silent_ns() / NS_PER_S:.1f} s: look at the network cable"
            )
        if self._dashboard.missing:
            told.append(
                f"its dashboard server does not answer ({self._dashboard.missing}): nothing can be recovered from here"
            )
        if self._robotiq is not None and self._robotiq.trouble:
            told.append(f"{self._robotiq.trouble}: `station recover {self._place.node} --act activate_gripper`")
        return tuple(told)

    def close(self) -> None:
        """It stops following and holds; its power stays on."""
        if self._reader is None:
            return
        broken = bool(self._reader.broken) or self._silent_ns() > MISSING_NS
        self._reader.close()
        self._reader = None
        self._program.close(at_once=broken)
        self._dashboard.close()
        if self._robotiq is not None:
            self._robotiq.close()
            self._robotiq = None

    def _opened(self) -> "Reader":
        if self._reader is None:
            raise self._missing("it is closed")
        return self._reader

    def _missing(self, found: str) -> DeviceMissing:
        return DeviceMissing(
            self._place.node, self._settings.address, "a controller of Universal Robots", found,
            "switch it on, look at the network cable and the rig file's address",
        )  # fmt: skip

    def _silent(self, found: str) -> DeviceSilent:
        return DeviceSilent(
            self._place.node, self._settings.address, f"{self._settings.rate_hz:g} readings a second", found,
            "look at the network cable; the driver connects again by itself, and somebody has to engage",
        )  # fmt: skip


def _after(why: str) -> str:
    """What to do about a program that does not start."""
    if "in use" in why.lower():
        return "disable EtherNet/IP, PROFINET or MODBUS on the pendant, or set upper_registers: true in the rig file"
    if "No module" in why:
        return "pip install 'teleop-station[ur]'"
    return "look at the pendant, ask again"
