"""A bus of emulated Dynamixel servos behind a pty: real bytes, at the speed a wire would carry them.

`link` is a symlink at which the driver finds the port, as udev would make it. Every byte takes 10 bits at the bus's
baud, requests and replies alike (half duplex); registers are latched when the last byte of the request has arrived, and
replies are handed over when their last byte would have. A host at another baud hears nothing, as on hardware.
"""

import contextlib
import os
import select
import termios
import threading
import tty
from collections import deque
from pathlib import Path
from typing import Self

from drivers.sim.servos.faults import Faults
from drivers.sim.servos.instructions import Instructions
from drivers.sim.servos.packets import Instruction, take
from drivers.sim.servos.servo import Plant, Servo, ServoSpec
from station.clock import NS_PER_S, Clock, monotonic_ns

__all__ = ["Plant", "ServoBus", "ServoSpec"]

_STEP_NS = 10_000_000
"""Servos advance at every instruction, and at least this often."""
_LOG = 20_000
_BROKEN_OFF_NS = 20_000_000
"""A packet that does not go on for this long is given up."""


class ServoBus:
    """One bus and the thread that runs it."""

    def __init__(
        self,
        link: Path,
        servos: list[ServoSpec],
        plant: Plant,
        clock: Clock = monotonic_ns,
        baud: int = 1_000_000,
        paced: bool = True,
    ) -> None:
        self.link, self._clock, self._paced = link, clock, paced
        self._byte_ns = 10 * NS_PER_S / baud if paced else 0.0
        self._speed = getattr(termios, f"B{baud}")
        self._servos = {spec.id: Servo(spec, plant, *_shaft(spec, servos)) for spec in servos}
        self.ids = tuple(self._servos)
        self.lock = threading.RLock()
        self.faults = Faults(self)
        self.goal_log: deque[tuple[int, int, int]] = deque(maxlen=_LOG)
        """(now_ns, servo_id, ticks) of every goal position that was accepted."""
        self._now_ns = 0
        self._instructions = Instructions(self._servos, self.faults, self._byte_ns, self._log_goal)
        self._master = self._slave = -1
        self._wake_read = self._wake_write = -1
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._forget_wire()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Make the port and begin to answer."""
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = False
        self.replug()
        self._thread = threading.Thread(target=self._run, name=f"servo bus {self.link.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take the port away and end the thread."""
        if self._thread is None:
            return
        self._stopping = True
        self._wake()
        self._thread.join()
        self._thread = None
        self.unplug()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def servo(self, servo_id: int) -> Servo:
        """One servo; hold `lock` around what you do with it."""
        return self._servos[servo_id]

    def register(self, servo_id: int, name: str) -> int:
        """A register by its vendor name."""
        with self.lock:
            return self._servos[servo_id].get(name)

    def set_register(self, servo_id: int, name: str, value: int) -> None:
        """Set a register past all rules, as if the servo had come like that."""
        with self.lock:
            self._servos[servo_id].put(name, value)

    def unplug(self) -> None:
        """The port goes away; use `faults.unplug`."""
        with self.lock:
            self.link.unlink(missing_ok=True)
            for descriptor in (self._slave, self._master):
                if descriptor >= 0:
                    os.close(descriptor)
            self._master = self._slave = -1
            self._forget_wire()
        if self._thread is not None:
            self._wake()

    def replug(self) -> None:
        """A new port behind the same link; use `faults.replug`."""
        with self.lock:
            if self._master >= 0:
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self.link.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.link.with_name(self.link.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(self._slave))
            fresh.replace(self.link)
        if self._thread is not None:
            self._wake()

    def _forget_wire(self) -> None:
        self._inbox = bytearray()
        self._requests: deque[tuple[int, Instruction]] = deque()
        self._replies: deque[tuple[int, bytes]] = deque()
        self._wire_free_ns = self._heard_ns = 0
        self._step_due_ns = 0

    def _log_goal(self, servo_id: int, ticks: int) -> None:
        self.goal_log.append((self._now_ns, servo_id, ticks))

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _run(self) -> None:
        while not self._stopping:
            with self.lock:
                ports = [self._wake_read] + ([self._master] if self._master >= 0 else [])
                wait_s = max(0, self._due_ns() - self._clock()) / NS_PER_S
            try:
                ready, _, _ = select.select(ports, [], [], wait_s)
            except (OSError, ValueError):
                continue  # the port was unplugged while we waited on it
            if self._wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 64)
            with self.lock:
                if self._master in ready:
                    self._receive()
                self._advance(self._clock())

    def _due_ns(self) -> int:
        due = self._step_due_ns
        if self._requests:
            due = min(due, self._requests[0][0])
        if self._replies:
            due = min(due, self._replies[0][0])
        return due

    def _receive(self) -> None:
        try:
            data = os.read(self._master, 4096)
        except (BlockingIOError, OSError):
            return
        if termios.tcgetattr(self._slave)[5] != self._speed:
            return
        now = self._clock()
        if now - self._heard_ns > _BROKEN_OFF_NS:
            self._inbox.clear()
        self._heard_ns = now
        self._inbox += data
        for instruction in take(self._inbox):
            self._wire_free_ns = max(now, self._wire_free_ns) + round(instruction.wire_bytes * self._byte_ns)
            self._requests.append((self._wire_free_ns, instruction))

    def _advance(self, now_ns: int) -> None:
        while self._requests and self._requests[0][0] <= now_ns:
            due_ns, instruction = self._requests.popleft()
            self._now_ns = now_ns
            answers = self._instructions.carry_out(instruction, due_ns)  # however late this thread comes to it
            self._step_due_ns = now_ns + _STEP_NS
            if answers:
                self._reply(due_ns, answers)
        while self._replies and self._replies[0][0] <= now_ns:
            _, data = self._replies.popleft()
            with contextlib.suppress(OSError):
                os.write(self._master, data)
        if now_ns >= self._step_due_ns:
            self._step_due_ns = now_ns + _STEP_NS
            for servo in self._servos.values():
                servo.step(now_ns)

    def _reply(self, due_ns: int, answers: list[tuple[int, bytes]]) -> None:
        whole = b""
        for pause_ns, packet in answers:
            whole += self.faults.hit(packet)
            due_ns += round(len(packet) * self._byte_ns) + (pause_ns if self._paced else 0)
        self._wire_free_ns = max(self._wire_free_ns, due_ns)
        self._replies.append((due_ns, whole))


def _shaft(spec: ServoSpec, servos: list[ServoSpec]) -> tuple[int, bool]:
    """The shaft a servo sits on, mirrored or not: shadows share their primary's, mirrored by Drive Mode."""
    primary = next((other for other in servos if other.id == spec.registers.get("Secondary(Shadow) ID", 255)), None)
    if primary is None:
        return spec.id, False
    return primary.id, (spec.registers.get("Drive Mode", 0) ^ primary.registers.get("Drive Mode", 0)) & 1 == 1
