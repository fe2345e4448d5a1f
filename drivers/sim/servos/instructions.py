"""What servos on one bus answer to one instruction packet: (pause before the packet in ns, the packet)."""

from collections.abc import Callable, Iterator

from dynamixel_sdk.protocol2_packet_handler import ERRNUM_INSTRUCTION, ERRNUM_RESULT_FAIL
from dynamixel_sdk.robotis_def import (
    INST_ACTION,
    INST_BULK_READ,
    INST_BULK_WRITE,
    INST_FACTORY_RESET,
    INST_FAST_SYNC_READ,
    INST_PING,
    INST_READ,
    INST_REBOOT,
    INST_REG_WRITE,
    INST_SYNC_READ,
    INST_SYNC_WRITE,
    INST_WRITE,
)

from drivers.sim.servos.faults import Faults
from drivers.sim.servos.packets import BROADCAST, Instruction, fast_status, status
from drivers.sim.servos.servo import Servo

Answer = tuple[int, bytes]
_DELAY_NS = 2_000
"""Unit of Return Delay Time."""
_HIGHEST_ID = 252
_GAP_BYTES = 11
"""A silent servo's slot in a sync read: its status packet's frame."""


def _word(data: bytes, at: int = 0) -> int:
    return int.from_bytes(data[at : at + 2], "little")


