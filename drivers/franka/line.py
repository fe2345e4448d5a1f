"""The driver's end of the process that has the robot (`vendor_process`): one for readings, goals and acts, for an FR3 serves one client."""

import socket
import struct
from collections.abc import Sequence

from drivers.franka.settings import FrankaSettings
from drivers.franka.states import JOINTS, Note, State, Told, runs_true
from station.clock import NS_PER_S, Clock
from station.devices.networked.beside import Asked
from station.devices.networked.reader import Broken, Reader
from station.devices.networked.vendor_library import Library

CONNECTS_NS = 4 * NS_PER_S
"""A process that starts, imports the library and connects takes half a second; on a computer that does much else, more."""
_COMPARED_NS = NS_PER_S // 4
_BUFFER_BYTES, _WAIT_S = 1 << 20, 0.05


class OneProcess(Library):
    """It stays when the arm stops following: readings come from it."""

    ends_s = 0.6
    """The tracker lets go of the arm in 0.2 s; then the arm has to come to rest."""

    def close(self, at_once: bool = False) -> None:
        """The arm stops following and stays where it is. `end` ends the process."""
        del at_once
        self.rest()

    def end(self, at_once: bool) -> None:
        """No more of it. `at_once`: with a link that is broken there is nobody to tell."""
        super().close(at_once)


class Line:
    """The process, and what it tells."""

    def __init__(self, settings: FrankaSettings, clock: Clock) -> None:
        """Raises Broken where the address has no robot that can be commanded."""
        self._clock, self.told = clock, Told()
        self._asked: dict[int, Asked] = {}
        self._number = 0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self._ours = ours
        self.reader: Reader[State] = Reader(ours, self.told.take, "states", clock)
        self.process = OneProcess(
            "drivers.franka.vendor_process", JOINTS, arguments(settings, theirs.fileno()), (theirs.fileno(),)
        )
        theirs.close()
        self.first: list[State] = []
        """What has come by now, from the first on."""

    def connect(self) -> None:
        """Wait until it is, and until it is known whether the robot's clock is one. Raises Broken with what the library says."""
        until_ns = self._clock() + CONNECTS_NS
        while not self.first or self.first[-1].arrived_ns - self.first[0].arrived_ns < _COMPARED_NS:
            self.first += self.reader.take(_WAIT_S)
            if self.reader.broken:
                raise Broken(self.reader.broken)
            if self._clock() > until_ns:
                raise Broken("no reading in 4 s")
        self.told.clocked = runs_true(self.first)

    @property
    def note(self) -> Note:
        """What the process found."""
        return self.told.note or Note()

    def ask(self, what: str) -> Asked:
        """Have it done; `hear` looks for the answer."""
        self._number += 1
        asked = self._asked[self._number] = Asked()
        try:
            self._ours.send(struct.pack("<I", self._number) + what.encode())
        except OSError as error:
            asked.why = str(error)
        return asked

    def hear(self) -> None:
        """What was answered by now."""
        for number in [number for number in self._asked if number in self.told.answers]:
            self._asked.pop(number).why = self.told.answers.pop(number)

    def end(self, at_once: bool) -> None:
        """No more of it; the reader is closed by whoever reads."""
        self.process.end(at_once)


def arguments(settings: FrankaSettings, states: int) -> Sequence[object]:
    """Of the process; `states`: the descriptor it tells readings on."""
    s = settings
    gains = (*s.impedance.stiffness_nm_rad, *s.impedance.damping_nm_s_rad)
    return (states, s.address, s.rate_hz, *gains, *s.collision.torque_nm, *s.collision.force_n)
