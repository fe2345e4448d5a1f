"""RTDE as a UR controller speaks it to one client: bytes in, bytes out. Pure.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide". Big endian; a packet is its whole size (u16), its type (u8), its
payload.
"""

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from drivers.sim.ur.controller import REGISTERS, ROBOT_MODE, SAFETY_MODE, Controller
from station.clock import NS_PER_S

PROTOCOL, URCONTROL, OUTPUTS, INPUTS, START, PAUSE, DATA = b"VvOISPU"
VERSION = (5, 11, 1, 108318)
MOST_HZ = 500.0
_HEAD = struct.Struct(">HB")
_PACKED = {
    "BOOL": "?", "UINT8": "B", "UINT32": "I", "UINT64": "Q", "INT32": "i", "DOUBLE": "d",
    "VECTOR3D": "3d", "VECTOR6D": "6d", "VECTOR6INT32": "6i", "VECTOR6UINT32": "6I",
}  # fmt: skip
_LIST_MOST = 2048
"""Bytes: a longer list of fields is no list."""

Value = int | float | bool | tuple[float, ...] | tuple[int, ...]
Field = tuple[str, Callable[[Controller, int], Value]]

_ZEROS6, _ZEROS3 = (0.0,) * 6, (0.0,) * 3


def _fields() -> dict[str, Field]:
    def same(kind: str, value: Value) -> Field:
        return kind, lambda _, __: value

    fields: dict[str, Field] = {
        "timestamp": ("DOUBLE", lambda c, now: c.clock_s(now)),
        "target_q": ("VECTOR6D", lambda c, _: c.target),
        "actual_q": ("VECTOR6D", lambda c, _: c.arm.joints().position_rad),
        "actual_qd": ("VECTOR6D", lambda c, _: c.arm.joints().velocity_rad_s),
        "actual_current": ("VECTOR6D", lambda c, _: c.arm.joints().effort),
        "robot_mode": ("INT32", lambda c, _: ROBOT_MODE[c.power]),
        "safety_mode": ("INT32", lambda c, _: SAFETY_MODE[c.safety]),
        "safety_status": ("INT32", lambda c, _: SAFETY_MODE[c.safety]),
        "robot_status_bits": ("UINT32", lambda c, _: c.robot_status_bits),
        "safety_status_bits": ("UINT32", lambda c, _: c.safety_status_bits),
        "runtime_state": ("UINT32", lambda c, _: 2 if c.playing else 1),
        "speed_scaling": ("DOUBLE", lambda c, _: c.scaling),
        "target_speed_fraction": ("DOUBLE", lambda c, _: c.slider),
        "joint_temperatures": ("VECTOR6D", lambda c, _: (c.temperature_c,) * 6),
        "joint_mode": ("VECTOR6INT32", lambda c, _: (253 if c.power == "running" else 239,) * 6),
        "payload": ("DOUBLE", lambda c, _: c.payload_kg),
        "payload_cog": ("VECTOR3D", lambda c, _: c.payload_cog_m),
    }
    for name in ("target_qd", "target_qdd", "target_current", "target_moment", "joint_control_output", "actual_TCP_pose",
                 "actual_TCP_speed", "actual_TCP_force", "target_TCP_pose", "target_TCP_speed", "payload_inertia",
                 "ft_raw_wrench"):  # fmt: skip
        fields[name] = same("VECTOR6D", _ZEROS6)
    fields["actual_joint_voltage"] = same("VECTOR6D", (48.0,) * 6)
    fields["actual_tool_accelerometer"] = same("VECTOR3D", _ZEROS3)
    for name in ("actual_digital_input_bits", "actual_digital_output_bits"):
        fields[name] = same("UINT64", 0)
    for name in ("actual_execution_time", "actual_momentum", "actual_robot_current", "standard_analog_input0", "standard_analog_input1",
                 "standard_analog_output0", "standard_analog_output1"):  # fmt: skip
        fields[name] = same("DOUBLE", 0.0)
    for name in ("actual_main_voltage", "actual_robot_voltage"):
        fields[name] = same("DOUBLE", 48.0)
    for n in range(REGISTERS):
        fields[f"output_int_register_{n}"] = "INT32", partial(_int_register, n)
        fields[f"output_double_register_{n}"] = "DOUBLE", partial(_double_register, n)
    return fields


def _int_register(number: int, controller: Controller, _: int) -> int:
    return controller.out_ints[number]


def _double_register(number: int, controller: Controller, _: int) -> float:
    return controller.out_doubles[number]


OUT = _fields()
IN: dict[str, str] = {
    "speed_slider_mask": "UINT32", "speed_slider_fraction": "DOUBLE", "standard_digital_output_mask": "UINT8",
    "standard_digital_output": "UINT8", "configurable_digital_output_mask": "UINT8", "configurable_digital_output": "UINT8",
    "tool_digital_output_mask": "UINT8", "tool_digital_output": "UINT8", "standard_analog_output_mask": "UINT8",
    "standard_analog_output_type": "UINT8", "standard_analog_output_0": "DOUBLE", "standard_analog_output_1": "DOUBLE",
    "external_force_torque": "VECTOR6D",
    **{f"input_int_register_{n}": "INT32" for n in range(REGISTERS)},
    **{f"input_double_register_{n}": "DOUBLE" for n in range(REGISTERS)},
    **{f"input_bit_register_{n}": "BOOL" for n in range(128)},
}  # fmt: skip


