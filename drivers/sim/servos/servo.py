"""One emulated X-series servo: its registers, their rules, and the little controller that asks the plant to move.

Sources: ROBOTIS e-manual XM540-W270, XM430-W350, XL430-W250 and "Protocol 2.0"; others are said in place.
"""

import math
import struct
from typing import NamedTuple, Protocol

from dynamixel_sdk.protocol2_packet_handler import (
    ERRBIT_ALERT,
    ERRNUM_ACCESS,
    ERRNUM_DATA_LENGTH,
    ERRNUM_DATA_LIMIT,
    ERRNUM_DATA_RANGE,
)

from drivers.sim.servos.profile import TICKS_PER_REV, VELOCITY_TICKS_S, Profile
from drivers.sim.servos.registers import (
    EEPROM_END,
    FACTORY,
    GOALS,
    LIMITED_BY,
    LOAD_MA_PER_UNIT,
    POWER_ON,
    RANGES,
    READ_ONLY,
    SIGNED,
    STALL_MA,
    SUPPLIED,
    table_of,
)

RAD_PER_TICK = 2 * math.pi / TICKS_PER_REV
CENTRE = 2048
TRIPPED = 255
"""What Bus Watchdog reads after a trip: −1."""
OVERLOAD = 1 << 5
_STATE = struct.Struct("<hii")
_STATE_ADDRESS = 126
"""Present Current (or Load), Present Velocity, Present Position."""
_WATCHDOG_NS = 20_000_000
_SHORTEST_STEP_NS = 4_000_000
"""Every instruction asks for a step; the profile needs no finer ones."""
CURRENT, VELOCITY, POSITION, EXTENDED, CURRENT_POSITION, PWM = 0, 1, 3, 4, 5, 16


class ServoSpec(NamedTuple):
    """One servo of a bus: its ID, its model (the vendor file's stem) and registers that differ from the factory's."""

    id: int
    model: str
    registers: dict[str, int]


class Plant(Protocol):
    """What moves the shafts. Called from the bus thread: be quick, don't block.

    Asked for primaries only: the bus mirrors shadows.
    """

    def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:
        """Shaft position rad (0 = tick 2048 before Drive Mode), velocity rad/s, current mA, in the horn's frame.

        `at_ns`: a moment just past; now without it.
        """

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:
        """What the servo's controller now asks (profiled goal); None = limp, or driven by current or PWM."""


