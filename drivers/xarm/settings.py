"""The rig file's keys of a UFACTORY arm. No vendor's library here: the rig loader checks rig files with this module."""

from typing import Literal

import msgspec

from drivers.xarm.models import MODELS, REPORT_HZ, GripperKind, Model, ModelName
from station.borders import rules


class Gripper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is on the flange; the xArm Gripper's pulses at the ends of its travel, and how fast it goes (pulses a second)."""

    kind: GripperKind = "none"
    open_pulse: int = 850
    closed_pulse: int = 0
    speed: int = 5000

    def __post_init__(self) -> None:
        if not -10 <= self.closed_pulse < self.open_pulse <= 850:
            raise ValueError("closed_pulse is below open_pulse, both -10 to 850")
        if not 350 <= self.speed <= 5000:
            raise ValueError("speed is 350 to 5000")


class XArmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One arm of UFACTORY at `address`."""

    model: ModelName
    address: str
    rate_hz: float = 100.0
    """Readings a second: 200, or a whole fraction of it."""
    gripper: Gripper = Gripper()
    stream: Literal["servo", "planned"] = "servo"
    """`servo`: every target is executed at once (the controller's mode 1; wants a cable of its own). `planned`: the controller plans its
    way to each (mode 6), which forgives a poor link and lags behind more.
    """
    tip_m_s: float = 0.9
    """Its fingertips are asked to be no faster: beyond about 1.2 m/s the controller stops the arm (errors 24 and 60)."""
    command_port: int = 502
    """Where the controller takes commands; another one for a simulated controller, for which 502 is out of bounds."""

    def __post_init__(self) -> None:
        rules.keep(self._check_address, self._check_rate, self._check_speed)

    @property
    def arm(self) -> Model:
        """Its table."""
        return MODELS[self.model]

    def _check_address(self) -> None:
        if not self.address:
            raise ValueError("address is empty: give the controller's, such as 192.168.1.11")

    def _check_rate(self) -> None:
        if not 20 <= self.rate_hz <= REPORT_HZ or not (REPORT_HZ / self.rate_hz).is_integer():
            raise ValueError(f"rate_hz {self.rate_hz:g} is none of this controller's: 200, 100, 50, 40, 25, 20")

    def _check_speed(self) -> None:
        if not 0.05 <= self.tip_m_s <= 1.0:
            raise ValueError("tip_m_s is 0.05 to 1")
