"""A UR arm, and the Robotiq gripper on it: one driver for all models. No vendor's library is imported here: it has a process of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from drivers.ur import conditions
from drivers.ur.models import GRIPPERS, JOINTS, REACH_RAD
from drivers.ur.settings import URSettings
from station.devices.contract import Condition, Description, Place
from station.devices.networked import arm
from station.errors import CommandRefused

if TYPE_CHECKING:
    from drivers.ur.acts import Acts
    from drivers.ur.dashboard import Dashboard
    from drivers.ur.robotiq import Robotiq
    from drivers.ur.rtde import State
    from station.devices.networked.reader import Reader


class URArm(arm.NetworkedArm["State"]):
    """See `station.devices.contract.ArmDriver` for what each method promises."""

    Settings: ClassVar[type[URSettings]] = URSettings
    maker: ClassVar[str] = "a controller of Universal Robots"

    def __init__(self, settings: URSettings, place: Place) -> None:
        super().__init__(
            settings, place, tuple((-reach, reach) for reach in REACH_RAD), settings.gripper.kind in GRIPPERS
        )
        self._ur = settings
        self._dashboard: Dashboard
        self._robotiq: Robotiq | None = None
        self._asked: Acts
        self._firmware = ""

    def opens_with(self) -> tuple[str, ...]:
        """What talks to the arm; the vendor's library is imported in its own process."""
        return "drivers.ur.description", "drivers.ur.rtde", "station.devices.networked.readings"

    def _connect(self) -> "Reader[State]":
        from drivers.ur.rtde import reader

        connected, self._firmware = reader(self._ur.address, self._ur.rate_hz, self._place.clock)
        return connected

    def _prepare(self, ending: ExitStack) -> None:
        from drivers.ur.acts import Acts
        from drivers.ur.dashboard import Dashboard
        from drivers.ur.robotiq import Robotiq
        from station.devices.networked.program import Program
        from station.devices.networked.readings import Readings
        from station.devices.networked.vendor_library import Library

        settings, clock = self._ur, self._place.clock
        alive_s = max(0.1, self._place.resume_ms / 1000)
        numbers = (settings.lookahead_s, settings.gain, 1 / alive_s, alive_s, int(settings.upper_registers))
        arguments = (settings.arm.controller_hz, settings.address, *numbers, *settings.arm.velocity_rad_s)
        self._robotiq = None
        if self._gripped:
            self._robotiq = Robotiq(settings.address, settings.gripper, clock)
            self._grip(self._robotiq, ending)
        self._dashboard = Dashboard(settings.address, clock)
        ending.callback(self._dashboard.close)
        library = partial(Library, "drivers.ur.vendor_process", len(JOINTS), arguments)
        self._run(Program(library, conditions.ENDED, clock), ending)
        self._asked = Acts(self._place.node, self._dashboard, lambda: self._state, clock)
        self._readings = Readings(settings.arm.controller_hz, self._gripped)

    def describe(self) -> Description:
        """Joints, limits, geometry, what was checked."""
        from drivers.ur import description

        self._opened()
        gripper = self._robotiq.trouble if self._robotiq is not None else ""
        found = description.checks(
            self._place.node, self._state.payload_kg, self._gripped, self._dashboard.missing, gripper
        )
        return description.description(self._ur, self._dashboard.serial or "", self._firmware, found)

    def _named(self) -> bool:
        return self._dashboard.serial is not None or bool(self._dashboard.missing)

    def _following(self) -> bool:
        return conditions.playing(self._state)

    def condition(self) -> Condition:
        """How its controller, its pendant, its program and its gripper let it stand."""
        return conditions.condition(self._state, self._around())

    def _around(self) -> conditions.Around:
        program, gripper = self._program, self._robotiq.trouble if self._robotiq is not None else ""
        return conditions.Around(
            self._place.node, self._dashboard.remote, program.runs, program.ours, program.lost, gripper
        )

    def _not_startable(self) -> str:
        return conditions.refusal(self._state, self._around())

    def _power_off(self) -> None:
        asked = self._dashboard.ask("power off")
        until_ns = self._place.clock() + arm.STARTS_NS
        while asked.answer is None or conditions.powered(self._state):
            if asked.answer == "" or self._place.clock() > until_ns:
                why = self._dashboard.missing or "its controller still says that motors are on"
                raise CommandRefused(f"{self._place.node} does not switch off: {why}. Next: do it at the pendant")
            self._heed()

    def torque_on(self) -> bool:
        """Are motors on and brakes released."""
        return conditions.powered(self._state)

    def _acts(self, name: str) -> Iterator[str]:
        if name == "recover":
            return self._asked.recover()
        if name == "power_on":
            return self._asked.power_on()
        assert self._robotiq is not None
        return self._asked.activate(self._robotiq)

    def _after(self, why: str) -> str:
        if "in use" in why.lower():
            return (
                "disable EtherNet/IP, PROFINET or MODBUS on the pendant, or set upper_registers: true in the rig file"
            )
        if "dashboard" in why.lower():
            return "enable its dashboard server on the pendant (Settings, Security, Services), ask again"
        if "No module" in why:
            return "pip install 'teleop-station[ur]'"
        return "look at the pendant, ask again"

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
        told = [*self._warned()]
        if self._dashboard.missing:
            told.append(
                f"its dashboard server does not answer ({self._dashboard.missing}): nothing can be recovered from here"
            )
        if self._robotiq is not None and self._robotiq.trouble:
            told.append(f"{self._robotiq.trouble}: `station recover {self._place.node} --act activate_gripper`")
        return tuple(told)