class Servo:
    """Registers and their rules. Not thread-safe: the bus holds its lock around every call."""

    def __init__(self, spec: ServoSpec, plant: Plant, shaft: int, mirrored: bool) -> None:
        self.model = spec.model
        self.table, self._supplied = table_of(spec.model), SUPPLIED.get(spec.model, {})
        self._plant, self._shaft, self._mirrored = plant, shaft, mirrored
        self._memory = bytearray(self.table.size)
        self._values = dict.fromkeys(self.table.registers, 0)
        self._current = "Present Load" if self.table.ma_per_unit is None else "Present Current"
        self._fed_ns = self._stepped_ns = 0
        self._registered: tuple[int, bytes] | None = None
        self._asked: tuple[bool, float | None, float | None] | None = None
        self.profile = Profile(0.0)
        self.losses = 0
        """How often torque went off, asked for or not."""
        self.drives = not mirrored and shaft == spec.id
        """It moves its own shaft; a shadow's is moved by its primary."""
        values = {
            **FACTORY,
            **self._supplied,
            "Current Limit": self.table.current_limit,
            "Model Number": self.table.number,
            "ID": spec.id,
        }
        for name, value in {**values, **spec.registers}.items():
            if name in self.table.registers:
                self.put(name, value)
        self.power_on()
        for name, value in spec.registers.items():
            self.put(name, value)

    def get(self, name: str) -> int:
        """A register's value, signed where it is."""
        return self._values[name]

    def put(self, name: str, value: int) -> None:
        """Set a register past all rules."""
        address, size = self.table.registers[name]
        self._values[name] = value
        self._memory[address : address + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    @property
    def torque(self) -> bool:
        """Torque Enable."""
        return self._values["Torque Enable"] == 1

    @property
    def alert(self) -> int:
        """The alert bit of a status packet's error."""
        return int(ERRBIT_ALERT) if self.get("Hardware Error Status") else 0

    def power_on(self) -> None:
        """RAM at its start values, torque off, errors forgotten: after power loss or Reboot. EEPROM stays."""
        for name, register in self.table.registers.items():
            if register.address >= EEPROM_END:
                self.put(name, (POWER_ON | self._supplied).get(name, 0))
        if self.table.ma_per_unit:
            self.put("Goal Current", self.get("Current Limit"))
        self.put("Goal Velocity", self.get("Velocity Limit"))
        self._registered = None
        self._refresh()
        self._goal_becomes_present()
        self._drive()

    def fail(self, error: int) -> None:
        """Latch a hardware error; one that Shutdown names takes torque away until a reboot."""
        self.put("Hardware Error Status", self.get("Hardware Error Status") | error)
        if error & self.get("Shutdown"):
            self.losses += self.torque
            self.put("Torque Enable", 0)
            self._drive()

    def feed(self, now_ns: int) -> None:
        """Any instruction on the bus feeds the watchdog."""
        self._fed_ns = now_ns

    def read(self, address: int, length: int, at_ns: int | None = None) -> tuple[int, bytes]:
        """(error, data) as they were at `at_ns`; as they are now without it."""
        if length < 1 or address + length > len(self._memory):
            return ERRNUM_ACCESS, b""
        if address + length > 120:
            self._refresh(at_ns)
        return self.alert, bytes(self._memory[address : address + length])

    def write(self, address: int, data: bytes, now_ns: int) -> int:
        """Write by the rules; returns the status error."""
        values = self._registers_in(address, data)
        if isinstance(values, int):
            return values | self.alert
        for name, value in values:
            error = self._refusal(name, value)
            if error:
                return error | self.alert
        for name, value in values:
            self._apply(name, value, now_ns)
        return self.alert

    def register(self, address: int, data: bytes) -> int:
        """Reg Write: keep it until Action."""
        values = self._registers_in(address, data)
        if isinstance(values, int):
            return values | self.alert
        self._registered = (address, data)
        self.put("Registered Instruction", 1)
        return self.alert

    def action(self, now_ns: int) -> None:
        """Do what was registered."""
        if self._registered is not None:
            address, data = self._registered
            self._registered = None
            self.put("Registered Instruction", 0)
            self.write(address, data, now_ns)

    def step(self, now_ns: int) -> None:
        """Advance watchdog and profile to now and tell the plant."""
        if not self.torque or now_ns - self._stepped_ns < _SHORTEST_STEP_NS:
            return
        dt_s = (now_ns - self._stepped_ns) / 1e9
        self._stepped_ns = now_ns
        watchdog = self.get("Bus Watchdog")
        if watchdog not in (0, TRIPPED) and now_ns - self._fed_ns > watchdog * _WATCHDOG_NS:
            self.put("Bus Watchdog", TRIPPED)
            self._refresh()
            self.profile.stop_at(self.get("Present Position"))
            watchdog = TRIPPED
        if self.drives:
            if watchdog != TRIPPED:
                self._move(dt_s)
            self._drive()

    def _move(self, dt_s: float) -> None:
        mode = self.get("Operating Mode")
        if mode == VELOCITY:
            self.profile.position_ticks += self.get("Goal Velocity") * VELOCITY_TICKS_S * dt_s
        elif mode in (POSITION, EXTENDED, CURRENT_POSITION):
            velocity = self.get("Profile Velocity")
            if velocity:
                velocity = min(velocity, self.get("Velocity Limit"))
            self.profile.step(self.get("Goal Position"), velocity, self.get("Profile Acceleration"), dt_s)

    def _drive(self) -> None:
        if not self.drives:
            return
        sensing = self.table.ma_per_unit
        mode = self.get("Operating Mode")
        limit = None
        if sensing is not None:
            name = "Goal Current" if mode in (CURRENT, CURRENT_POSITION) else "Current Limit"
            limit = abs(self.get(name)) * sensing
        share = self.get("Goal PWM") / max(1, self.get("PWM Limit"))
        if (
            share < 1.0 and mode != PWM
        ):  # a motor that stands still draws that share of its stall current (e-manual, "Goal PWM")
            stalled = share * STALL_MA.get(self.model, 1400.0)
            limit = stalled if limit is None else min(limit, stalled)
        goal = None
        if self.torque and mode not in (CURRENT, PWM):
            goal = self._to_horn(self.profile.position_ticks)
        asked = (self.torque, goal, limit)
        if asked != self._asked:
            self._asked = asked
            self._plant.drive(self._shaft, *asked)

    def _registers_in(self, address: int, data: bytes) -> list[tuple[str, int]] | int:
        values = []
        at, end = address, address + len(data)
        while at < end:
            name = self.table.at.get(at)
            if name is None:
                return int(ERRNUM_ACCESS)
            size = self.table.registers[name].size
            if at + size > end:
                return int(ERRNUM_DATA_LENGTH)
            values.append(
                (name, int.from_bytes(data[at - address : at - address + size], "little", signed=name in SIGNED))
            )
            at += size
        return values

    def _refusal(self, name: str, value: int) -> int:
        if name in READ_ONLY or (self.table.registers[name].address < EEPROM_END and self.torque):
            return int(ERRNUM_ACCESS)
        low, high = RANGES.get(name, (value, value))
        if not low <= value <= high or (name == "Operating Mode" and value not in self._modes()):
            return int(ERRNUM_DATA_RANGE)
        if name in GOALS and self.get("Bus Watchdog") == TRIPPED:
            return int(ERRNUM_DATA_RANGE)
        return self._over_limit(name, value)

    def _over_limit(self, name: str, value: int) -> int:
        limit = LIMITED_BY.get(name)
        over = limit is not None and abs(value) > self.get(limit)
        if name == "Goal Position" and self.get("Operating Mode") == POSITION:
            over = not self.get("Min Position Limit") <= value <= self.get("Max Position Limit")
        if name == "Current Limit":
            over = value > self.table.current_limit
        return int(ERRNUM_DATA_LIMIT) if over else 0

    def _modes(self) -> tuple[int, ...]:
        return (0, 1, 3, 4, 5, 16) if self.table.ma_per_unit is not None else (1, 3, 4, 16)

    def _apply(self, name: str, value: int, now_ns: int) -> None:
        if name == "Torque Enable":
            self._switch_torque(value == 1, now_ns)
            return
        self.put(name, value)
        if name == "Operating Mode":  # a change of mode resets the goals and profiles (e-manual, "Operating Mode")
            self.put("Profile Velocity", 0)
            self.put("Profile Acceleration", 0)
            if self.table.ma_per_unit:
                self.put("Goal Current", self.get("Current Limit"))
        elif name == "Bus Watchdog":
            self._fed_ns = now_ns

    def _switch_torque(self, on: bool, now_ns: int) -> None:
        if on and self.get("Hardware Error Status") & self.get("Shutdown"):
            return
        if on and not self.torque:
            self._goal_becomes_present()
            self._stepped_ns = self._fed_ns = now_ns
        self.losses += self.torque and not on
        self.put("Torque Enable", int(on))
        self._drive()

    def _goal_becomes_present(self) -> None:
        self._refresh()
        present = self.get("Present Position")
        self.put("Goal Position", present)
        self.profile.stop_at(present)

    def _refresh(self, at_ns: int | None = None) -> None:
        rad, rad_s, milliampere = self._plant.present_rad(self._shaft, at_ns)
        sign = -1 if self._mirrored else 1
        if self.get("Drive Mode") & 1:
            sign = -sign
        values = self._values
        per_unit = self.table.ma_per_unit or LOAD_MA_PER_UNIT
        current = max(-32768, min(32767, round(sign * milliampere / per_unit)))
        velocity = round(sign * rad_s / (VELOCITY_TICKS_S * RAD_PER_TICK))
        position = round(CENTRE + sign * rad / RAD_PER_TICK) + values["Homing Offset"]
        values[self._current], values["Present Velocity"], values["Present Position"] = current, velocity, position
        _STATE.pack_into(self._memory, _STATE_ADDRESS, current, velocity, position)

    def _to_horn(self, ticks: float) -> float:
        sign = -1 if self.get("Drive Mode") & 1 else 1
        return sign * (ticks - self.get("Homing Offset") - CENTRE) * RAD_PER_TICK
