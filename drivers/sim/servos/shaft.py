"""A plant without physics: every shaft follows its servo's profiled goal, and stays where a hand puts it when limp.

Also the servo lists of real arms, as the arms come from their maker with their own configuration in EEPROM (source:
interbotix_ros_manipulators, `interbotix_xsarm_control/config/{vx300s,wx250s}.yaml`). They are this emulator's own copy:
the driver has another, so that one wrong number shows.
"""

import math
import threading
from collections.abc import Sequence
from typing import Literal

from drivers.sim.servos.servo import ServoSpec
from station.clock import NS_PER_S, Clock, monotonic_ns

Generation = Literal["aloha1", "mobile", "aloha2"]

_FOLLOWING_S = 0.015
"""Time constant with which a shaft follows the profiled goal."""


class _Shaft:
    def __init__(self, now_ns: int) -> None:
        self.position = self.velocity = 0.0
        self.goal: float | None = None
        self.current_ma = 0.0
        self.at_ns = now_ns

    def advance(self, now_ns: int) -> None:
        dt_s = (now_ns - self.at_ns) / NS_PER_S
        if dt_s <= 0:
            return
        self.at_ns = now_ns
        before = self.position
        if self.goal is not None:
            self.position += (self.goal - self.position) * (1.0 - math.exp(-dt_s / _FOLLOWING_S))
        self.velocity = (self.position - before) / dt_s


class ShaftPlant:
    """A plant for tests and the bench: no load, no gravity."""

    def __init__(self, clock: Clock = monotonic_ns) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shafts: dict[int, _Shaft] = {}

    def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:  # noqa: ARG002
        """Position rad, velocity rad/s, current mA; always of now."""
        with self._lock:
            shaft = self._shaft(servo_id)
            return shaft.position, shaft.velocity, shaft.current_ma

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:  # noqa: ARG002
        """Follow from now on; nothing here limits a current."""
        with self._lock:
            self._shaft(servo_id).goal = goal_rad if torque else None

    def move_hand(self, servo_id: int, rad: float) -> None:
        """A hand puts a limp shaft here; a shaft with torque returns to its goal."""
        with self._lock:
            shaft = self._shaft(servo_id)
            shaft.position = rad

    def load(self, servo_id: int, current_ma: float) -> None:
        """The shaft now needs this current."""
        with self._lock:
            self._shaft(servo_id).current_ma = current_ma

    def _shaft(self, servo_id: int) -> _Shaft:
        now_ns = self._clock()
        shaft = self._shafts.get(servo_id)
        if shaft is None:
            shaft = self._shafts[servo_id] = _Shaft(now_ns)
        shaft.advance(now_ns)
        return shaft


# (ID, Secondary ID, Drive Mode, lowest tick, highest tick)
_VX300S = (
    (1, 255, 0, 0, 4095), (2, 255, 1, 841, 2867), (3, 2, 0, 841, 2867), (4, 255, 1, 898, 3094), (5, 4, 0, 898, 3094),
    (6, 255, 0, 0, 4095), (7, 255, 1, 830, 3504), (8, 255, 0, 0, 4095), (9, 255, 0, 0, 4095),
)  # fmt: skip
_WX250S = (
    (1, 255, 0, 0, 4095), (2, 255, 0, 819, 3345), (3, 2, 1, 819, 3345), (4, 255, 0, 648, 3094), (5, 4, 1, 648, 3094),
    (6, 255, 0, 0, 4095), (7, 255, 1, 910, 3447), (8, 255, 0, 0, 4095), (9, 255, 0, 0, 4095),
)  # fmt: skip


def aloha_arm_servos(model: Literal["vx300s", "wx250s"], generation: Generation) -> list[ServoSpec]:
    """The nine servos of an ALOHA arm, configured as ALOHA's software leaves them."""
    if model == "vx300s":
        layout, models = _VX300S, ["xm540_w270"] * 7 + ["xm430_w350"] * 2
    else:
        last = "xl430_w250" if generation == "aloha1" else "xc430_w150"
        layout, models = _WX250S, ["xm430_w350"] * 7 + ["xl430_w250", last]
    servos = []
    for (servo_id, secondary, drive_mode, low, high), servo_model in zip(layout, models, strict=True):
        registers = {
            "Baud Rate": 3, "Return Delay Time": 0, "Velocity Limit": 131, "Secondary(Shadow) ID": secondary,
            "Drive Mode": drive_mode, "Min Position Limit": low, "Max Position Limit": high, "Operating Mode": 3,
        }  # fmt: skip
        if model == "vx300s" and servo_id == 9:
            registers |= {"Operating Mode": 5, "Current Limit": 200 if generation == "aloha1" else 300}
        servos.append(ServoSpec(servo_id, servo_model, registers))
    return servos


_BAUD_REGISTER = {57_600: 1, 115_200: 2, 1_000_000: 3, 2_000_000: 4, 3_000_000: 5, 4_000_000: 6}


def gello_servos(ids: Sequence[int] = tuple(range(1, 8)), baud: int = 57_600) -> list[ServoSpec]:
    """A GELLO leader: XL330 servos as they come from the factory (return delay 500 µs), the gripper's last."""
    return [ServoSpec(servo_id, "xl330_m288", {"Baud Rate": _BAUD_REGISTER[baud]}) for servo_id in ids]
