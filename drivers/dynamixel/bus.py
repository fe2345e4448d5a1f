"""One bus of servos over the vendor's SDK: ping, read, write, sync read, sync write.

Every failure is a DeviceError or a gap. The SDK's GroupSyncRead stops at the first servo that is silent and loses those
behind it; here the SDK's packet layer is used directly and every reply is taken by its ID.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from dynamixel_sdk.protocol2_packet_handler import PKT_ERROR, PKT_ID, PKT_INSTRUCTION, PKT_PARAMETER0
from dynamixel_sdk.robotis_def import BROADCAST_ID, COMM_RX_CORRUPT, COMM_SUCCESS, INST_PING

from drivers.dynamixel.packets import Packets
from drivers.dynamixel.port import REPLY_SLACK_MS, PortGone, WaitingPort, usb_serial
from station.clock import Clock
from station.errors import DeviceError, DeviceMissing, DeviceSilent

_T = TypeVar("_T")

ALERT = 0x80
"""Set in a status packet's error while Hardware Error Status is not 0."""
SETUP_SLACK_MS = 20.0
"""Slack of reads and writes that must get through: at bring-up, when return delays are not yet ours, and for torque."""
_TRIES = 5
_SCAN_MS = 800.0
"""Servos answer a broadcast ping in the order of their IDs, 3 ms apart."""


class Answer(NamedTuple):
    """What one servo said."""

    error: int
    data: bytes


class Answers(NamedTuple):
    """What came back from a sync read."""

    by_id: dict[int, Answer]
    sent_ns: int
    done_ns: int


