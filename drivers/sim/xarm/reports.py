"""What a UFACTORY controller tells unasked, on three of its ports. Pure.

Source: the layouts in UFACTORY's Python SDK (1.18.4, `x3/report.py`): lengths and clock big endian, numbers little endian, each report's
length in front.
"""

import struct
from collections.abc import Callable

from drivers.sim.xarm.controller import Controller
from drivers.sim.xarm.uxbus import seven
from station.clock import NS_PER_S

RT_HZ, REAL_HZ, SLOW_HZ = 200.0, 100.0, 5.0
_RT_BYTES, _REAL_BYTES, _NORMAL_BYTES, _RICH_BYTES = 804, 135, 145, 587


class Reports:
    """One client of a report port."""

    def __init__(self, make: Callable[[int], bytes], rate_hz: float, now_ns: int) -> None:
        self._make, self._period_ns, self._due_ns = make, round(NS_PER_S / rate_hz), now_ns

    def hear(self, got: bytes, now_ns: int) -> bytes:  # noqa: ARG002
        """Nobody is listened to here."""
        return b""

    def due(self, now_ns: int) -> bytes:
        """The report, if it is time for it."""
        if now_ns < self._due_ns:
            return b""
        self._due_ns += self._period_ns * (1 + (now_ns - self._due_ns) // self._period_ns)
        return self._make(now_ns)

    def close(self) -> None:
        """Nothing of it is left."""


def real_time(controller: Controller, now_ns: int) -> bytes:
    """Port 30000: the clock, targets and what is the case."""
    moved, nothing = controller.arm.joints(), (0.0,) * 7
    head = struct.pack(">IQBH17x", _RT_BYTES, round(controller.clock_us(now_ns)), _state(controller), 0)
    blocks = (
        controller.target,
        nothing,
        nothing,
        moved.position_rad,
        moved.velocity_rad_s,
        nothing,
        nothing,
        moved.effort,
    )
    return (head + b"".join(struct.pack("<7f", *seven(block)) for block in blocks)).ljust(_RT_BYTES, b"\0")


def real(controller: Controller, now_ns: int) -> bytes:  # noqa: ARG001
    """Port 30003."""
    return (struct.pack(">I", _REAL_BYTES) + _common(controller)).ljust(_REAL_BYTES, b"\0")


def normal(controller: Controller, now_ns: int) -> bytes:  # noqa: ARG001
    """Port 30001."""
    return struct.pack(">I", _NORMAL_BYTES) + _common(controller) + _settings(controller)


def rich(controller: Controller, now_ns: int) -> bytes:  # noqa: ARG001
    """Port 30002."""
    named = struct.pack("6B", controller.kind, controller.joints, 0, 0, 0, 0) + controller.firmware.encode().ljust(
        30, b"\0"
    )
    so_far = struct.pack(">I", _RICH_BYTES) + _common(controller) + _settings(controller) + named
    warm = so_far.ljust(245, b"\0") + bytes([controller.temperature_c] * 7)
    return warm.ljust(_RICH_BYTES, b"\0")


def _state(controller: Controller) -> int:
    return controller.state | controller.mode << 4


def _common(controller: Controller) -> bytes:
    moved = controller.arm.joints()
    q, torque = (struct.pack("<7f", *seven(block)) for block in (moved.position_rad, moved.effort))
    return struct.pack(">BH", _state(controller), 0) + q + bytes(24) + torque


def _settings(controller: Controller) -> bytes:
    on = (1 << controller.joints) - 1 if controller.enabled else 0
    motors = bytes([on, on, controller.error, controller.warning])
    load = struct.pack("<4f", controller.payload_kg, 0.0, 0.0, 60.0)
    return motors + bytes(24) + load + bytes([controller.collision_sensitivity, 3]) + struct.pack("<3f", 0.0, 0.0, -1.0)