class Session:
    """One client of the RTDE port."""

    def __init__(self, controller: Controller, taken: set[str], now_ns: int) -> None:
        """`taken`: the input registers that clients or field buses have, kept up to date by all sessions."""
        self._controller, self._taken = controller, taken
        self._mine: set[str] = set()
        self._left = b""
        self._outputs: tuple[struct.Struct, tuple[Callable[[Controller, int], Value], ...]] | None = None
        self._recipes: list[tuple[struct.Struct, tuple[tuple[str, int], ...]]] = []
        self._period_ns, self._due_ns = round(NS_PER_S / MOST_HZ), now_ns
        self.started = False

    def close(self) -> None:
        """The client is gone: its registers are free again."""
        self._taken -= self._mine

    def hear(self, got: bytes, now_ns: int) -> bytes:
        """What it sent, and what it is answered. Raises ValueError for what is no packet: it is hung up on."""
        self._left += got
        answers = []
        while len(self._left) >= _HEAD.size:
            size, kind = _HEAD.unpack_from(self._left)
            if size < _HEAD.size:
                raise ValueError(f"a packet of {size} bytes")
            if len(self._left) < size:
                break
            body, self._left = self._left[_HEAD.size : size], self._left[size:]
            answers.append(self._packet(kind, body, now_ns))
        return b"".join(answers)

    def _packet(self, kind: int, body: bytes, now_ns: int) -> bytes:
        if kind == PROTOCOL:
            return packet(kind, b"\x01" if body == b"\x00\x02" else b"\x00")
        if kind == URCONTROL:
            return packet(kind, struct.pack(">4I", *VERSION))
        if kind == OUTPUTS:
            return self._set_outputs(body)
        if kind == INPUTS:
            return self._add_inputs(body)
        if kind in (START, PAUSE):
            self.started, self._due_ns = kind == START and self._outputs is not None, now_ns
            return packet(kind, b"\x01")
        if kind == DATA:
            self._write(body, now_ns)
        return b""

    def _set_outputs(self, body: bytes) -> bytes:
        (rate_hz,) = struct.unpack_from(">d", body)
        self._period_ns = round(NS_PER_S / min(MOST_HZ, max(1.0, rate_hz)))
        found = [(name, OUT.get(name)) for name in _names(body[8:])]
        if all(field is not None for _, field in found) and len(body) <= _LIST_MOST:
            fields = [field for _, field in found if field is not None]
            layout = struct.Struct(">B" + "".join(_PACKED[kind] for kind, _ in fields))
            self._outputs = layout, tuple(value for _, value in fields)
        return packet(OUTPUTS, b"\x01" + ",".join(field[0] if field else "NOT_FOUND" for _, field in found).encode())

    def _add_inputs(self, body: bytes) -> bytes:
        names = _names(body)
        kinds = [
            "NOT_FOUND" if name not in IN else "IN_USE" if name in self._taken - self._mine else IN[name]
            for name in names
        ]
        if not {"NOT_FOUND", "IN_USE"} & set(kinds):
            self._mine |= set(names)
            self._taken |= self._mine
            layout = struct.Struct(">" + "".join(_PACKED[kind] for kind in kinds))
            counts = tuple((name, struct.Struct(">" + _PACKED[kind]).unpack(bytes(struct.calcsize(">" + _PACKED[kind]))))
                           for name, kind in zip(names, kinds, strict=True))  # fmt: skip
            self._recipes.append((layout, tuple((name, len(zero)) for name, zero in counts)))
            return packet(INPUTS, bytes((len(self._recipes),)) + ",".join(kinds).encode())
        return packet(INPUTS, b"\x00" + ",".join(kinds).encode())

    def _write(self, body: bytes, now_ns: int) -> None:
        if not body or not 1 <= body[0] <= len(self._recipes):
            raise ValueError("inputs of no recipe")
        layout, names = self._recipes[body[0] - 1]
        values: list[Any] = list(layout.unpack(body[1:]))
        for name, count in names:
            value = values.pop(0)
            del values[: count - 1]
            register, _, number = name.rpartition("_")
            if register == "input_int_register":
                self._controller.ints[int(number)] = value
            elif register == "input_double_register":
                self._controller.doubles[int(number)] = value
            elif name == "speed_slider_fraction":
                self._controller.slider = value
        self._controller.written(now_ns)

    def due(self, now_ns: int) -> bytes:
        """The outputs, if it is time for them."""
        if not self.started or self._outputs is None or now_ns < self._due_ns:
            return b""
        self._due_ns += self._period_ns * (1 + (now_ns - self._due_ns) // self._period_ns)
        layout, values = self._outputs
        flat: list[Any] = [1]
        for value in values:
            found = value(self._controller, now_ns)
            if isinstance(found, tuple):
                flat.extend(found)
            else:
                flat.append(found)
        return packet(DATA, layout.pack(*flat))


def packet(kind: int, body: bytes) -> bytes:
    """A packet of that type."""
    return _HEAD.pack(_HEAD.size + len(body), kind) + body


def _names(body: bytes) -> list[str]:
    return [name for name in body.decode("ascii", "replace").split(",") if name]
