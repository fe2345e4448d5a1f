"""How nodes and their processes are."""

from typing import Literal

from station.bus.messages.header import Message


class StreamHealth(Message, frozen=True):
    """One stream as its publisher knows it."""

    kind: str
    rate_hz: float
    declared_hz: float
    age_ns: int


class Health(Message, frozen=True):
    """How a node is, about twice a second."""

    node: str
    state: Literal["opening", "ok", "warn", "fault"]
    error: str
    """The last error, whole, "" if none since the start."""
    streams: tuple[StreamHealth, ...] = ()
    readings: dict[str, float] = {}
    """Slow numbers with their unit in the name: `shoulder.temperature_c`, `bad_packets`."""
    notes: tuple[str, ...] = ()
    """What an operator should know: what the driver changed when it opened the device, which clock stamps, which controls did not take."""
    lost: int = 0
    """Messages this node lost on the bus."""
    realtime: int = 0
    """The SCHED_FIFO priority its loop has; 0 under the ordinary scheduler. The node fills it in."""


class ProcessState(Message, frozen=True):
    """One process as the supervisor sees it."""

    node: str
    pid: int | None
    running: bool
    restarts: int
    cpu_percent: float
    rss_mb: float
    health: Health | None
    health_age_ns: int
    last_exit: str


class StationState(Message, frozen=True):
    """The supervisor's view of every process."""

    rig: str
    rig_file: str
    pid: int
    since_ns: int
    processes: tuple[ProcessState, ...]
