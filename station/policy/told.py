"""What the runner tells of its policy. Pure; time is an argument."""

import re
from typing import Literal

from station.bus.messages import PolicyState
from station.clock import NS_PER_MS
from station.policy.folder import Policy, chunk_ns
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
        self._blind = False
        self._names: tuple[str, ...] = ()
        """What would tell a policy that is judged blind from another."""

    def loading(self, job: Load) -> None:
        """The policy before it is forgotten."""
        self._loading, self._identity, self.note = job, "", ""
        self._blind = job.blind
        self._names = (str(job.folder), str(job.folder.resolve()), job.folder.name, job.instruction)

    def loaded(self, loaded: Loaded | None) -> None:
        """It may run; None where it could not be loaded."""
        self._loading = None
        if loaded is not None:
            policy = loaded.policy
            self._names += (str(policy.folder), policy.folder.name, policy.weights, policy.backend, policy.instruction)
            self._names += () if policy.kind == "other" else (policy.kind,)
            self._identity, self.note = loaded.identity, self.veiled(loaded.note)

    def veiled(self, text: str) -> str:
        """What the runner says, writes into its log or ends with; of a policy that is judged blind nothing that names it."""
        if not self._blind:
            return text
        named = "|".join(re.escape(name) for name in sorted(filter(None, self._names), key=len, reverse=True))
        return re.sub(rf"(?<!\w)(?:{named})(?!\w)", "…", text)

    def what(self, policy: Policy) -> str:
        """Which policy is loaded, for people."""
        return "a policy that is judged blind" if self._blind else f"{policy.kind} from {policy.folder}"

    def state(self, core: RunnerCore | None, shadow: bool, now_ns: int) -> PolicyState:
        """For the bus."""
        phase = "loading" if self._loading is not None else core.phase if core is not None else "none"
        if phase != self._phase:
            self._phase, self._since_ns = phase, now_ns
        blind = self._blind
        if self._loading is not None:
            named = ("", "", "") if blind else (str(self._loading.folder), "", self._loading.instruction)
            return PolicyState(phase, self._since_ns, *named, blind=blind)
        if core is None:
            return PolicyState(phase, self._since_ns)
        policy, readings = core.policy, core.readings(now_ns)
        named = ("", "", "") if blind else (str(policy.folder), self._identity, policy.instruction)
        return PolicyState(
            phase, self._since_ns, *named, shadow and phase == "running",
            core.why, self.note, chunk_ns(policy) / NS_PER_MS, core.plan_ns(now_ns) / NS_PER_MS,
            readings.get("delay_p95_ms"), readings.get("inference_p95_ms"), int(readings["starved_ticks"]),
            int(readings["dropped_chunks"]), int(readings["faults"]), int(readings["missing_frames"]), blind,
        )  # fmt: skip
