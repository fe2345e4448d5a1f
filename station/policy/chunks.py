"""Chunks of actions, indexed by time: what a policy predicted, read at the ticks it is for.

Row i of a chunk belongs to t_obs + offset + i / rate, counted from the *observation's* tick. So an answer that comes
late loses the rows whose time has passed and shifts nothing, and a tick that comes late reads the row of its own
time.

Overlapping chunks become one action by one of three modes:

    ensemble   ACT's temporal ensembling (Zhao et al. 2023, §IV-A): over the chunks that cover t,
                   a(t) = Σ w_i·a_i(t) / Σ w_i,   w_i = exp(−k·i),   i = 0 the OLDEST.
               k > 0 favours old predictions, 0 is their mean, k < 0 favours new ones. A prediction that is exactly 0
               counts like any other (ACT's own code drops it, because it tells unfilled rows by being 0).
    receding   one chunk is followed for `steps` rows, then the newest takes over; while there is none newer it goes on.
    newest     the newest chunk that covers t.

Between rows actions are interpolated linearly; the last row holds for its period. `newest_dims` (grippers) take the
newest chunk's row as it stands: neither averaged nor interpolated.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_S
from station.policy.folder import Execution

_SAME_ROW = 1e-4
"""Grid times are rounded to ns: this much of a row's period off is on the row (2 µs at 50 Hz)."""


class Action(NamedTuple):
    """What is to be done at one tick."""

    values: NDArray[np.float64]
    """(D,)"""
    chunks: int
    """How many chunks it was made of."""
    t_obs_ns: int
    """The newest observation behind it."""


