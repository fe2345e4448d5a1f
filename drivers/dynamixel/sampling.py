"""One complete reading of the arm, or the knowledge of who is missing from it.

Shadow servos are not read at rate: they sit on their primary's shaft, so they say nothing new, and they would cost
0.5 ms of a 5 ms cycle; their current, temperature and errors come with the slow registers.
"""

from collections.abc import Mapping
from typing import NamedTuple

from drivers.dynamixel.budget import STATE_BYTES, read_bytes
from drivers.dynamixel.bus import ALERT, Answer, Answers, Bus
from drivers.dynamixel.control_table import CURRENT_OR_LOAD
from drivers.dynamixel.joints import RAD_PER_TICK, RawState, raw_state
from drivers.dynamixel.jumps import JumpFilter
from station.clock import NS_PER_MS, NS_PER_S

SILENT_AFTER = 3
"""Readings in a row without a servo until it is called silent, and only asked now and then."""
_PROBE_NS = NS_PER_S // 50
"""A wait for nothing costs the others most of a cycle. But whoever follows this arm gives up after `stale_ms` (100):
a bus that was away for three readings only must be back well before.
"""
_RETRY_SLACK_NS = NS_PER_MS


class Sample(NamedTuple):
    """What one cycle brought."""

    states: Mapping[int, RawState]
    """By servo ID; a servo that was silent, spoilt or impossible is missing."""
    sent_ns: int
    done_ns: int
    complete: bool


class Sampler:
    """Reads the joints once a cycle."""

    def __init__(self, bus: Bus, ids: tuple[int, ...], rate_hz: float, baud: int, fast: bool) -> None:
        self._bus, self._ids, self._fast = bus, ids, fast
        self._period_ns = NS_PER_S / rate_hz
        self._byte_ns = 10 * NS_PER_S / baud
        self._order = ids
        self._misses = dict.fromkeys(ids, 0)
        self._filters = {servo_id: JumpFilter() for servo_id in ids}
        self._probe_due_ns = 0
        self.alerts: set[int] = set()
        """Servos whose last packet said that they have a hardware error."""
        self.heard_ns = 0
        """When anybody last answered."""
        self.missing_samples = self.retries = self.jumps_rejected = 0

    @property
    def silent(self) -> tuple[int, ...]:
        """Servos that have not answered for three readings."""
        return tuple(servo_id for servo_id, misses in self._misses.items() if misses >= SILENT_AFTER)

    @property
    def jumps_accepted(self) -> int:
        """How often three agreeing readings ended the suspicion of a jump."""
        return sum(judge.accepted for judge in self._filters.values())

    def read(self, now_ns: int) -> Sample:
        """One cycle."""
        asked = self._asked(now_ns)
        if not asked:
            return Sample({}, now_ns, now_ns, False)
        first = self._ask(asked)
        answers, done_ns = dict(first.by_id), first.done_ns
        missing = [servo_id for servo_id in asked if servo_id not in answers and servo_id not in self.silent]
        if missing and self._fits(len(missing), done_ns - first.sent_ns):
            self.retries += 1
            again = self._bus.sync_read((*missing[1:], missing[0]), CURRENT_OR_LOAD, STATE_BYTES)
            answers.update(again.by_id)
            done_ns = again.done_ns
        return self._judge(asked, answers, first.sent_ns, done_ns)

    def _asked(self, now_ns: int) -> tuple[int, ...]:
        silent = self.silent
        if not silent:
            return self._order
        if now_ns < self._probe_due_ns:
            return tuple(servo_id for servo_id in self._order if servo_id not in silent)
        self._probe_due_ns = now_ns + _PROBE_NS
        return self._order

    def _ask(self, ids: tuple[int, ...]) -> Answers:
        if self._fast and not self.silent:
            return self._bus.fast_sync_read(ids, CURRENT_OR_LOAD, STATE_BYTES)
        return self._bus.sync_read(ids, CURRENT_OR_LOAD, STATE_BYTES)

    def _fits(self, servos: int, spent_ns: int) -> bool:
        return spent_ns + read_bytes(servos) * self._byte_ns + _RETRY_SLACK_NS <= self._period_ns

    def _judge(self, asked: tuple[int, ...], answers: dict[int, Answer], sent_ns: int, done_ns: int) -> Sample:
        states = {}
        absent = [servo_id for servo_id in self._order if servo_id not in answers]
        if absent:
            # who missed goes last, the first of them at the very end: servos may wait in vain for the one before them
            present = (servo_id for servo_id in self._order if servo_id in answers)
            self._order = (*present, *absent[1:], absent[0])
        for servo_id in asked:
            answer = answers.get(servo_id)
            if answer is None:
                self._misses[servo_id] += 1
                continue
            self._misses[servo_id] = 0
            self.heard_ns = done_ns
            (self.alerts.add if answer.error & ALERT else self.alerts.discard)(servo_id)
            state = raw_state(answer.data)
            if self._filters[servo_id].is_good(state.ticks * RAD_PER_TICK):
                states[servo_id] = state
            else:
                self.jumps_rejected += 1
        complete = len(states) == len(self._ids)
        self.missing_samples += not complete
        return Sample(states, sent_ns, done_ns, complete)