class Bus:
    """The servos behind one port."""

    def __init__(self, device: str, port: str, baud: int, clock: Clock) -> None:
        self.device, self.port = device, port
        self._clock = clock
        self._serial = WaitingPort(port, baud, clock)
        self._packets = Packets()
        self.bad_packets = 0
        self.last_sent_ns = 0
        """When anything was last said on the bus: every instruction feeds the servos' watchdogs."""

    def open(self) -> tuple[str, ...]:
        """Open the port; returns notes about it. No reply to what somebody else had asked is waiting in it."""
        notes = self._serial.open(self.device)
        self._call(self._serial.settle)
        return notes

    def close(self) -> None:
        """Let go of the port."""
        self._serial.close()

    @property
    def serial_number(self) -> str:
        """The USB adapter's."""
        return usb_serial(self.port)

    def ping(self, servo_id: int) -> int | None:
        """The model number, None if nobody answers (one try), or with what is no answer to a ping: it has three parameters (the SDK
        takes any status packet of that servo for it).
        """
        self._serial.slack_ms = SETUP_SLACK_MS
        packet, result, _ = self._call(lambda: self._packets.txRxPacket(self._serial, _ping(servo_id)))
        self._serial.slack_ms = REPLY_SLACK_MS
        return _pinged(packet) if result == COMM_SUCCESS else None

    def scan(self) -> dict[int, int]:
        """ID → model number of everybody who answers a broadcast ping; takes 0.8 s."""
        found: dict[int, int] = {}

        def listen() -> None:
            self._packets.txPacket(self._serial, _ping(BROADCAST_ID))
            self._serial.setPacketTimeoutMillis(_SCAN_MS)
            while not self._serial.isPacketTimeout():
                packet, result = self._packets.rxPacket(self._serial, False)
                if result == COMM_SUCCESS and (number := _pinged(packet)) is not None:
                    found[packet[PKT_ID]] = number

        self._call(listen)
        return found

    def read(self, servo_id: int, address: int, length: int) -> bytes:
        """One servo's registers, `length` bytes. Raises DeviceSilent if it does not answer in five tries."""
        for _ in range(_TRIES):
            answer = self.sync_read((servo_id,), address, length, SETUP_SLACK_MS).by_id.get(servo_id)
            if answer is not None:
                return answer.data
        raise DeviceSilent(
            self.device,
            self.port,
            f"servo {servo_id} to answer",
            "silence",
            "check the cable to that servo, and its power",
        )

    def read_all(self, ids: Sequence[int], address: int, length: int) -> dict[int, bytes]:
        """The same registers of all these servos, in one sync read; whose reply was lost is asked again, alone.

        Nobody is left out: DeviceSilent if one of them does not answer.
        """
        if not ids:
            return {}
        heard = self.sync_read(ids, address, length).by_id
        return {
            servo_id: heard[servo_id].data if servo_id in heard else self.read(servo_id, address, length)
            for servo_id in ids
        }

    def write(self, servo_id: int, address: int, data: bytes) -> int:
        """Write one servo's registers; returns its error number (0 = done; the alert bit is taken off): the e-manual's "Protocol 2.0",
        Status Packet. Raises DeviceSilent if it does not confirm in five tries.
        """
        self._serial.slack_ms = SETUP_SLACK_MS
        try:
            for _ in range(_TRIES):
                result, error = self._call(
                    lambda: self._packets.writeTxRx(self._serial, servo_id, address, len(data), list(data))
                )
                if result == COMM_SUCCESS:
                    return int(error) & ~ALERT
                self.bad_packets += result == COMM_RX_CORRUPT
        finally:
            self._serial.slack_ms = REPLY_SLACK_MS
        raise DeviceSilent(
            self.device, self.port, f"servo {servo_id} to confirm a write", "silence", "check the cable to that servo"
        )

    def reboot(self, servo_id: int) -> None:
        """Restart one servo: torque off, errors cleared."""
        self._call(lambda: self._packets.reboot(self._serial, servo_id))

    def sync_read(self, ids: Sequence[int], address: int, length: int, slack_ms: float | None = None) -> Answers:
        """Read the same registers of several servos; who is missing in the result did not answer, or not cleanly."""
        answers: dict[int, Answer] = {}
        self._serial.slack_ms = REPLY_SLACK_MS if slack_ms is None else slack_ms

        def exchange() -> None:
            self._packets.syncReadTx(self._serial, address, length, list(ids), len(ids), False)
            spoilt = 0
            while len(answers) + spoilt < len(ids):
                packet, result = self._packets.rxPacket(self._serial, False)
                if result == COMM_SUCCESS:
                    self._take(packet, ids, length, answers)
                    continue
                spoilt += result == COMM_RX_CORRUPT
                if self._serial.isPacketTimeout():
                    break
            self.bad_packets += spoilt

        self._call(exchange)
        self._serial.slack_ms = REPLY_SLACK_MS
        return Answers(answers, self._serial.sent_ns, self._clock())

    def fast_sync_read(self, ids: Sequence[int], address: int, length: int) -> Answers:
        """As `sync_read`, in the one packet of Fast Sync Read: all servos or none."""
        answers: dict[int, Answer] = {}

        def exchange() -> None:
            self._packets.syncReadTx(self._serial, address, length, list(ids), len(ids), True)
            packet, result = self._packets.rxPacket(self._serial, True)
            if result != COMM_SUCCESS:
                self.bad_packets += result == COMM_RX_CORRUPT
                return
            packet = self._packets.removeStuffing(packet)  # the SDK leaves it in
            if packet[5] | packet[6] << 8 != 3 + len(ids) * (length + 4) - 2:
                return
            for place, servo_id in enumerate(ids):
                at = PKT_ERROR + place * (length + 4)
                if packet[at + 1] != servo_id:
                    answers.clear()
                    return
                answers[servo_id] = Answer(packet[at], bytes(packet[at + 2 : at + 2 + length]))

        self._call(exchange)
        return Answers(answers, self._serial.sent_ns, self._clock())

    def sync_write(self, address: int, values: dict[int, bytes]) -> int:
        """Write the same registers of several servos, unconfirmed; returns when it left, ns."""
        length = len(next(iter(values.values())))
        parameters = [byte for servo_id, data in values.items() for byte in (servo_id, *data)]
        self._call(lambda: self._packets.syncWriteTxOnly(self._serial, address, length, parameters, len(parameters)))
        return self._serial.sent_ns

    @staticmethod
    def _take(packet: list[int], ids: Iterable[int], length: int, answers: dict[int, Answer]) -> None:
        body = packet[PKT_PARAMETER0 + 1 : PKT_PARAMETER0 + 1 + length]
        whole = packet[5] | packet[6] << 8
        if packet[PKT_ID] in ids and len(body) == length and whole == length + 4:
            answers[packet[PKT_ID]] = Answer(packet[PKT_ERROR], bytes(body))

    def _call(self, operation: Callable[[], _T]) -> _T:
        """Run an SDK operation; a port that went away becomes a DeviceError that says so."""
        self._serial.is_using = False
        try:
            return operation()
        except PortGone as error:
            raise self._gone(str(error)) from error
        finally:
            self.last_sent_ns = max(self.last_sent_ns, self._serial.sent_ns)

    def _gone(self, found: str) -> DeviceError:
        return DeviceMissing(
            self.device, self.port, "an open port", f"it went away ({found})",
            "support the arm if it can fall, put the USB cable back; reading goes on by itself",
        )  # fmt: skip


def _ping(servo_id: int) -> list[int]:
    """A request as the SDK takes it: it fills in header and checksum."""
    request = [0] * 10
    request[PKT_ID], request[5], request[PKT_INSTRUCTION] = servo_id, 3, INST_PING
    return request


def _pinged(packet: list[int]) -> int | None:
    """The model number in a status packet, None if it is none of a ping's: error, model (2 bytes), firmware (ROBOTIS e-manual)."""
    if packet[5] | packet[6] << 8 != 7:
        return None
    return int(packet[PKT_PARAMETER0 + 1] | packet[PKT_PARAMETER0 + 2] << 8)
