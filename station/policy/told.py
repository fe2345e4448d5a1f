"""What the runner tells of its policy. Pure; time is an argument."""

from typing import Literal

from station.bus.messages import PolicyState
from station.clock import NS_PER_MS
from station.policy.folder import chunk_ns
from station.policy.runner_core import RunnerCore
from station.policy.worker import Load, Loaded


class Told:
    """Of one life of the runner."""

    def __init__(self, now_ns: int) -> None:
        self._loading: Load | None = None
        self._identity = ""
        self.note = ""
        """What loading had to say of the policy."""
        self._phase: Literal["none", "loading", "ready", "running", "fault"] = "none"
        self._since_ns = now_ns

    def loading(self, job: Load) -> None:
        """The policy before it is forgotten."""
        self._loading, self._identity, self.note = job, "", ""

    def loaded(self, loaded: Loaded | None) -> None:
        """It may run; None where it could not be loaded."""
        self._loading = None
        if loaded is not None:
            self._identity, self.note = loaded.identity, loaded.note

    def state(self, core: RunnerCore | None, shadow: bool, now_ns: int) -> PolicyState:
        """For the bus."""
        phase = "loading" if self._loading is not None else core.phase if core is not None else "none"
        if phase != self._phase:
            self._phase, self._since_ns = phase, now_ns
        if self._loading is not None:
            return PolicyState(phase, self._since_ns, str(self._loading.folder), instruction=self._loading.instruction)
        if core is None:
            return PolicyState(phase, self._since_ns)
        policy, readings = core.policy, core.readings(now_ns)
        return PolicyState(
            phase, self._since_ns, str(policy.folder), self._identity, policy.instruction, shadow and phase == "running",
            core.why, self.note, chunk_ns(policy) / NS_PER_MS, core.plan_ns(now_ns) / NS_PER_MS,
            readings.get("delay_p95_ms"), readings.get("inference_p95_ms"), int(readings["starved_ticks"]),
            int(readings["dropped_chunks"]), int(readings["faults"]), int(readings["missing_frames"]),
        )  # fmt: skip
