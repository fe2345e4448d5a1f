"""What the policy's runner has loaded, and how it does."""

from typing import Literal

from station.bus.messages.header import Message


class PolicyState(Message, frozen=True):
    """Of the runner, for whoever shows it or asks for the next thing."""

    phase: Literal["none", "loading", "ready", "running", "fault"]
    since_ns: int
    """When this phase began."""
    folder: str = ""
    """Of the policy that is loaded, or is being loaded; "" where none is."""
    identity: str = ""
    """Which policy is loaded, as an episode says it; "" while none is."""
    instruction: str = ""
    """What it is told, where it heeds that."""
    shadow: bool = False
    """It runs, and nothing of what it asks reaches an arm."""
    why: str = ""
    """What went wrong last in this rollout; "" if nothing has."""
    note: str = ""
    """What loading had to say of it."""
    chunk_ms: float = 0.0
    """How long one of its chunks lasts."""
    plan_ms: float = 0.0
    """How far from now its newest chunk reaches; 0: it has none that is of use."""
    delay_p95_ms: float | None = None
    """From an observation's tick to a row that may be used; None before the first answer."""
    inference_p95_ms: float | None = None
    starved_ticks: int = 0
    """Ticks of this rollout for which there was no row any more."""
    dropped_chunks: int = 0
    """Chunks that came when all of their rows had passed."""
    faults: int = 0
    """Answers that were none."""
    missing_frames: int = 0
    """Observations without a picture that is new enough."""
    blind: bool = False
    """It is judged by somebody who is not to know which it is: folder, identity and instruction are left out."""
