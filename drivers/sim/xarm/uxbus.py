"""The commands of a UFACTORY controller as it takes them from one client on port 502: bytes in, bytes out. Pure.

Source: what UFACTORY's Python SDK sends and expects (1.18.4). A message is transaction, protocol, length of the rest (u16 each, big
endian), function (u8), payload; numbers in payloads are little endian. An answer has a status (u8) before its payload.
"""

import struct
from collections.abc import Callable

from drivers.sim.xarm.controller import Controller
from drivers.sim.xarm.gripper import Flange

_HEAD = struct.Struct(">HHH")
_ERROR, _WARNING, _NOT_READY, _INVALID = 0x40, 0x20, 0x10, 0x08
_MOST_BYTES = 1024
Answer = Callable[[bytes, int], bytes]


class Session:
    """One client of the command port."""

    def __init__(self, controller: Controller, flange: Flange) -> None:
        self._controller, self._flange, self._left = controller, flange, b""
        c = controller
        self._answers: dict[int, Answer] = {
            1: lambda _, __: _name(c).ljust(40, b"\0"),
            2: lambda _, __: b"XS130400A1B\0AC130400A1B".ljust(40, b"\0"),
            11: self._enable,
            12: self._set_state,
            13: lambda _, __: bytes([c.state]),
            14: lambda _, __: struct.pack(">H", 0),
            15: lambda _, __: bytes([c.error, c.warning]),
            16: self._clear,
            17: self._clear_warning,
            19: self._set_mode,
            23: self._move,
            29: self._servo,
            37: self._sensitivity,
            42: self._joints,
            124: lambda body, now: body[:1] + flange.modbus(body[1:], now),
            127: self._write,
            128: lambda body, _: flange.read(body),
        }

    def close(self) -> None:
        """Nothing of it is left: what it told the controller stays told."""

    def due(self, now_ns: int) -> bytes:  # noqa: ARG002
        """It never speaks unasked."""
        return b""

    def hear(self, got: bytes, now_ns: int) -> bytes:
        """What it sent, and what it is answered. Raises ValueError for what is no message: it is hung up on."""
        self._left += got
        answers = []
        while len(self._left) > _HEAD.size:
            transaction, protocol, length = _HEAD.unpack_from(self._left)
            if not 1 <= length <= _MOST_BYTES:
                raise ValueError(f"a message of {length} bytes")
            if len(self._left) < _HEAD.size + length:
                break
            function, body = self._left[_HEAD.size], self._left[_HEAD.size + 1 : _HEAD.size + length]
            self._left = self._left[_HEAD.size + length :]
            if (function, body) == (0, b""):  # a heartbeat
                continue
            answers.append(self._answered(transaction, protocol, function, body, now_ns))
        return b"".join(answers)

    def _answered(self, transaction: int, protocol: int, function: int, body: bytes, now_ns: int) -> bytes:
        try:
            payload, known = self._answers[function](body, now_ns), 0
        except (KeyError, IndexError, struct.error):
            payload, known = b"", _INVALID
        c = self._controller
        status = known | (_ERROR if c.error else 0) | (_WARNING if c.warning else 0) | (0 if c.ready else _NOT_READY)
        return _HEAD.pack(transaction, protocol, 2 + len(payload)) + bytes([function, status]) + payload

    def _set_state(self, body: bytes, now_ns: int) -> bytes:
        self._controller.set_state(body[0], now_ns)
        return b""

    def _set_mode(self, body: bytes, now_ns: int) -> bytes:  # noqa: ARG002
        self._controller.set_mode(body[0])
        return b""

    def _clear(self, body: bytes, now_ns: int) -> bytes:  # noqa: ARG002
        self._controller.clear()
        return b""

    def _write(self, body: bytes, now_ns: int) -> bytes:
        self._flange.write(body, now_ns)
        return b""

    def _enable(self, body: bytes, now_ns: int) -> bytes:
        self._controller.enable(bool(body[1]), now_ns)
        return b""

    def _clear_warning(self, body: bytes, now_ns: int) -> bytes:  # noqa: ARG002
        self._controller.warning = 0
        return b""

    def _sensitivity(self, body: bytes, now_ns: int) -> bytes:  # noqa: ARG002
        self._controller.collision_sensitivity = body[0]
        return b""

    def _servo(self, body: bytes, now_ns: int) -> bytes:
        self._controller.servo(struct.unpack_from("<7f", body)[: self._controller.joints], now_ns)
        return b""

    def _move(self, body: bytes, now_ns: int) -> bytes:
        *target, speed, _, _ = struct.unpack_from("<10f", body)
        self._controller.plan(tuple(target[: self._controller.joints]), speed, now_ns)
        return b""

    def _joints(self, body: bytes, now_ns: int) -> bytes:  # noqa: ARG002
        moved = self._controller.arm.joints()
        blocks = (moved.position_rad, moved.velocity_rad_s, moved.effort)[: body[0] if body else 1]
        return b"".join(struct.pack("<7f", *seven(block)) for block in blocks)


def seven(numbers: tuple[float, ...]) -> tuple[float, ...]:
    """As the wire has it: seven, whatever the arm has."""
    return (*numbers, *(0.0,) * 7)[:7]


def _name(controller: Controller) -> bytes:
    return f"{controller.joints},{controller.kind},XS1304,AC1304,{controller.firmware}".encode()
