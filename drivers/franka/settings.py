"""The rig file's keys of a Franka arm. No vendor's library here: the rig loader checks rig files with this module."""

import msgspec

from drivers.franka.models import TORQUE_NM, GripperKind, ModelName
from station.borders import rules

MOST_HZ = 200.0
"""Readings a second: the station's tick is 50 Hz, and each costs a processor."""
Seven = tuple[float, float, float, float, float, float, float]
Six = tuple[float, float, float, float, float, float]
_MOST_NM_RAD, _MOST_NM_S_RAD, _MOST_FORCE_N = 600.0, 60.0, 100.0


class Gripper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is on the flange, how fast it goes and how hard it holds."""

    kind: GripperKind = "none"
    speed_m_s: float = 0.1
    force_n: float = 20.0

    def __post_init__(self) -> None:
        if not (0.01 <= self.speed_m_s <= 0.2 and 1 <= self.force_n <= 70):
            raise ValueError("speed_m_s is 0.01 to 0.2, force_n 1 to 70")


class Impedance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How stiffly it follows: torque = stiffness · way off + damping · speed off, one number a joint. GELLO's for an FR3."""

    stiffness_nm_rad: Seven = (240.0, 240.0, 240.0, 240.0, 100.0, 60.0, 20.0)
    damping_nm_s_rad: Seven = (20.0, 20.0, 20.0, 10.0, 10.0, 10.0, 5.0)

    def __post_init__(self) -> None:
        if not all(1 <= value <= _MOST_NM_RAD for value in self.stiffness_nm_rad):
            raise ValueError(f"stiffness_nm_rad is 1 to {_MOST_NM_RAD:g}, one number a joint")
        if not all(0.5 <= value <= _MOST_NM_S_RAD for value in self.damping_nm_s_rad):
            raise ValueError(f"damping_nm_s_rad is 0.5 to {_MOST_NM_S_RAD:g}, one number a joint")


class Collision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which torque of a joint, from which force (N; the last three N·m) at the hand it stops: its reflex. libfranka's own."""

    torque_nm: Seven = (20.0, 20.0, 20.0, 20.0, 12.0, 12.0, 12.0)
    force_n: Six = (30.0, 30.0, 30.0, 30.0, 30.0, 30.0)

    def __post_init__(self) -> None:
        if not all(1 <= torque <= most for torque, most in zip(self.torque_nm, TORQUE_NM, strict=True)):
            most = ", ".join(f"{one:g}" for one in TORQUE_NM)
            raise ValueError(
                f"torque_nm is 1 to {most}, one number a joint: more no joint has, and it would feel nothing"
            )
        if not all(1 <= force <= _MOST_FORCE_N for force in self.force_n):
            raise ValueError(f"force_n is 1 to {_MOST_FORCE_N:g}, six numbers")


class FrankaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One arm of Franka Robotics at `address`."""

    model: ModelName
    address: str
    rate_hz: float = 100.0
    """Readings a second, at most 200; the robot has 1000."""
    gripper: Gripper = Gripper()
    impedance: Impedance = Impedance()
    collision: Collision = Collision()

    def __post_init__(self) -> None:
        rules.keep(self._check_address, self._check_rate)

    def _check_address(self) -> None:
        if not self.address:
            raise ValueError("address is empty: give the control box's, such as 172.16.0.2")

    def _check_rate(self) -> None:
        if not 20 <= self.rate_hz <= MOST_HZ or not (1000 / self.rate_hz).is_integer():
            raise ValueError(f"rate_hz {self.rate_hz:g} is none of this robot's: 200, 125, 100, 50, 40, 25, 20")
