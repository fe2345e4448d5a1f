"""What the synchronizer makes of samples: ticks, rows, what is safe of them."""

import msgspec

from station.bus.messages.commanding import SourceName
from station.bus.messages.endings import Ending
from station.bus.messages.header import Message


class Chosen(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The sample of one stream that a tick took: the newest captured at or before t_k."""

    stream: str
    start_id: int
    sequence: int
    captured_at_ns: int
    age_ns: int
    is_new: bool


class Tick(Message, frozen=True):
    """One instant of the grid: observations only. Vectors are the followers', in the rig's order. (D,) each."""

    tick: int
    t_ns: int
    chosen: tuple[Chosen, ...]
    qpos: tuple[float, ...]
    qvel: tuple[float, ...]
    effort: tuple[float, ...]


class Row(Message, frozen=True):
    """What closes tick k at t_{k+1} while recording."""

    tick: int
    row: int
    action: tuple[float, ...]
    action_sent: tuple[float, ...]
    source: SourceName
    intervention: bool = False
    policy_action: tuple[float, ...] | None = None
    human_action: tuple[float, ...] | None = None
    late: bool = False
    stalled: bool = False
    """Source or arm was silent for a moment, or the followers are catching up after it."""


class Mark(Message, frozen=True):
    """A named instant of the episode, set by whoever records it: a subtask, a contact. Its header says when."""

    name: str


class RecorderState(Message, frozen=True):
    """What the synchronizer has safely written."""

    recording: bool
    path: str
    recorded_ticks: int
    """Rows flushed to the journal: acknowledged. They survive kill -9."""
    ended: Ending | None
    """How the last recording ended; None while it runs, and before the first."""
    ticks: int
    late_ticks: int
    missing: tuple[str, ...]
    """Recorded streams that have no sample yet: recording cannot start."""
    lost: int = 0
    """Samples lost on the bus (counted from sequence numbers) since the recording began."""
    bytes_per_s: float = 0.0
    """What flows from the devices, recording or not."""
    journal_bytes: int = 0
    """How long the journal is by now."""
    stalls: int = 0
    """Stalls in the rows of this recording."""
    stalled_rows: int = 0
    unrecorded: tuple[str, ...] = ()
    """Streams that appeared after the recording had begun: they are no part of it."""
