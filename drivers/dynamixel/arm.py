"""ALOHA's WidowX 250 and ViperX 300 and GELLO leaders: one driver, whatever the role.

No vendor SDK is imported before `open()`.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from drivers.dynamixel import gentle
from drivers.dynamixel.models import HOT_SHARE
from drivers.dynamixel.settings import DynamixelSettings
from station.bus.messages import Act, ArmState, Fault, Limit
from station.clock import NS_PER_S
from station.devices.calibrated import calibration_of
from station.devices.contract import Condition, Description, Place, Reading, StreamDescription
from station.errors import CommandRefused, DeviceSilent, DeviceWrong
from station.files.calibration_files import ArmCalibration

if TYPE_CHECKING:
    from drivers.dynamixel.bring_up import Found
    from drivers.dynamixel.control import Control
    from drivers.dynamixel.joints import Joints
    from drivers.dynamixel.sampling import Sample, Sampler
    from drivers.dynamixel.slow import SlowReader

_DEAD_NS = NS_PER_S // 2
"""Nobody has answered for this long: the arm is lost."""
RECOVER = Act(
    "recover", "the servos that have shut down start again without torque: whatever they held sinks until you engage"
)


class DynamixelArm:
    """An arm of Dynamixel X servos on one serial port; see `station.devices.contract.ArmDriver` for what each method promises."""

    Settings: ClassVar[type[DynamixelSettings]] = DynamixelSettings
    paced: ClassVar[bool] = True

    def __init__(self, settings: DynamixelSettings, place: Place) -> None:
        self._settings, self._place = settings, place
        self._arm = settings.arm
        self._names = {servo.id: servo.name for servo in self._arm.servos}
        self._period_ns = round(NS_PER_S / settings.rate_hz)
        self._scanned = False
        self._control: Control | None = None
        self._sampler: Sampler
        self._slow: SlowReader
        self._joints: Joints
        self._found: Found
        self._notes: tuple[str, ...] = ()
        self._changed: tuple[str, ...] = ()
        self._faults: tuple[Fault, ...] = ()
        self._memory: dict[str, int] = {}
        self._limits: dict[str, Limit] = {}
        self._free: frozenset[int] = frozenset()
        """Servos that are limp on purpose while the others have torque."""
        self._sample: Sample

    def opens_with(self) -> tuple[str, ...]:
        """The vendor's SDK comes with them."""
        return "drivers.dynamixel.bring_up", "drivers.dynamixel.sampling", "drivers.dynamixel.slow"

    def open(self) -> None:
        """Open the port, find the servos, check and set them; the first time also look for servos that don't belong here."""
        from drivers.dynamixel import memory
        from drivers.dynamixel.bring_up import BringUp
        from drivers.dynamixel.bus import Bus
        from drivers.dynamixel.control import Control
        from drivers.dynamixel.joints import Joints
        from drivers.dynamixel.sampling import Sample, Sampler
        from drivers.dynamixel.slow import SlowReader

        self.close()
        settings, place = self._settings, self._place
        bus = Bus(place.node, settings.port, settings.wire_baud, place.clock)
        port_notes = bus.open()
        try:
            self._found = BringUp(bus, settings, place.role).run(scan=not self._scanned)
            self._scanned = True
            self._serial = bus.serial_number or settings.port.rpartition("/")[2]
            zeros = self._zeros()
            self._joints = Joints(settings, place.role, self._found.models, zeros)
            self._sampler = Sampler(
                bus, self._joints.ids, settings.rate_hz, settings.wire_baud, settings.fast_sync_read
            )
            self._slow = SlowReader(bus, tuple(self._names), settings.wire_baud)
            for servo_id, block in self._found.blocks.items():
                self._slow.take(servo_id, block, 0)
            control = Control(bus, settings, place, self._joints, self._slow)
            notes, released = control.opened(self._found.blocks)
            servos, blocks, models = self._arm.servos, self._found.blocks, self._found.models
            self._memory = memory.settings(servos, blocks)
            self._limits = memory.limits(servos, blocks, models)
            self._faults = memory.faults(servos, blocks, self._joints.signs(), zeros)
        except BaseException:
            bus.close()
            raise
        self._sample = Sample(control.present, place.clock(), place.clock(), True)
        self._sampler.heard_ns = place.clock()
        in_force = (f"calibrated {zeros.made.date[:10]} by {zeros.made.operator}",) if zeros is not None else ()
        self._changed = (*self._found.changed, *released)
        wrong = tuple(fault.what for fault in self._faults)
        self._notes = (*port_notes, *wrong, *self._changed, *notes, *self._load_notes(), *in_force)
        self._control = control

    def describe(self) -> Description:
        """Model, adapter's serial number, firmware, the stream `arm_state`, what bring-up changed."""
        stream = StreamDescription("arm_state", self._settings.rate_hz, self._joints.dimensions(), clock="request")
        commands: Literal["position", "read-only"] = "read-only" if self._read_only else "position"
        return Description(
            self._settings.model, self._serial, self._found.firmware, (stream,), commands, self._notes,
            changed=self._changed, faults=self._faults, settings=self._memory, limits=self._limits,
            chain=self._arm.chain, zeros=self._joints.zeros(), gripper=self._joints.gripper_facts(),
            acts=() if self._read_only else (RECOVER,), gentle=self._gentle,
        )  # fmt: skip

    def read(self) -> list[Reading]:
        """One cycle on the wire: the state at rate, and now and then one servo's slow registers."""
        control = self._opened()
        control.recover_if_watchdog_expired()
        now_ns = self._place.clock()
        sample = self._sample = self._sampler.read(now_ns)
        self._check_alive(sample.done_ns)
        known = {servo_id for servo_id, slow in self._slow.latest.items() if slow.hardware_error}
        if self._slow.step(sample.done_ns, now_ns + self._period_ns, self._sampler.alerts - known):
            control.check_watchdog()
        return [self._reading(sample)] if sample.complete else []

    def measured(self) -> tuple[float | None, ...]:
        """The newest reading in command units; None for a servo that was silent, spoilt or impossible."""
        states = self._sample.states
        return tuple(
            self._joints.position(place, states[servo_id].ticks) if servo_id in states else None
            for place, servo_id in enumerate(self._joints.ids)
        )

    def effort(self) -> tuple[float | None, ...]:
        """The newest currents, mA; servos without a current sensor (XL430, XC430) give None, for a load is no current."""
        states = self._sample.states
        blind = self._joints.without_current()
        return tuple(
            self._joints.effort(place, states[servo_id].current)
            if servo_id in states and self._names[servo_id] not in blind
            else None
            for place, servo_id in enumerate(self._joints.ids)
        )

    def goal(self) -> tuple[float, ...]:
        """The goal each servo holds, or where it is if its torque is off."""
        return self._opened().goal(self._sample.states)

    def write(self, goal: tuple[float, ...]) -> int:
        """Send a goal; CommandRefused if it is no vector of D finite numbers, or torque is off."""
        control = self._opened()
        if len(goal) != len(self._joints.ids) or not all(math.isfinite(value) for value in goal):
            raise CommandRefused(f"{self._place.node}: {goal} is no vector of {len(self._joints.ids)} finite numbers")
        if not self.torque_on():
            raise CommandRefused(f"{self._place.node}: torque is off")
        control.recover_if_watchdog_expired()
        return control.write(goal)

    def condition(self) -> Condition:
        """Stopped by servos that shut down while others hold the arm; in hold by a watchdog's trip (said once), or by a servo that came
        back from its restart without torque. Nobody holds an arm that is only read.
        """
        if self._opened().take_trip():
            return Condition("hold", "the servos' own watchdog ran out; they hold the goal they had")
        ill = {servo_id: slow.errors for servo_id, slow in self._slow.latest.items() if slow.errors}
        told = ", ".join(f"{self._names[servo_id]} reports {errors}" for servo_id, errors in ill.items())
        if not self.torque_on():
            return Condition("off", told, self._support if ill else "")
        limp = [
            servo_id
            for servo_id, slow in self._slow.latest.items()
            if not (slow.torque or servo_id in self._free or self._read_only)
        ]
        down = [f"{self._names[servo_id]} has shut down ({ill[servo_id]})" for servo_id in limp if servo_id in ill]
        if down:
            return Condition("stopped", ", ".join(down), self._support)
        if limp:
            weak = ", ".join(self._names[servo_id] for servo_id in limp)
            return Condition("hold", f"{weak} has no torque while others have", "support the arm, then engage")
        return Condition("ready", told, self._support if ill else "")

    def torque(self, on: bool, free: tuple[str, ...] = ()) -> None:
        """On: goal := present, torque (`free` aside, which goes limp), watchdog. Off: limp.

        DeviceWrong if a servo that shut down refuses.
        """
        if not on:
            self._opened().torque_off()
            return
        self._torque_on(free, yields=False)

    def torque_gently(self, free: tuple[str, ...] = ()) -> None:
        """As `torque(True, free)`, with so much of their voltage that one hand stops the arm."""
        self._torque_on(free, yields=True)

    def _torque_on(self, free: tuple[str, ...], yields: bool) -> None:
        control = self._opened()
        compliant = [dimension.name for dimension in self._joints.dimensions() if dimension.compliant]
        if not set(free) <= set(compliant):
            raise CommandRefused(
                f"{self._place.node}: of {', '.join(free)} only {', '.join(compliant)} may be let go of"
            )
        ill = {s: f"{self._names[s]} ({slow.errors})" for s, slow in self._slow.latest.items() if slow.errors}
        if ill:
            raise DeviceWrong(
                self._place.node, self._settings.port, "servos that can take torque", f"shut down: {', '.join(ill.values())}",
                f"support the arm, let it cool, then {self._recover}",
            )  # fmt: skip
        if self._faults:
            raise DeviceWrong(
                self._place.node,
                self._settings.port,
                "servos set up as this arm's are",
                self._faults[0].what,
                self._faults[0].next,
            )
        self._free = frozenset(servo_id for servo_id, name in self._names.items() if name in free)
        control.torque_on(self._free, yields)

    def torque_on(self) -> bool:
        """Is torque on at any servo, as last read."""
        return any(slow.torque for slow in self._slow.latest.values())

    def act(self, name: str) -> Iterator[str]:
        """`recover`: restart every servo that has shut down, its joint's other servo with it. They stay limp. Yields what it waits for.

        Raises CommandRefused for any other name, DeviceSilent for a servo that does not come back.
        """
        if name != RECOVER.name or self._read_only:
            raise CommandRefused(f"{self._place.node} knows no act {name!r}")
        ill = {servo_id for servo_id, slow in self._slow.latest.items() if slow.errors}
        joints = {servo.shadow_of or servo.id for servo in self._arm.servos if servo.id in ill}
        for joint in sorted(joints):
            self._opened().reboot([s.id for s in self._arm.servos if joint in (s.id, s.shadow_of)])
            yield f"{self._names[joint]}'s restart"

    def health(self) -> dict[str, float]:
        """Temperatures, voltages, shadow currents, counters."""
        if self._control is None:
            return {}
        numbers: dict[str, float] = {
            "bad_packets": self._control.bus.bad_packets,
            "missing_samples": self._sampler.missing_samples,
            "retries": self._sampler.retries,
            "jumps_rejected": self._sampler.jumps_rejected,
            "jumps_accepted": self._sampler.jumps_accepted,
            "watchdog_trips": self._control.trips,
        }
        for servo_id, slow in self._slow.latest.items():
            name = self._names[servo_id]
            numbers[f"{name}.temperature_c"] = slow.temperature_c
            numbers[f"{name}.voltage_v"] = slow.voltage_v
        return numbers

    def warnings(self) -> tuple[str, ...]:
        """Silent, shut down, limp or hot servos by name."""
        if self._control is None:
            return ()
        told = [
            f"{self._names[servo_id]} (ID {servo_id}) is silent: check its cable" for servo_id in self._sampler.silent
        ]
        if self._control.trip_untold:
            told.append("the servos' watchdog ran out: the arm holds the goal it had")
        for servo_id, slow in self._slow.latest.items():
            name = self._names[servo_id]
            if slow.torque and self._read_only:
                told.append(
                    f"{name} has torque on an arm that is only read (another program left it on): close that program, then "
                    f"`station park --release {self._place.node}`, or switch the arm's power off and on"
                )
            hot_c = (
                self._limits[f"{name}.temperature_c"].fail_above if f"{name}.temperature_c" in self._limits else None
            )
            if hot_c is not None and slow.temperature_c >= hot_c:
                told.append(
                    f"{name} is at {slow.temperature_c} °C and shuts down at {hot_c / HOT_SHARE:.0f}: let the arm rest"
                )
        return tuple(told)

    def close(self) -> None:
        """Disarm the watchdog, let go of the port; torque stays."""
        if self._control is not None:
            self._control.close()
            self._control = None

    @property
    def _read_only(self) -> bool:
        return self._arm.gello

    @property
    def _gentle(self) -> str:
        """Of a leader that takes goals: a follower that yields would drop what it carries."""
        if self._read_only or self._place.role != "leader":
            return ""
        return gentle.words(self._found.models.values())

    @property
    def _recover(self) -> str:
        return f"`station recover {self._place.node}`"

    @property
    def _support(self) -> str:
        if self._read_only:
            return "switch its power off and on"
        return f"support the arm, then {self._recover}"

    def _opened(self) -> "Control":
        if self._control is None:
            raise DeviceSilent(self._place.node, self._settings.port, "an open arm", "it is closed", "open it first")
        return self._control

    def _reading(self, sample: "Sample") -> Reading:
        joints = self._joints
        states = [sample.states[servo_id] for servo_id in joints.ids]
        aperture, aperture_velocity = joints.aperture(states[-1])
        body = ArmState(
            position=tuple(joints.position(place, state.ticks) for place, state in enumerate(states)),
            velocity=tuple(joints.velocity(place, state.velocity) for place, state in enumerate(states)),
            effort=tuple(joints.effort(place, state.current) for place, state in enumerate(states)),
            aperture=aperture,
            aperture_velocity=aperture_velocity,
            torque=self.torque_on(),
            uncertainty_ns=sample.done_ns - sample.sent_ns,
        )
        return Reading("arm_state", sample.sent_ns, body)

    def _check_alive(self, now_ns: int) -> None:
        if now_ns - self._sampler.heard_ns > _DEAD_NS:
            raise DeviceSilent(
                self._place.node, self._settings.port, f"{len(self._joints.ids)} servos", "none has answered for 0.5 s",
                "check the arm's power supply and emergency stop; support the arm",
            )  # fmt: skip

    def _zeros(self) -> ArmCalibration | None:
        """The arm's zeros and travel from its calibration file. DeviceWrong for a broken one, or another arm's."""
        calibration = calibration_of(self._place.node, self._settings.port, self._serial)
        zeros = calibration.arm if calibration is not None else None
        joints = tuple(servo.name for servo in self._arm.joints[:-1])
        if zeros is not None and zeros.joints != joints:
            raise DeviceWrong(
                self._place.node, self._settings.port, f"a calibration file of {', '.join(joints)}",
                f"one of {', '.join(zeros.joints)} for serial {self._serial}",
                "move the file away and calibrate this arm again, or correct the rig file's model",
            )  # fmt: skip
        return zeros

    def _load_notes(self) -> tuple[str, ...]:
        blind = self._joints.without_current()
        return (
            (f"effort of {', '.join(blind)} is the servo's load in 0.1 %: it has no current sensor",) if blind else ()
        )
