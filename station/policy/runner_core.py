"""The policy runner's logic, pure: when to infer, which setpoint a tick gets, what to do when a backend is slow, wrong or gone.

    ready ──begin──► running ──end──► ready
                     running ──FAULTS_IN_A_ROW bad answers──► fault ──begin──► running

While a backend misbehaves the arms follow what is buffered; when that is used up the setpoint says hold. Nothing is asked
before the first chunk is there, so a pilot cannot be engaged on a policy that has not thought yet.
"""

from collections import deque
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_MS, NS_PER_S
from station.policy.chunks import ChunkBuffer
from station.policy.folder import Policy, chunk_ns

FAULTS_IN_A_ROW = 10
SHORTEST_HANG_NS = 2 * NS_PER_S
_WINDOW = 250
"""Answers behind a percentile: 5 s where every tick is inferred."""


class TickSetpoint(NamedTuple):
    """What the policy wants done at one tick."""

    tick: int
    t_ns: int
    goal: tuple[float, ...]
    """(D,); of a hold: the last one asked."""
    hold: bool
    why: str = ""
    """Of a hold."""


class Window:
    """The newest measurements, and their percentiles."""

    def __init__(self, size: int = _WINDOW) -> None:
        self._values: deque[int] = deque(maxlen=size)

    def add(self, value_ns: int) -> None:
        """One more."""
        self._values.append(value_ns)

    def percentile_ms(self, percent: float) -> float:
        """NaN while there is none."""
        return float(np.percentile(self._values, percent)) / NS_PER_MS if self._values else float("nan")