class ChunkBuffer:
    """Chunks in order of their observations, in storage that is allocated once.

    It has room for one chunk per tick for as long as a chunk lasts; should more come, the oldest give way.
    """

    def __init__(
        self, chunk: int, dims: int, rate_hz: float, execution: Execution, newest_dims: Sequence[int] = (),
        action_offset_ticks: int = 0, tick_hz: float = 50.0,
    ) -> None:  # fmt: skip
        self.chunk, self.dims, self.execution = chunk, dims, execution
        self.starved = 0
        """Ticks for which there was no row any more, since `clear`."""
        self.dropped = 0
        """Chunks that came when all their rows had passed, or out of order."""
        self._newest_dims = np.array(newest_dims, dtype=np.intp)
        self._rows_per_ns = rate_hz / NS_PER_S
        self._offset_ns = round(action_offset_ticks * NS_PER_S / tick_hz)
        self._capacity = math.ceil(chunk * tick_hz / rate_hz) + max(0, action_offset_ticks) + 1
        self._rows = np.zeros((self._capacity * chunk, dims))
        self._starts = np.zeros(self._capacity)  # in rows since the first chunk's start: exact to 1e-9 over a day
        self._observed_ns = [0] * self._capacity
        self._slots = np.arange(2 * self._capacity, dtype=np.intp) % self._capacity
        k = execution.k or 0.0
        decay = np.exp(-abs(k) * np.arange(self._capacity))
        self._weights, self._oldest_heaviest = decay, k >= 0
        self._sums = np.cumsum(decay)
        self.clear()

    def clear(self) -> None:
        """Forget every chunk: another rollout begins. Counts start again."""
        self._epoch_ns: int | None = None
        self._oldest = self._end = 0  # chunks held are numbers [oldest, end); number n lies in slot n mod capacity
        self._followed, self._follow_until = -1, 0.0
        self._served = False
        self.starved = self.dropped = 0

    def add(self, t_obs_ns: int, actions: NDArray[np.floating], now_ns: int) -> bool:
        """Take a chunk, (chunk, D), inferred from the observation of `t_obs_ns`. False if it is of no use any more. Raises ValueError for
        another shape.
        """
        if actions.shape != (self.chunk, self.dims):
            raise ValueError(f"a chunk is {(self.chunk, self.dims)}, not {actions.shape}")
        older = self._end > self._oldest and t_obs_ns <= self._observed_ns[(self._end - 1) % self._capacity]
        start_ns = t_obs_ns + self._offset_ns
        if older or (now_ns - start_ns) * self._rows_per_ns >= self.chunk:
            self.dropped += 1
            return False
        if self._epoch_ns is None:
            self._epoch_ns = start_ns
        slot = self._end % self._capacity
        self._starts[slot] = self._rows_since_epoch(start_ns)
        self._observed_ns[slot] = t_obs_ns
        self._rows[slot * self.chunk : (slot + 1) * self.chunk] = actions
        self._end += 1
        self._oldest = max(self._oldest, self._end - self._capacity)
        return True

    def keep_newest(self) -> None:
        """Forget every chunk but the newest one."""
        self._oldest = max(self._oldest, self._end - 1)

    def reaches_ns(self) -> int | None:
        """When the newest chunk's last row is over; None where there is no chunk."""
        if self._end == self._oldest:
            return None
        start_ns = self._observed_ns[(self._end - 1) % self._capacity] + self._offset_ns
        return start_ns + round(self.chunk / self._rows_per_ns)

    def action(self, t_ns: int) -> Action | None:
        """The action for the tick at `t_ns`, or None where no chunk covers it. Ticks must not go back in time."""
        now = self._rows_since_epoch(t_ns)
        while self._oldest < self._end and self._row(self._oldest, now) >= self.chunk:
            self._oldest += 1
        newest = self._end - 1
        while newest >= self._oldest and self._row(newest, now) < 0:
            newest -= 1
        if newest < self._oldest:
            self.starved += self._served
            return None
        self._served = True
        t_obs_ns = self._observed_ns[newest % self._capacity]
        if self.execution.mode == "ensemble":
            return Action(self._ensemble(newest, now), newest - self._oldest + 1, t_obs_ns)
        follow = newest if self.execution.mode == "newest" else self._receding(newest, now)
        values = self._interpolated(follow, now)
        if self._newest_dims.size:
            row = newest % self._capacity * self.chunk + int(self._row(newest, now))
            values[self._newest_dims] = self._rows[row, self._newest_dims]
        return Action(values, 1, t_obs_ns)

    def _rows_since_epoch(self, t_ns: int) -> float:
        return (t_ns - (self._epoch_ns or 0)) * self._rows_per_ns

    def _row(self, number: int, now: float) -> float:
        """Where in chunk `number` the time `now` lies, in rows; on a row exactly if it is as good as there."""
        row = now - float(self._starts[number % self._capacity])
        nearest = round(row)
        return nearest if abs(row - nearest) < _SAME_ROW else row

    def _ensemble(self, newest: int, now: float) -> NDArray[np.float64]:
        first, count = self._oldest % self._capacity, newest - self._oldest + 1
        slots = self._slots[first : first + count]
        exact = now - self._starts.take(slots)
        below = (exact + _SAME_ROW).astype(np.intp)  # all are at or above 0: a cast is a floor
        between = exact - below
        index = slots * self.chunk + below
        rows = self._rows.take(index, axis=0)
        if between[between.argmax()] > _SAME_ROW:
            between[between < _SAME_ROW] = 0.0
            following = self._rows.take(index + (below < self.chunk - 1), axis=0)
            rows += (following - rows) * between[:, None]
        weights = self._weights[:count] if self._oldest_heaviest else self._weights[count - 1 :: -1]
        values: NDArray[np.float64] = weights @ rows
        values /= self._sums[count - 1]
        if self._newest_dims.size:
            values[self._newest_dims] = self._rows[index[-1], self._newest_dims]
        return values

    def _receding(self, newest: int, now: float) -> int:
        """The chunk to follow: the same for `steps` rows, longer only while there is none newer."""
        done = self._followed < self._oldest or self._row(self._followed, now) >= self._follow_until
        if done and newest != self._followed:
            self._followed = newest
            self._follow_until = self._row(newest, now) + (self.execution.steps or 1) - _SAME_ROW
        return self._followed

    def _interpolated(self, number: int, now: float) -> NDArray[np.float64]:
        row = self._row(number, now)
        below = int(row)
        base = number % self._capacity * self.chunk
        values: NDArray[np.float64] = self._rows[base + below].copy()
        if row > below and below < self.chunk - 1:
            values += (self._rows[base + below + 1] - values) * (row - below)
        return values
