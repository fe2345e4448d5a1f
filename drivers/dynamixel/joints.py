"""Between servo ticks and the arm's vector. Pure.

Vector: the joints in radians, then the gripper, 0 closed … 1 open (the servo's angle normalised). A joint is
q = sign · ((tick − centre) · 2π/4096 − offset); the servo applies Drive Mode itself.
"""

import math
import struct
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from drivers.dynamixel import models
from drivers.dynamixel.gripper import Travel
from drivers.dynamixel.settings import DynamixelSettings
from station.bus.messages import EffortUnit, GripperFacts, Zeros
from station.devices.contract import Dimension
from station.files.calibration_files import ArmCalibration, GripperRange

RAD_PER_TICK = 2 * math.pi / 4096
RAD_S_PER_UNIT = 0.229 * 2 * math.pi / 60
"""Unit of velocity registers: 0.229 rev/min."""
_STATE = struct.Struct("<hii")


class RawState(NamedTuple):
    """One servo's registers 126…135."""

    current: int
    velocity: int
    ticks: int


def raw_state(block: bytes) -> RawState:
    """Decode registers 126…135 (signed, little-endian)."""
    return RawState(*_STATE.unpack(block))


class Joints:
    """One arm's conversions. `models_by_id`: what ping found, for the unit of the current.

    `zeros`: the arm's calibration file; its offsets, signs and gripper's travel hold over the rig file's, and whatever turn
    a servo without position limits counts from since it got power, its joint is brought within half a turn of the middle
    of its travel.
    """

    def __init__(
        self,
        settings: DynamixelSettings,
        role: str,
        models_by_id: Mapping[int, str],
        zeros: ArmCalibration | None = None,
    ) -> None:
        arm = settings.arm
        count = len(arm.joints) - 1
        self.servos = arm.joints
        self.ids = tuple(servo.id for servo in self.servos)
        self._arm, self._role = arm, role
        self._centre = arm.centre_ticks
        self._offsets = zeros.offsets_rad if zeros else settings.offsets_rad or (0.0,) * count
        self._signs = zeros.signs if zeros else settings.signs or (1,) * count
        self._middle = zeros.centres_rad if zeros else None
        if len(self._offsets) != count:
            raise ValueError(f"{len(self._offsets)} offsets for {count} joints")
        self._models = tuple(models_by_id.get(servo_id, "") for servo_id in self.ids)
        self._ma = tuple(models.ma_per_unit(model) or 1.0 for model in self._models)
        own = zeros.gripper if zeros else None
        self._expected = settings.travel(role)
        self.travel = Travel(*msgspec.structs.astuple(own)) if own else self._expected

    def signs(self) -> dict[str, int]:
        """Each joint's turning direction by name, the gripper left out; a shadow has its joint's."""
        ahead = dict(zip((servo.name for servo in self.servos), self._signs, strict=False))
        by_id = {servo.id: servo.name for servo in self.servos}
        shadows = {s.name: ahead.get(by_id.get(s.shadow_of or -1, ""), 1) for s in self._arm.servos if s.shadow_of}
        return ahead | shadows

    def angle(self, ticks: int) -> float:
        """The servo's angle, rad."""
        return (ticks - self._centre) * RAD_PER_TICK

    def position(self, place: int, ticks: int) -> float:
        """Element `place` of the vector."""
        if place == len(self._signs):
            return self.travel.command(self.angle(ticks))
        joint = self._signs[place] * (self.angle(ticks) - self._offsets[place])
        if self._middle is None or self.servos[place].limits_ticks is not None:
            return joint
        return joint - math.tau * round((joint - self._middle[place]) / math.tau)

    def velocity(self, place: int, units: int) -> float:
        """Element `place` of the velocity vector: rad/s, or 1/s for the gripper."""
        rad_s = units * RAD_S_PER_UNIT
        return self.travel.rate(rad_s) if place == len(self._signs) else self._signs[place] * rad_s

    def effort(self, place: int, units: int) -> float:
        """mA; servos without a current sensor give their load in 0.1 %, as their dimension's unit says."""
        return units * self._ma[place]

    def ticks(self, place: int, value: float) -> int:
        """The inverse of `position`, within the servo's position limits."""
        angle = (
            self.travel.rad(value) if place == len(self._signs) else self._signs[place] * value + self._offsets[place]
        )
        low, high = self.servos[place].limits_ticks or (-1_048_575, 1_048_575)
        return max(low, min(high, round(angle / RAD_PER_TICK) + self._centre))

    def aperture(self, raw: RawState) -> tuple[float, float] | tuple[None, None]:
        """(aperture, its velocity) through the linkage; None where the arm has none."""
        linkage = self._arm.linkage
        if linkage is None:
            return None, None
        rad, rad_s = self.angle(raw.ticks), raw.velocity * RAD_S_PER_UNIT
        return linkage.aperture(rad, self.travel), linkage.aperture_velocity(rad, rad_s, self.travel)

    def dimensions(self) -> tuple[Dimension, ...]:
        """What the vector's elements are."""
        return (*(self._joint(place) for place in range(len(self._signs))), self._gripper())

    def zeros(self) -> Zeros:
        """In force. A GELLO's servos sit on their horns in quarter turns; ALOHA's arms are zeroed on their rest stops."""
        return Zeros("quarter turns" if self._arm.gello else "rest stops", tuple(self._offsets), tuple(self._signs))

    def gripper_facts(self) -> GripperFacts:
        """Its travel as the rig file has it, by which a measured one is judged; in force may be a measured one."""
        return GripperFacts(
            "a servo and a crank" if self._arm.linkage else "a trigger",
            GripperRange(*self._expected),
            self._arm.linkage,
        )

    def without_current(self) -> tuple[str, ...]:
        """Names of the joints whose servo reports load instead of current."""
        known = zip(self.servos, self._models, strict=True)
        return tuple(servo.name for servo, model in known if model and models.ma_per_unit(model) is None)

    def _effort_unit(self, place: int) -> EffortUnit:
        return "0.1 %" if self.servos[place].name in self.without_current() else "mA"

    def _joint(self, place: int) -> Dimension:
        servo = self.servos[place]
        low, high = -math.inf, math.inf
        if servo.limits_ticks is not None:
            ends = [self.position(place, tick) for tick in servo.limits_ticks]
            low, high = min(ends), max(ends)
        else:
            low, high = -2 * math.pi, 2 * math.pi
        return Dimension(
            servo.name, "rad", low, high, effort_unit=self._effort_unit(place), overload=models.stall_ma(self._models[place]),
            sleep=self._arm.sleep_rad[place] if self._arm.sleep_rad else None, start=self._arm.start_rad[place],
        )  # fmt: skip

    def _gripper(self) -> Dimension:
        return Dimension(
            self.servos[-1].name, "1", 0.0, 1.0, rad_per_unit=abs(self.travel.open_rad - self.travel.close_rad),
            compliant=True, effort_unit=self._effort_unit(len(self._signs)), overload=models.stall_ma(self._models[-1]),
            sleep=0.0, start=0.0,
        )  # fmt: skip