class RunnerCore:
    """One loaded policy."""

    def __init__(self, policy: Policy, tick_hz: float, backend: str = "") -> None:
        """`backend`: what it is called in reasons; "": by its name."""
        self.policy, self.backend = policy, backend or policy.backend
        self.phase: Literal["ready", "running", "fault"] = "ready"
        self.why = ""
        """The last thing that went wrong in this rollout."""
        self.troubled = False
        """Is something wrong just now: holding, or no chunk from the last observation?"""
        self.trouble = ""
        """What the backend says is wrong while its answer is awaited."""
        self.alone = True
        """False while somebody else commands: then only the newest chunk counts, so that a hand-back acts on what is
        seen and never on a plan from before.
        """
        self.rollout = 0
        """Counts `begin`: answers to an earlier one's observations are dropped."""
        self.hang_ns = max(SHORTEST_HANG_NS, 2 * chunk_ns(policy))
        """An answer this late means a hung backend: twice the time after which it could be of no use."""
        self.delay = Window()
        """From the observation's tick to when its chunk could be read, ns."""
        self.inference = Window()
        self.faults = self.missing = 0
        self._buffer = ChunkBuffer(
            policy.chunk, policy.action_dim, policy.rate_hz, policy.execution, policy.newest_dims,
            policy.action_offset_ticks, tick_hz,
        )  # fmt: skip
        self._asked_ns: int | None = None
        self._pause_ticks = 0
        """Before the next inference may begin."""
        self._faults_in_a_row = 0
        self._cause = ""
        """What went wrong since the last answer that was one."""
        self._last: tuple[float, ...] | None = None

    def begin(self) -> int:
        """A rollout begins with an empty buffer; returns its number."""
        self._buffer.clear()
        self.rollout += 1
        self.phase, self.why, self.troubled = "running", "", False
        self._cause = self.trouble = ""
        self.delay = Window()
        self.inference = Window()
        self.faults = self.missing = self._faults_in_a_row = self._pause_ticks = 0
        self._last = None
        return self.rollout

    def end(self) -> None:
        """Nothing is asked any more."""
        self.phase, self._last = "ready", None

    @property
    def asking(self) -> bool:
        """Has anything been asked in this rollout?"""
        return self._last is not None

    def tick(self, tick: int, t_ns: int) -> TickSetpoint | None:
        """The setpoint for a tick: the action for its own time, hold where the buffer has run out, None before the first."""
        self._pause_ticks = max(0, self._pause_ticks - 1)
        if self.phase == "ready":
            return None
        action = self._buffer.action(t_ns)
        if action is not None:
            self._last = tuple(action.values.tolist())
        if self._last is None:
            return None
        if action is None:
            self.troubled = True
            why = self.trouble or self._cause or self._unanswered(t_ns) or "its chunks come too late for this tick"
            self.why = self.why or why
            return TickSetpoint(tick, t_ns, self._last, True, why)
        return TickSetpoint(tick, t_ns, self._last, False)

    def _unanswered(self, now_ns: int) -> str:
        """A question that is open for much longer than answers took is no lateness."""
        if self._asked_ns is None:
            return ""
        age_ms = (now_ns - self._asked_ns) / NS_PER_MS
        usual_ms = self.inference.percentile_ms(95)
        if age_ms <= 2 * usual_ms:
            return ""
        return f"the backend {self.backend} has not answered for {age_ms / 1000:.2f} s"

    def may_infer(self) -> bool:
        """Is the backend free, worth asking, and its pause over?"""
        return self.phase == "running" and self._asked_ns is None and self._pause_ticks == 0

    def inferring(self, now_ns: int) -> None:
        """An observation was handed to the backend."""
        self._asked_ns = now_ns
        self._pause_ticks = self.policy.execution.every_ticks if self.policy.execution.every_ticks > 1 else 0

    def answered(
        self, rollout: int, t_obs_ns: int, actions: NDArray[np.float64], inference_ns: int, now_ns: int
    ) -> None:
        """The backend answered (chunk, D), already checked."""
        self._asked_ns = None
        if rollout != self.rollout or self.phase != "running":
            return
        self._faults_in_a_row, self.troubled, self._cause = 0, False, ""
        if self._buffer.add(t_obs_ns, actions, now_ns) and not self.alone:
            self._buffer.keep_newest()
        self.delay.add(now_ns - t_obs_ns)
        self.inference.add(inference_ns)

    def failed(self, rollout: int, why: str, now_ns: int | None = None) -> None:
        """The backend raised, or answered nonsense. Too often in a row, and it is asked no more. With the time, what was waited
        for longer than a chunk lasts counts as a delay: it is one.
        """
        asked_ns, self._asked_ns = self._asked_ns, None
        if rollout != self.rollout or self.phase != "running":
            return
        if now_ns is not None and asked_ns is not None and now_ns - asked_ns > chunk_ns(self.policy):
            self.delay.add(now_ns - asked_ns)
        self.faults += 1
        self._faults_in_a_row += 1
        self.why, self.troubled, self._cause = why, True, why
        if self._faults_in_a_row >= FAULTS_IN_A_ROW:
            self.phase = "fault"

    def unseen(self, rollout: int, why: str) -> None:
        """There was nothing to infer from: a picture is missing or too old. No fault of the backend's, which had no work: the next
        tick may do.
        """
        self._asked_ns, self._pause_ticks = None, 0
        if rollout == self.rollout and self.phase == "running":
            self.missing += 1
            self.why, self.troubled, self._cause = why, True, why

    @property
    def owes(self) -> bool:
        """Has the backend still to answer?"""
        return self._asked_ns is not None

    def overdue(self, now_ns: int) -> bool:
        """Is an answer so late that it may never come? A hung backend is noticed in twice this time."""
        return self._asked_ns is not None and now_ns - self._asked_ns > self.hang_ns // 2

    def hung(self, now_ns: int) -> bool:
        """Is an answer overdue beyond all use? Then the process must go: a thread cannot be ended."""
        return self._asked_ns is not None and now_ns - self._asked_ns > self.hang_ns

    def counts(self) -> dict[str, float]:
        """What has gone wrong since the rollout began."""
        return {
            "starved_ticks": float(self._buffer.starved), "dropped_chunks": float(self._buffer.dropped),
            "faults": float(self.faults), "missing_frames": float(self.missing),
        }  # fmt: skip

    def plan_ns(self, now_ns: int) -> int:
        """How far from now the newest chunk reaches, ns; 0 where none does, or nothing runs."""
        reaches_ns = self._buffer.reaches_ns() if self.phase == "running" else None
        return 0 if reaches_ns is None else max(0, reaches_ns - now_ns)

    def readings(self, now_ns: int | None = None) -> dict[str, float]:
        """For health: slow numbers, units in the names. With the time, an answer that is awaited counts as long as it has been."""
        delay_ms = self.delay.percentile_ms(95)
        if now_ns is not None and self._asked_ns is not None and self.phase == "running":
            awaited_ms = (now_ns - self._asked_ns) / NS_PER_MS
            delay_ms = max(delay_ms, awaited_ms) if delay_ms == delay_ms else awaited_ms
        values = {
            "delay_p95_ms": delay_ms,
            "inference_p95_ms": self.inference.percentile_ms(95),
        }
        return {name: float(value) for name, value in values.items() if value == value} | self.counts()
