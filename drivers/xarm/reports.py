"""Readings of a UFACTORY controller: the reports that it sends unasked, on connections of their own.

Port 30000 (firmware 2.1 and later) brings 200 a second with the controller's own clock; port 30003 brings 100 a second without one, to
older ones; port 30002 brings the rest five times a second. Source: the layouts in UFACTORY's Python SDK (`x3/report.py`): lengths and
clock big endian, numbers little endian.
"""

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from drivers.xarm.models import OLD_REPORT_HZ, REPORT_HZ
from station.clock import NS_PER_S, Clock
from station.devices.networked.reader import Broken, Reader, connected

RT_PORT, RICH_PORT, REAL_PORT = 30000, 30002, 30003
CONNECT_S = 0.4
_SIZE = struct.Struct(">I")
_SEVEN = struct.Struct("<7f")
_LEAST = {RT_PORT: 256, RICH_PORT: 252, REAL_PORT: 87}
_MOST_BYTES = 4096
_NS_PER_US = 1000


class State(NamedTuple):
    """One reading. (J,) each; torques N·m."""

    arrived_ns: int
    clock_us: int | None
    position_rad: tuple[float, ...]
    velocity_rad_s: tuple[float, ...]
    effort: tuple[float, ...]
    state: int
    """1 moves, 2 ready, 3 paused, 4 stopped, 5 its mode was changed."""
    mode: int
    """0 position, 1 servo, 2 moved by hand, 6 planned."""

    @property
    def device_ns(self) -> int | None:
        """When it was taken, by the controller's clock."""
        return None if self.clock_us is None else self.clock_us * _NS_PER_US


class Status(NamedTuple):
    """What changes seldom."""

    arrived_ns: int
    error: int
    warning: int
    enabled: bool
    """Are the motors of all joints on?"""
    payload_kg: float
    collision_sensitivity: int
    kind: int
    axes: int
    firmware: str
    temperature_c: tuple[float, ...]


class Frames:
    """Bytes as they come → reports, each with its length in front. Pure."""

    def __init__(self, least: int) -> None:
        self._least, self._left = least, b""

    def take(self, got: bytes) -> Iterator[bytes]:
        """Every report that is whole by now. Raises Broken for what cannot be one."""
        self._left += got
        while len(self._left) >= _SIZE.size:
            (size,) = _SIZE.unpack_from(self._left)
            if not self._least <= size <= _MOST_BYTES:
                raise Broken(f"a report of {size} bytes")
            if len(self._left) < size:
                return
            body, self._left = self._left[:size], self._left[size:]
            yield body


class States:
    """Reports of port 30000 or 30003 → every so manieth as a reading. Pure."""

    def __init__(self, port: int, joints: int, every: int) -> None:
        self._clocked, self._joints, self._every = port == RT_PORT, joints, every
        self._frames, self._seen = Frames(_LEAST[port]), 0
        self._before: State | None = None

    def take(self, got: bytes, now_ns: int) -> Iterator[State]:
        """Raises Broken for a number that is none."""
        for body in self._frames.take(got):
            self._seen += 1
            if self._seen % self._every == 0:
                self._before = self._real_time(body, now_ns) if self._clocked else self._real(body, now_ns)
                if not all(map(math.isfinite, (*self._before.position_rad, *self._before.velocity_rad_s))):
                    raise Broken("a number that is none")
                yield self._before

    def _real_time(self, body: bytes, now_ns: int) -> State:
        (clock_us,) = struct.unpack_from(">Q", body, 4)
        q, dq, torque = (self._some(body, 32 + 28 * block) for block in (3, 4, 7))
        return State(now_ns, clock_us, q, dq, torque, body[12] & 0x0F, body[12] >> 4)

    def _real(self, body: bytes, now_ns: int) -> State:
        """Without velocities: they are what lies between two."""
        q, torque, before = self._some(body, 7), self._some(body, 59), self._before
        since_s = (now_ns - before.arrived_ns) / NS_PER_S if before is not None else 0.0
        dq = (0.0,) * self._joints
        if before is not None and since_s > 0:
            dq = tuple((here - there) / since_s for here, there in zip(q, before.position_rad, strict=True))
        return State(now_ns, None, q, dq, torque, body[4] & 0x0F, body[4] >> 4)

    def _some(self, body: bytes, at: int) -> tuple[float, ...]:
        return _SEVEN.unpack_from(body, at)[: self._joints]


class Statuses:
    """Reports of port 30002 → statuses. Pure."""

    def __init__(self, joints: int) -> None:
        self._frames, self._joints = Frames(_LEAST[RICH_PORT]), joints

    def take(self, got: bytes, now_ns: int) -> Iterator[Status]:
        """Raises Broken."""
        every = (1 << self._joints) - 1
        for body in self._frames.take(got):
            (payload_kg,) = struct.unpack_from("<f", body, 115)
            celsius = struct.unpack_from("7b", body, 245)[: self._joints]
            yield Status(
                now_ns, body[89], body[90], body[88] & every == every, payload_kg, body[131], body[145], body[146],
                body[151:181].split(b"\0")[0].decode("ascii", "replace"), tuple(map(float, celsius)),
            )  # fmt: skip


def states(address: str, joints: int, rate_hz: float, clock: Clock) -> tuple[Reader[State], bool]:
    """Readings as they come; have they the controller's clock? Raises OSError where nobody answers, Broken for too high a rate."""
    try:
        port, has_hz, connection = RT_PORT, REPORT_HZ, connected(address, RT_PORT, CONNECT_S)
    except ConnectionRefusedError:  # a firmware before 2.1, or nobody at all
        port, has_hz, connection = REAL_PORT, OLD_REPORT_HZ, connected(address, REAL_PORT, CONNECT_S)
    every = has_hz / rate_hz
    if every < 1 or not every.is_integer():
        connection.close()
        raise Broken(f"its firmware has {has_hz:g} readings a second: rate_hz {rate_hz:g} is no whole fraction of that")
    return Reader(connection, States(port, joints, int(every)).take, "reports", clock), port == RT_PORT


def statuses(address: str, joints: int, clock: Clock) -> Reader[Status]:
    """What changes seldom. Raises OSError."""
    return Reader(connected(address, RICH_PORT, CONNECT_S), Statuses(joints).take, "statuses", clock)