class Instructions:
    """Carries out instructions on the servos of one bus."""

    def __init__(
        self, servos: dict[int, Servo], faults: Faults, byte_ns: float, goal_written: Callable[[int, int], None]
    ) -> None:
        self._servos, self._faults, self._byte_ns, self._goal_written = servos, faults, byte_ns, goal_written
        self._single: dict[int, Callable[[Servo, bytes, int], tuple[int, bytes]]] = {
            INST_PING: lambda servo, _data, _now: (servo.alert, servo.read(0, 2)[1] + servo.read(6, 1)[1]),
            INST_READ: lambda servo, data, now: servo.read(_word(data), _word(data, 2), now),
            INST_WRITE: lambda servo, data, now: (self._write(servo, _word(data), data[2:], now), b""),
            INST_REG_WRITE: lambda servo, data, _now: (servo.register(_word(data), data[2:]), b""),
            INST_ACTION: self._action,
            INST_REBOOT: self._reboot,
            INST_FACTORY_RESET: lambda servo, _data, _now: (ERRNUM_RESULT_FAIL | servo.alert, b""),
        }
        self._group: dict[int, Callable[[bytes, int], list[Answer]]] = {
            INST_SYNC_READ: self._sync_read,
            INST_FAST_SYNC_READ: self._fast_sync_read,
            INST_BULK_READ: self._bulk_read,
            INST_SYNC_WRITE: self._sync_write,
            INST_BULK_WRITE: self._bulk_write,
        }

    def carry_out(self, instruction: Instruction, now_ns: int) -> list[Answer]:
        """Do it as of `now_ns`, when its last byte arrived; the answers in the order in which they go on the wire."""
        for servo in self._servos.values():
            servo.step(now_ns)
            servo.feed(now_ns)
        if instruction.code in self._group:
            return (
                self._group[instruction.code](instruction.parameters, now_ns)
                if instruction.servo_id == BROADCAST
                else []
            )
        if instruction.servo_id == BROADCAST:
            return self._broadcast(instruction, now_ns)
        return self._to_one(instruction, now_ns)

    def _to_one(self, instruction: Instruction, now_ns: int) -> list[Answer]:
        answers = []
        operation = self._single.get(instruction.code)
        for servo_id, servo in self._hearing(instruction.servo_id):
            shadow = servo_id != instruction.servo_id
            if operation is None:
                error, data = ERRNUM_INSTRUCTION | servo.alert, b""
            elif self._misses(servo_id, instruction, shadow):
                continue
            else:
                error, data = operation(servo, instruction.parameters, now_ns)
            if not shadow and self._answers(servo, instruction.code):
                answers.append(self._packet(servo, servo_id, error, data))
        return answers

    def _misses(self, servo_id: int, instruction: Instruction, shadow: bool) -> bool:
        """A shadow obeys, it does not answer for its primary; and noise may have hit the packet on its way."""
        if shadow and instruction.code in (INST_PING, INST_READ):
            return True
        return instruction.code == INST_WRITE and self._faults.spoils_write(servo_id)

    def _broadcast(self, instruction: Instruction, now_ns: int) -> list[Answer]:
        operation = self._single.get(instruction.code)
        if operation is None or instruction.code in (INST_READ, INST_FACTORY_RESET):
            return []
        done = [
            (servo_id, servo, operation(servo, instruction.parameters, now_ns)) for servo_id, servo in self._speaking()
        ]
        if instruction.code != INST_PING:
            return []
        return [self._packet(servo, servo_id, *result) for servo_id, servo, result in done]

    def _speaking(self) -> Iterator[tuple[int, Servo]]:
        for servo_id, servo in sorted(self._servos.items()):
            if not self._faults.is_silent(servo_id):
                yield servo_id, servo

    def _hearing(self, servo_id: int) -> Iterator[tuple[int, Servo]]:
        """The servo of that ID and its shadows (Secondary ID; 253 and above is none)."""
        for own, servo in self._speaking():
            if own == servo_id or (servo_id <= _HIGHEST_ID and servo.get("Secondary(Shadow) ID") == servo_id):
                yield own, servo

    @staticmethod
    def _answers(servo: Servo, code: int) -> bool:
        level = servo.get("Status Return Level")
        return code == INST_PING or level == 2 or (level == 1 and code == INST_READ)

    @staticmethod
    def _packet(servo: Servo, servo_id: int, error: int, data: bytes) -> Answer:
        return servo.get("Return Delay Time") * _DELAY_NS, status(servo_id, error, data)

    def _write(self, servo: Servo, address: int, data: bytes, now_ns: int) -> int:
        error = servo.write(address, data, now_ns)
        goal, size = servo.table.registers["Goal Position"]
        if not error & 0x7F and address <= goal and address + len(data) >= goal + size:
            self._goal_written(servo.get("ID"), servo.get("Goal Position"))
        return error

    @staticmethod
    def _action(servo: Servo, _data: bytes, now_ns: int) -> tuple[int, bytes]:
        servo.action(now_ns)
        return servo.alert, b""

    @staticmethod
    def _reboot(servo: Servo, _data: bytes, _now_ns: int) -> tuple[int, bytes]:
        servo.power_on()
        return 0, b""

    def _sync_read(self, data: bytes, now_ns: int) -> list[Answer]:
        return self._in_turn([(servo_id, _word(data), _word(data, 2)) for servo_id in data[4:]], now_ns)

    def _bulk_read(self, data: bytes, now_ns: int) -> list[Answer]:
        return self._in_turn(
            [(data[at], _word(data, at + 1), _word(data, at + 3)) for at in range(0, len(data) - 4, 5)], now_ns
        )

    def _in_turn(self, wanted: list[tuple[int, int, int]], now_ns: int) -> list[Answer]:
        answers: list[Answer] = []
        gap_ns = 0
        for servo_id, address, length in wanted:
            servo = self._servos.get(servo_id)
            if servo is None or self._faults.is_silent(servo_id):
                if self._faults.silence_breaks_chain:
                    break
                gap_ns += round((_GAP_BYTES + length) * self._byte_ns)
            elif servo.get("Status Return Level"):
                delay_ns, packet = self._packet(servo, servo_id, *servo.read(address, length, now_ns))
                answers.append((delay_ns + gap_ns, packet))
                gap_ns = 0
        return answers

    def _fast_sync_read(self, data: bytes, now_ns: int) -> list[Answer]:
        answers = []
        delay_ns = 0
        for servo_id in data[4:]:
            servo = self._servos.get(servo_id)
            if servo is None or self._faults.is_silent(servo_id):
                return []  # the one packet is never finished
            answers.append((servo_id, *servo.read(_word(data), _word(data, 2), now_ns)))
            delay_ns = max(delay_ns, servo.get("Return Delay Time") * _DELAY_NS)
        return [(delay_ns, fast_status(answers))] if answers else []

    def _sync_write(self, data: bytes, now_ns: int) -> list[Answer]:
        address, length = _word(data), _word(data, 2)
        hearing: dict[int, list[tuple[int, Servo]]] = {}
        for servo_id, servo in self._speaking():
            hearing.setdefault(servo_id, []).append((servo_id, servo))
            secondary = servo.get("Secondary(Shadow) ID")
            if secondary <= _HIGHEST_ID and secondary != servo_id:
                hearing.setdefault(secondary, []).append((servo_id, servo))
        for at in range(4, len(data) - length, length + 1):
            for servo_id, servo in hearing.get(data[at], ()):
                if not self._faults.spoils_write(servo_id):
                    self._write(servo, address, data[at + 1 : at + 1 + length], now_ns)
        return []

    def _bulk_write(self, data: bytes, now_ns: int) -> list[Answer]:
        at = 0
        while at + 5 <= len(data):
            length = _word(data, at + 3)
            for _, servo in self._hearing(data[at]):
                self._write(servo, _word(data, at + 1), data[at + 5 : at + 5 + length], now_ns)
            at += 5 + length
        return []
