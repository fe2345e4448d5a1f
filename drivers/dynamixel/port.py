"""The serial port: the SDK's PortHandler, waiting in the kernel instead of spinning, its time-outs from our budget."""

import contextlib
import errno
import os
import select
import time
from pathlib import Path

import serial
from dynamixel_sdk.port_handler import PortHandler

from station.clock import Clock
from station.errors import DeviceBusy, DeviceError, DeviceForbidden, DeviceMissing
from station.rig import usb

REPLY_SLACK_MS = 4.0
"""Over the wire's own time: USB's 1 ms frames, the scheduler, the servos' turn-around."""

TTY = Path("/sys/class/tty")
_AT_ONCE = 4096
_QUIET_MS, _SETTLES_MS = 20.0, 200.0
"""A reply is on its way for as long as USB's latency timer (16 ms where nobody set it) and a servo's turn-around; whoever goes on speaking
for longer than the second is another program, which the first answers tell."""


class PortGone(OSError):
    """The port went away while in use."""


class WaitingPort(PortHandler):  # type: ignore[misc]
    """One serial port. The SDK calls its methods; names and units (ms) are the SDK's."""

    def __init__(self, port: str, baud: int, clock: Clock) -> None:
        super().__init__(port)
        self._fd = -1
        self.baudrate = baud
        self.slack_ms = REPLY_SLACK_MS
        self.sent_ns = 0
        """When the last packet was given to the kernel."""
        self._clock = clock
        self._deadline_ms = 0.0
        self._arrived = b""
        """Read from the kernel and not yet asked for: the SDK takes a reply in two pieces, and one kernel call brings
        the replies of all servos."""

    def open(self, device: str) -> tuple[str, ...]:
        """Open exclusively; returns what an operator should know about the port."""
        try:
            self.ser = serial.Serial(self.port_name, self.baudrate, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise opening_error(device, self.port_name, self.baudrate, error) from error
        self._fd = self.ser.fd if self.ser.fd is not None else -1
        self.is_open = True
        self.is_using = False
        self.tx_time_per_byte = 10_000.0 / self.baudrate
        return self._hasten()

    def close(self) -> None:
        """Let go; may be called twice."""
        if self.is_open:
            self.is_open, self._fd = False, -1
            with contextlib.suppress(OSError, serial.SerialException):
                self.ser.close()

    def settle(self) -> None:
        """Wait for what was asked for by whoever had the port before, and died over it: those replies are nobody's, and are not taken for
        ours. Returns once nothing has come for `_QUIET_MS`, or after `_SETTLES_MS`. Raises PortGone.
        """
        end_ms = self.getCurrentTime() + _SETTLES_MS
        while self.getCurrentTime() < end_ms:
            self.setPacketTimeoutMillis(_QUIET_MS)
            if not self._next_bytes():
                return

    def _hasten(self) -> tuple[str, ...]:
        notes = []
        try:
            self.ser.set_low_latency_mode(True)
        except (OSError, ValueError):
            notes.append(f"{self.port_name} has no low-latency mode")
        timer = Path("/sys/class/tty", Path(self.port_name).resolve().name, "device/latency_timer")
        with contextlib.suppress(OSError, ValueError):
            wait_ms = int(timer.read_text())
            if wait_ms > 1:
                notes.append(
                    f"latency timer of {self.port_name} is {wait_ms} ms, 1 is needed: `station udev` prints the rules"
                )
        return tuple(notes)

    def clearPort(self) -> None:  # noqa: N802
        """Forget what arrived late. Raises PortGone."""
        try:
            self._arrived = b""
            self.ser.reset_input_buffer()
        except Exception as error:  # termios.error is no OSError
            raise PortGone(str(error)) from error

    def readPort(self, length: int) -> bytes:  # noqa: N802
        """Up to `length` bytes; waits for the first until the packet's deadline.

        The SDK asks for less than none when noise has made a packet's length shorter than what it holds already.
        """
        if length <= 0:
            return b""
        if not self._arrived:
            self._arrived = self._next_bytes()
        data, self._arrived = self._arrived[:length], self._arrived[length:]
        return data

    def _next_bytes(self) -> bytes:
        """All that the kernel has, waited for until the packet's deadline; none after it."""
        wait_s = max(0.0, self._deadline_ms - self.getCurrentTime()) / 1000.0
        try:
            ready, _, _ = select.select([self._fd], [], [], wait_s)
            if not ready:
                return b""
            data = os.read(self._fd, _AT_ONCE)
        except (OSError, ValueError, TypeError) as error:
            raise PortGone(str(error)) from error
        if not data:
            raise PortGone("the port hung up")
        return data

    def writePort(self, packet: list[int]) -> int:  # noqa: N802
        """Send a packet; returns how many bytes of it left. Raises PortGone."""
        self.sent_ns = self._clock()
        try:
            return os.write(self._fd, bytes(packet))
        except (OSError, TypeError) as error:
            raise PortGone(str(error)) from error

    def setPacketTimeout(self, packet_length: int) -> None:  # noqa: N802
        """The deadline of the replies to come, whose bytes are counted here (requests go out just before)."""
        self.setPacketTimeoutMillis(self.tx_time_per_byte * (packet_length + 24) + self.slack_ms)

    def setPacketTimeoutMillis(self, msec: float) -> None:  # noqa: N802
        """The deadline in ms from now."""
        self._deadline_ms = self.getCurrentTime() + msec

    def isPacketTimeout(self) -> bool:  # noqa: N802
        """Has the deadline passed."""
        return self.getCurrentTime() >= self._deadline_ms

    def getCurrentTime(self) -> float:  # noqa: N802
        """Monotonic ms."""
        return time.monotonic() * 1000.0


def opening_error(device: str, port: str, baud: int, error: Exception) -> DeviceError:
    """What an operator is told when the port does not open."""
    number = getattr(error, "errno", None)
    expected = f"a serial port at {baud} baud"
    if number in (errno.EACCES, errno.EPERM):
        do = "sudo usermod -aG dialout $USER, then log out and in again"
        return DeviceForbidden(device, port, "leave to open it", "permission denied", do)
    if number in (errno.EBUSY, errno.EAGAIN):
        owner = holder(port)
        found = f"process {owner[0]} ({owner[1]}) has it open" if owner else "another process has it open"
        return DeviceBusy(device, port, "the port for ourselves", found, "close that program, then try again")
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.ENOTDIR) or not os.path.exists(port):
        do = (
            "check the USB cable and the arm's power; `station find` lists what is plugged in, `station udev` the rules"
        )
        return DeviceMissing(device, port, expected, "no such device", do)
    return DeviceMissing(device, port, expected, str(error), "check that the port is a serial port")


def holder(port: str) -> tuple[int, str] | None:
    """(pid, name) of the process that holds the lock on a port, where /proc lets us read it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        inode = os.stat(port).st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
                return int(fields[4]), Path(f"/proc/{fields[4]}/comm").read_text().strip()
    return None


def usb_serial(port: str) -> str:
    """What the USB adapter behind a port is called: its serial number, with its socket if it has a twin; "" where it has none."""
    behind = usb_of(port)
    return behind.identity if behind else ""


def usb_of(port: str) -> usb.Usb | None:
    """The USB adapter behind a port; None where there is none."""
    return usb.behind(TTY / Path(port).resolve().name, TTY.iterdir() if TTY.is_dir() else ())
