"""The rig file's keys of a UFACTORY arm. No vendor's library here: the rig loader checks rig files with this module."""

from typing import Literal

import msgspec

from drivers.xarm.models import MODELS, REPORT_HZ, GripperKind, Model, ModelName
from station.borders import rules


class Gripper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is on the flange. The xArm Gripper's pulses at the ends of its travel, and how fast it goes (pulses a second); a Robotiq's
    counts of 0 to 255 there, and how hard it closes. A Robotiq is at its fastest at a speed of 5000.
    """

    kind: GripperKind = "none"
    open_pulse: int = 850
    closed_pulse: int = 0
    speed: int = 5000
    open_count: int = 3
    closed_count: int = 228
    force: float = 0.2
    """0, the gentlest, to 1."""

    def __post_init__(self) -> None:
        if not -10 <= self.closed_pulse < self.open_pulse <= 850:
            raise ValueError("closed_pulse is below open_pulse, both -10 to 850")
        if not 350 <= self.speed <= 5000:
            raise ValueError("speed is 350 to 5000")
        if not 0 <= self.open_count < self.closed_count <= 255:
            raise ValueError("open_count is below closed_count, both 0 to 255")
        if not 0 <= self.force <= 1:
            raise ValueError("force is 0 to 1")

    @property
    def numbers(self) -> tuple[int, ...]:
        """What its part of the desk's process is told of it."""
        if self.kind in ("robotiq_2f85", "robotiq_2f140"):
            return self.open_count, self.closed_count, round(255 * self.speed / 5000), round(255 * self.force)
        return self.open_pulse, self.closed_pulse, self.speed


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
