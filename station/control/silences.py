"""Silences and new lives of what the followers' motion hangs on: whether the pilot slows everybody down, or ends it. Pure."""

from collections.abc import Sequence

from station.bus.messages import SourceName
from station.clock import NS_PER_MS
from station.control.alignment import stall_command
from station.control.arms import SILENT_NS, Arm, Arms, Ports
from station.rig.file import Safety
from station.safety.stalls import Stalls


class Silences:
    """What has not been heard of. `source` and `targets` below: who commands which followers just now, none where nobody does."""

    def __init__(self, arms: Arms, safety: Safety, ports: Ports) -> None:
        self._arms, self._ports = arms, ports
        self._stale_ns = round(safety.stale_ms * NS_PER_MS)
        self._resume_ns = round(safety.resume_ms * NS_PER_MS)
        self.stalls = Stalls(safety)

    def look(self, source: SourceName, targets: Sequence[Arm], now_ns: int) -> str:
        """Why the followers cannot be commanded any longer; "" if they can, or will in a moment."""
        for arm in targets:
            silent_ns = now_ns - arm.heard_ns
            if silent_ns > min(SILENT_NS, self._resume_ns):
                return f"{arm.node} has been silent for {silent_ns / NS_PER_MS:.0f} ms: check its power and cable"
            why = self._arms.unfit(source, arm, now_ns, self._resume_ns)
            if why:
                return why
        for name, heard_ns in self._arms.heard(source, targets).items() if targets else ():
            why = self.silent(name, heard_ns, source, targets, now_ns)
            if why:
                return why
        self.stalled(source, targets, now_ns)
        return ""

    def silent(self, name: str, heard_ns: int, source: SourceName, targets: Sequence[Arm], now_ns: int) -> str:
        """Nothing from `name` since `heard_ns`: why that is an end. Where it is a stall, the followers are told to slow down."""
        if now_ns - heard_ns <= self._stale_ns or not targets or name not in self._arms.heard(source, targets):
            return ""
        was_open = self.stalls.open
        what = f"{name} has {'asked for nothing' if name == source else 'been silent'}"
        why = self.stalls.silent(what, heard_ns, now_ns)
        if not why and self.stalls.open and not was_open:
            for arm in targets:
                self._ports.command(stall_command(arm.node, source, f"{name} is silent", now_ns))
        return why

    def restarted(self, name: str, before: int, life: int, source: SourceName, targets: Sequence[Arm]) -> str:
        """Another life of a source or an arm that takes part knows nothing of it: why that is an end."""
        involved = life != before and targets and name in self._arms.heard(source, targets)
        return f"{name} was restarted" if involved else ""

    def stalled(self, source: SourceName, targets: Sequence[Arm], now_ns: int) -> bool:
        """Is something silent just now? A stall of which everything has been heard again is over by this."""
        if not self.stalls.open:
            return False
        heard = self._arms.heard(source, targets).values()
        if any(now_ns - heard_ns > self._stale_ns for heard_ns in heard):
            return True
        self.stalls.over(now_ns)
        return False
