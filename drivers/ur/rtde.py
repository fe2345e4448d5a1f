"""Readings of a UR controller: RTDE's outputs, on a connection of their own.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide". The vendor's library for commands (ur_rtde) reads, too, but keeps
neither when a packet came nor which numbers came together, and ends its process when the link breaks at the wrong moment.
"""

import math
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from station.clock import NS_PER_S, Clock
from station.devices.networked.reader import Broken, Reader, connected

PORT = 30004
CONNECT_S, ANSWER_S = 0.4, 0.4
_HEAD = struct.Struct(">HB")
_PROTOCOL, _URCONTROL, _OUTPUTS, _START, _DATA, _MESSAGE = b"VvOSUM"
_LAYOUT = {
    "DOUBLE": "d",
    "VECTOR6D": "6d",
    "INT32": "i",
    "UINT32": "I",
    "VECTOR3D": "3d",
    "UINT64": "Q",
    "BOOL": "?",
    "UINT8": "B",
}
NEEDED = (
    "timestamp", "actual_q", "actual_qd", "actual_current", "robot_mode", "safety_mode", "robot_status_bits", "safety_status_bits",
    "runtime_state",
)  # fmt: skip
WELCOME = ("target_q", "speed_scaling", "target_speed_fraction", "payload", "joint_temperatures")
"""Done without where a controller has none of that name."""


class State(NamedTuple):
    """One reading. (6,) each."""

    arrived_ns: int
    clock_s: float
    position_rad: tuple[float, ...]
    velocity_rad_s: tuple[float, ...]
    current_a: tuple[float, ...]
    target_rad: tuple[float, ...]
    robot_mode: int
    safety_mode: int
    robot_bits: int
    safety_bits: int
    runtime_state: int
    scaling: float
    slider: float
    payload_kg: float
    temperature_c: tuple[float, ...]

    @property
    def device_ns(self) -> int:
        """When it was taken, by the controller's clock."""
        return round(self.clock_s * NS_PER_S)

    @property
    def effort(self) -> tuple[float, ...]:
        """The motors' currents, A."""
        return self.current_a


class Packets:
    """Bytes as they come → packets. Pure."""

    def __init__(self) -> None:
        self._left = b""

    def take(self, got: bytes) -> Iterator[tuple[int, bytes]]:
        """Type and payload of every packet that is whole by now. Raises Broken for what cannot be one."""
        self._left += got
        while len(self._left) >= _HEAD.size:
            size, kind = _HEAD.unpack_from(self._left)
            if size < _HEAD.size:
                raise Broken(f"a packet of {size} bytes")
            if len(self._left) < size:
                return
            body, self._left = self._left[_HEAD.size : size], self._left[size:]
            yield kind, body


class Recipe:
    """What a controller agreed to send. Pure."""

    def __init__(self, names: tuple[str, ...], answer: bytes) -> None:
        """`answer`: to the request for these outputs. Raises Broken where it does not fit them; `missing` names what there is not."""
        kinds = answer[1:].decode("ascii", "replace").split(",")
        if len(kinds) != len(names):
            raise Broken(f"{len(kinds)} types for {len(names)} outputs")
        self.missing = tuple(name for name, kind in zip(names, kinds, strict=True) if kind not in _LAYOUT)
        self._places: dict[str, slice] = {}
        at, layout = 0, ">B"
        for name, kind in zip(names, kinds, strict=True):
            code = _LAYOUT.get(kind, "")
            count = int(code[:-1] or 1) if code else 0
            self._places[name] = slice(at, at + count)
            at, layout = at + count, layout + code
        self._packed = struct.Struct(layout)

    def state(self, body: bytes, arrived_ns: int) -> State:
        """One reading. Raises Broken for a packet of another size, or with a number that is none."""
        if len(body) != self._packed.size:
            raise Broken(f"outputs of {len(body)} bytes instead of {self._packed.size}")
        numbers = self._packed.unpack(body)[1:]
        if not all(math.isfinite(number) for number in numbers):
            raise Broken("a number that is none")

        def of(name: str, default: tuple[float, ...]) -> tuple[float, ...]:
            return numbers[self._places[name]] if name in self._places else default

        position = of("actual_q", ())
        return State(
            arrived_ns, of("timestamp", ())[0], position, of("actual_qd", ()), of("actual_current", ()), of("target_q", position),
            int(of("robot_mode", ())[0]), int(of("safety_mode", ())[0]), int(of("robot_status_bits", ())[0]),
            int(of("safety_status_bits", ())[0]), int(of("runtime_state", ())[0]), of("speed_scaling", (1.0,))[0],
            of("target_speed_fraction", (1.0,))[0], of("payload", (0.0,))[0], of("joint_temperatures", ()),
        )  # fmt: skip


