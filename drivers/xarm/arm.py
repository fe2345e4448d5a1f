"""A UFACTORY arm, and the gripper on its flange: one driver for all models. The vendor's SDK has processes of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from drivers.xarm import conditions
from drivers.xarm.models import GRIPPERS
from drivers.xarm.settings import XArmSettings
from station.clock import NS_PER_MS
from station.devices.contract import Condition, Description, Place
from station.devices.networked import arm
from station.errors import CommandRefused, DeviceWrong

if TYPE_CHECKING:
    from drivers.xarm.acts import Acts
    from drivers.xarm.desk import Desk
    from drivers.xarm.reports import State, Status
    from station.devices.networked.reader import Reader

_WHY_NS = 400 * NS_PER_MS
"""How long after an arm stopped the report that says why may take: it comes five times a second."""
_STATUS_S = 0.8


class XArm(arm.NetworkedArm["State"]):
    """See `station.devices.contract.ArmDriver` for what each method promises."""

    Settings: ClassVar[type[XArmSettings]] = XArmSettings
    maker: ClassVar[str] = "a controller of UFACTORY"

    def __init__(self, settings: XArmSettings, place: Place) -> None:
        super().__init__(settings, place, settings.arm.reach_rad, settings.gripper.kind in GRIPPERS)
        self._xarm = settings
        self._desk: Desk
        self._statuses: Reader[Status]
        self._status: Status
        self._asked: Acts
        self._clocked, self._mode = True, 1
        self._stopped_ns: int | None = None
        self._told = Condition("hold")

    def opens_with(self) -> tuple[str, ...]:
        """What talks to the arm; the vendor's library is imported in its own processes."""
        return "drivers.xarm.description", "drivers.xarm.reports", "station.devices.networked.readings"

    def _connect(self) -> "Reader[State]":
        from drivers.xarm.reports import states

        s = self._xarm
        connected, self._clocked = states(s.address, len(s.arm.places), s.rate_hz, self._place.clock)
        return connected

    def _prepare(self, ending: ExitStack) -> None:
        from drivers.xarm.acts import Acts
        from drivers.xarm.desk import Desk
        from drivers.xarm.models import REPORT_HZ
        from drivers.xarm.reports import statuses
        from drivers.xarm.vendor_process import PLANNED, SERVO
        from station.devices.networked.program import Program
        from station.devices.networked.readings import Readings
        from station.devices.networked.vendor_library import Library

        s, clock, joints = self._xarm, self._place.clock, len(self._reach)
        try:
            self._statuses = statuses(s.address, joints, clock)
        except OSError as error:
            raise self._missing(str(error)) from error
        ending.callback(self._statuses.close)
        self._desk = Desk(s)
        if self._gripped:
            self._grip(self._desk, ending)
        else:
            ending.callback(self._desk.close)
        self._mode = SERVO if s.stream == "servo" else PLANNED
        alive_s = max(0.1, self._place.resume_ms / 1000)
        arguments = (s.address, s.command_port, self._mode, s.model, s.gripper.kind, s.tip_m_s, alive_s)
        library = partial(Library, "drivers.xarm.vendor_process", joints, arguments)
        self._run(Program(library, conditions.ENDED, clock), ending)
        self._asked = Acts(self._place.node, self._desk, lambda: self._status, clock)
        self._readings = Readings(REPORT_HZ, self._gripped)
        self._first_status()

    def _first_status(self) -> None:
        """What it is and how it stands. Raises DeviceWrong for another arm than the rig file's."""
        found = self._statuses.take(_STATUS_S)
        if not found:
            raise self._silent(f"on port 30002 {self._statuses.broken or 'none at all'}")
        self._status, s = found[-1], self._xarm
        if (self._status.kind, self._status.axes) != (s.arm.kind, len(self._reach)):
            raise DeviceWrong(
                self._place.node, s.address, f"{s.model}: {len(self._reach)} joints, make {s.arm.kind}",
                f"{self._status.axes} joints, make {self._status.kind}", "correct the rig file's model or address",
            )  # fmt: skip

    def _named(self) -> bool:
        return self._desk.serial is not None

    def _take(self, states: "list[State]") -> None:
        super()._take(states)
        for status in self._statuses.take():
            self._status = status
        if states and states[-1].state >= conditions.STOPPED:
            self._stopped_ns = self._stopped_ns or states[-1].arrived_ns
        elif states:
            self._stopped_ns = None

    def describe(self) -> Description:
        """Joints, limits, geometry, what was checked."""
        from drivers.xarm import description

        self._opened()
        found = description.checks(self._place.node, self._status, self._clocked, self._gripped, self._desk.trouble)
        return description.description(self._xarm, self._desk.serial or "", self._status.firmware, self._clocked, found)

    def _following(self) -> bool:
        return conditions.following(self._state, self._mode)

    def condition(self) -> Condition:
        """How its controller, its stream and its gripper let it stand. For a moment after it stopped: as before, until it has said why."""
        if (stopped_ns := self._stopped_ns) is not None:
            unsaid = self._status.arrived_ns <= stopped_ns + NS_PER_MS
            if unsaid and self._place.clock() - stopped_ns < _WHY_NS:
                return self._told
        self._told = conditions.condition(self._state, self._status, self._around())
        return self._told

    def _around(self) -> conditions.Around:
        return conditions.Around(
            self._place.node, self._program.runs, self._program.lost, self._desk.trouble, self._mode
        )

    def _not_startable(self) -> str:
        """A gripper that has not been looked at yet, the process being new, is waited for."""
        until_ns = self._place.clock() + arm.STARTS_NS
        while self._desk.unheard and self._place.clock() < until_ns:
            self._heed()
        return conditions.refusal(self._state, self._status, self._around())

    def _power_off(self) -> None:
        asked = self._desk.ask("disable")
        until_ns = self._place.clock() + arm.STARTS_NS
        while asked.why is None or self._status.enabled:
            if asked.why or self._place.clock() > until_ns:
                why = asked.why or "its controller still says that motors are on"
                raise CommandRefused(f"{self._place.node} does not switch off: {why}. Next: do it in UFACTORY Studio")
            self._desk.hear()
            self._heed()

    def torque_on(self) -> bool:
        """Are motors on and brakes released."""
        return self._status.enabled

    def _acts(self, name: str) -> Iterator[str]:
        acts = {"recover": self._asked.recover, "power_on": self._asked.power_on}
        return acts.get(name, self._asked.set_up_gripper)()

    def _after(self, why: str) -> str:
        if "No module" in why:
            return "pip install 'teleop-station[xarm]'"
        return "look at UFACTORY Studio, ask again"

    def health(self) -> dict[str, float]:
        """Temperatures, how the clocks stand."""
        if self._reader is None:
            return {}
        numbers = {"clock_drift_ppm": self._readings.clock.drift_ppm, "late": float(self._readings.late)}
        for name, celsius in zip(self._xarm.arm.joints, self._status.temperature_c, strict=False):
            numbers[f"{name}.temperature_c"] = celsius
        return numbers

    def warnings(self) -> tuple[str, ...]:
        """A silent controller, a gripper that does not answer, collisions that nobody feels."""
        if self._reader is None:
            return ()
        told = [*self._warned()]
        if self._status.collision_sensitivity == 0:
            told.append(f"{conditions.UNFELT}: set its sensitivity to 3 in UFACTORY Studio (Motion)")
        if self._desk.trouble:
            told.append(f"{self._desk.trouble}: `station recover {self._place.node} --act activate_gripper`")
        return tuple(told)
