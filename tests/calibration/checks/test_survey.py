"""Listening to a rig: what was captured in time counts, however late somebody gets round to it."""

from collections import deque
from types import SimpleNamespace
from typing import cast

from calibration.checks.survey import Listener
from station.bus.messages import ArmState, Header
from station.bus.wire import Sample
from station.client import Station

MS = 1_000_000


class Busy:
    """A computer so busy that each message takes 30 ms to take in, where one comes every 10 ms."""

    def __init__(self, messages: int) -> None:
        self.now_ns = 0
        self.waiting = deque(range(messages))

    def clock(self) -> int:
        return self.now_ns

    def receive(self, timeout_ms: int = 0) -> Sample | None:
        self.now_ns += 30 * MS
        if not self.waiting or self.waiting[0] * 10 * MS > self.now_ns:
            return None
        number = self.waiting.popleft()
        state = ArmState((0.01 * number,), (0.0,), (0.0,), None, None, False)
        return Sample("arm_state", "leader_left", Header(1, 1, number, number * 10 * MS, number * 10 * MS), state, ())

    def close(self) -> None:
        """Nothing is held."""


def test_readings_that_wait_in_the_sockets_are_taken_in_too() -> None:
    """A joint turned for three seconds was told as turned for a third of it, and refused."""
    computer = Busy(301)
    rig = SimpleNamespace(devices=(SimpleNamespace(node="leader_left", role="leader"),), cameras=())
    station = SimpleNamespace(rig=rig, subscribe=lambda _topics: computer)
    listener = Listener(cast(Station, station))
    listener.listen(3000 * MS, computer.clock)
    assert listener.seen.arms["leader_left"].at_ns[-1] == 3000 * MS
    listener.close()