class Agreement:
    """What a controller on a fresh connection agreed to send, and how to read it."""

    def __init__(self, connection: socket.socket, rate_hz: float, clock: Clock) -> None:
        """Raises OSError where nobody answers, Broken where it is no controller of UR's."""
        self._socket, self._clock = connection, clock
        self._packets = Packets()
        self._waiting: list[tuple[int, bytes]] = []
        self.firmware = ""
        self._socket.settimeout(ANSWER_S)
        self._recipe = self._agree(rate_hz)
        if self._ask(_START)[:1] != b"\x01":
            raise Broken("it does not begin to send")

    def _agree(self, rate_hz: float) -> Recipe:
        if self._ask(_PROTOCOL, struct.pack(">H", 2))[:1] != b"\x01":
            raise Broken("it speaks no RTDE 2: its software is older than 3.10")
        version = self._ask(_URCONTROL)
        self.firmware = ".".join(
            str(number) for number in struct.unpack(f">{len(version) // 4}I", version[: len(version) // 4 * 4])
        )
        names = (*NEEDED, *WELCOME)
        recipe = self._outputs(names, rate_hz)
        if recipe.missing:
            lacking = set(recipe.missing) & set(NEEDED)
            if lacking:
                raise Broken(f"its software knows no {', '.join(sorted(lacking))}")
            recipe = self._outputs(tuple(name for name in names if name not in recipe.missing), rate_hz)
        return recipe

    def _outputs(self, names: tuple[str, ...], rate_hz: float) -> Recipe:
        return Recipe(names, self._ask(_OUTPUTS, struct.pack(">d", rate_hz) + ",".join(names).encode()))

    def _ask(self, kind: int, body: bytes = b"") -> bytes:
        """Its answer. Data and messages that come meanwhile are no answers."""
        self._socket.sendall(_HEAD.pack(_HEAD.size + len(body), kind) + body)
        until_ns = self._clock() + round(ANSWER_S * 1e9)
        while self._clock() < until_ns:
            while self._waiting:
                answered, payload = self._waiting.pop(0)
                if answered == kind:
                    return payload
            got = self._socket.recv(65536)
            if not got:
                raise Broken("it hung up")
            self._waiting.extend(self._packets.take(got))
        raise Broken(f"no answer to {chr(kind)!r}")

    def states(self, got: bytes, now_ns: int) -> Iterator[State]:
        """The readings in what came. Raises Broken."""
        self._waiting.extend(self._packets.take(got))
        waiting, self._waiting = self._waiting, []
        for kind, body in waiting:
            if kind == _DATA:
                yield self._recipe.state(body, now_ns)


def reader(address: str, rate_hz: float, clock: Clock) -> tuple[Reader[State], str]:
    """Readings as they come, and the controller's firmware. Raises OSError where nobody answers, Broken where it is no UR."""
    connection = connected(address, PORT, CONNECT_S)
    try:
        agreed = Agreement(connection, rate_hz, clock)
    except BaseException:
        connection.close()
        raise
    return Reader(connection, agreed.states, "rtde", clock), agreed.firmware
