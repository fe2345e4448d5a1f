"""The rig file's keys of a UR arm. No vendor's library here: the rig loader checks rig files with this module."""

import msgspec

from drivers.ur.models import MODELS, GripperKind, Model, ModelName
from station.borders import rules

MOST_HZ = 250.0
"""Readings a second: the station's tick is 50 Hz, and each costs a processor."""


class Gripper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is on the flange. Robotiq's count of 0 to 255 at the ends of its real travel, and how hard and fast it closes."""

    kind: GripperKind = "none"
    open_count: int = 3
    closed_count: int = 228
    force: float = 0.2
    """0, the gentlest, to 1."""
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.open_count < self.closed_count <= 255):
            raise ValueError("open_count is below closed_count, both 0 to 255")
        if not (0 <= self.force <= 1 and 0 <= self.speed <= 1):
            raise ValueError("force and speed are 0 to 1")


class URSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One arm of Universal Robots at `address`."""

    model: ModelName
    address: str
    rate_hz: float = 125.0
    """Readings a second; the controller has them at whole fractions of its own rate."""
    gripper: Gripper = Gripper()
    lookahead_s: float = 0.05
    """`servoj`'s own smoothing, 0.03 to 0.2 s: less follows closer and shakes with what its leader shakes."""
    gain: float = 300.0
    """How hard `servoj` pulls towards its target, 100 to 2000."""
    upper_registers: bool = False
    """Use the controller's registers 24 to 47, where a field bus has 0 to 23."""

    def __post_init__(self) -> None:
        rules.keep(self._check_address, self._check_rate, self._check_servo)

    @property
    def arm(self) -> Model:
        """Its table."""
        return MODELS[self.model]

    def _check_address(self) -> None:
        if not self.address:
            raise ValueError("address is empty: give the controller's, such as 192.168.1.10")

    def _check_rate(self) -> None:
        most = min(MOST_HZ, self.arm.controller_hz)
        if not 20 <= self.rate_hz <= most or not (self.arm.controller_hz / self.rate_hz).is_integer():
            fits = ", ".join(
                f"{self.arm.controller_hz / n:g}"
                for n in range(1, 26)
                if 20 <= self.arm.controller_hz / n <= most and (self.arm.controller_hz * 2 / n).is_integer()
            )
            raise ValueError(f"rate_hz {self.rate_hz:g} is none of this controller's: {fits}")

    def _check_servo(self) -> None:
        if not 0.03 <= self.lookahead_s <= 0.2:
            raise ValueError("lookahead_s is 0.03 to 0.2")
        if not 100 <= self.gain <= 2000:
            raise ValueError("gain is 100 to 2000")
