"""That an arm follows the station: the library's process that has it do so, whether it runs, and why not any more."""

from collections.abc import Callable, Sequence

from station.clock import NS_PER_S, Clock
from station.devices.networked.vendor_library import Library

_FADES_NS = NS_PER_S
"""What still plays so long after ours was lost is ours, which its watchdog has yet to end."""


class Program:
    """One after the other, each with a library's process of its own: nothing that a lost one had queued is left."""

    def __init__(self, library: Callable[[], Library], ended: str, clock: Clock) -> None:
        """`library`: starts a process that is ready to send it. `ended`: why it no longer runs where nobody says more."""
        self._make, self._ended, self._clock = library, ended, clock
        self._library = library()
        self.lost = ""
        """Why it does not run any more, or did not start; "" where nobody asked for it, or it runs."""
        self._lost_ns: int | None = None

    @property
    def runs(self) -> bool:
        """Does the library say so?"""
        return self._library.state == "running"

    @property
    def starting(self) -> bool:
        """Is it being sent?"""
        return self._library.state == "starting"

    @property
    def ours(self) -> bool:
        """If a program plays, can it be this one?"""
        return self.runs or self.starting or (self._lost_ns is not None and self._clock() - self._lost_ns < _FADES_NS)

    def start(self, joints_rad: Sequence[float]) -> None:
        """Have it sent, following from there; what is being sent already goes on."""
        self.lost = ""
        if not self.starting:
            self._library.start(joints_rad)

    def follow(self, joints_rad: Sequence[float]) -> None:
        """The next goal."""
        self._library.follow(joints_rad)

    def look(self, stopped: bool) -> bool:
        """Say that the driver lives, hear how it is. `stopped`: the controller says that nothing plays. False once it is lost: another
        library's process is ready then.
        """
        was = self._library.state
        self._library.beat()
        now = self._library.hear()
        if now != "lost" and not (was == now == "running" and stopped):
            return True
        why = self._ended if now != "lost" else self._library.why
        if was != "idle":
            self.lost = why
        self.give_up(at_once=True)
        return False

    def give_up(self, at_once: bool) -> None:
        """It is followed no more. `at_once`: there is nobody to tell."""
        if self._library.state != "idle":
            self._lost_ns = self._clock()
        self._library.close(at_once)
        self._library = self._make()

    def forget(self) -> None:
        """An operator's act begins: why it was lost is of no interest any more."""
        self.give_up(at_once=not self.runs)
        self.lost = ""

    def close(self, at_once: bool) -> None:
        """The arm stops following and stays where it is."""
        self._library.close(at_once or not self.runs)

    @property
    def pid(self) -> int:
        """The library's process."""
        return self._library.pid
