"""What the kernel counts while a rig is measured: processes that are in no table, and the time a virtual machine was not given."""

import contextlib
from typing import Any, NamedTuple

import psutil

from station.bench.figures import NodeFigures

_FREE = 100.0
"""Budget of what runs beside the nodes at ordinary or low priority: it takes what they leave."""


class _Seen(NamedTuple):
    name: str
    cpu_s: float
    pss_mb: float


class Computer:
    """Counts from when it is made. `supervisor`: its process; `nodes`: those whose figures it publishes itself."""

    def __init__(self, supervisor: int, nodes: set[int]) -> None:
        self._supervisor, self._nodes = supervisor, nodes
        self._before = self._beside()
        self._nodes_before = {pid: pss_mb(pid) for pid in nodes}
        self._times = psutil.cpu_times()

    def beside(self, seconds: float) -> tuple[NodeFigures, ...]:
        """The supervisor, and what nodes have started, such as whoever builds an episode's HDF5."""
        found = []
        for pid, now in self._beside().items():
            before = self._before.get(pid, _Seen(now.name, 0.0, now.pss_mb))
            cpu_percent = 100 * (now.cpu_s - before.cpu_s) / seconds
            found.append(NodeFigures(now.name, cpu_percent, now.pss_mb, now.pss_mb - before.pss_mb, _FREE, False))
        return tuple(found)

    def node_mb(self, pid: int) -> tuple[float, float]:
        """A node's memory now, and by how much that is more than before; a node that was started since has not grown."""
        now_mb = pss_mb(pid)
        return now_mb, now_mb - self._nodes_before.get(pid, now_mb)

    def stolen_percent(self) -> float:
        """How much of all processors' time the host of this virtual machine kept (proc(5), `steal`); 0 on hardware."""
        now = psutil.cpu_times()
        passed = _total(now) - _total(self._times)
        return float(100 * (now.steal - self._times.steal) / passed) if passed > 0 else 0.0

    def _beside(self) -> dict[int, _Seen]:
        found: dict[int, _Seen] = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self._supervisor)
            for process in (supervisor, *supervisor.children(recursive=True)):
                if process.pid not in self._nodes:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        found[process.pid] = _seen(process)
        return found


def pss_mb(pid: int) -> float:
    """Memory of a process, of a page that n processes share the n-th part (proc(5), `smaps_rollup`); 0 of one that is gone.

    It keeps the process from changing its own map for some milliseconds: not for a loop.
    """
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return float(psutil.Process(pid).memory_full_info().pss / 1e6)
    return 0.0


def _total(times: Any) -> float:
    return float(sum(times) - times.guest - times.guest_nice)  # which are in user and nice already


def _seen(process: psutil.Process) -> _Seen:
    with process.oneshot():
        times, words = process.cpu_times(), process.cmdline()
        return _Seen(_name(words) or process.name(), times.user + times.system, pss_mb(process.pid))


def _name(words: list[str]) -> str:
    """`station:supervisor` → supervisor, `python -m station.episodes.incremental_builder FILE` → episodes.incremental_builder."""
    for word in words:
        for prefix in ("station:", "station."):
            if word.startswith(prefix):
                return word.removeprefix(prefix)
    return ""
