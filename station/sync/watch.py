"""What may end an episode by itself: a device that is silent for too long, a hold. Pure."""

from typing import Literal

from station.bus.messages import Doer, Health, PilotState, Row
from station.bus.messages.endings import Ending, EndReason
from station.clock import NS_PER_S
from station.rig.rig import Rig
from station.sync.aligner import Instant

ARM_LOSS_NS = NS_PER_S // 2
"""An arm that is silent for longer ends the episode; a camera has `safety.camera_loss_s`."""
PILOT_TICKS = 3
"""How many ticks the cause of a hold may come after it."""


Verdict = Literal["keep", "drop"] | Ending


class EndWatch:
    """What the pilot and the devices said last, held against each row before it is kept."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._camera_loss_ns = int(rig.safety.camera_loss_s * NS_PER_S)
        self._troubles: dict[str, str] = {}
        """What devices say is wrong with them, by node."""
        self._holds = ""
        """Why the pilot holds; "" while it does not."""
        self._held_by: Doer = "station"
        """Whose doing that hold is."""
        self._aligns = False
        """A hand-over: arms hold for a moment on their way, which ends no episode."""
        self._unexplained = 0
        """Ticks since a hold whose cause nobody has told yet."""

    def begin(self) -> None:
        """Another recording."""
        self._unexplained = 0

    def heard_pilot(self, state: PilotState) -> None:
        """The pilot spoke."""
        self._holds = (state.why or "asked to") if state.state == "hold" else ""
        self._held_by = state.held_by or "station"
        self._aligns = state.state == "aligning"

    def heard_health(self, node: str, health: Health) -> None:
        """A device's trouble explains a hold, or a silence."""
        self._troubles[node] = health.error

    @property
    def holds(self) -> bool:
        """Does the pilot say hold?"""
        return bool(self._holds)

    def ending(self, instant: Instant, row: Row, keep_hold: bool, gates_say: str) -> Verdict:
        """Is the row kept, does the episode end before it, or is that not known yet? Such a row is dropped: the end follows.

        `keep_hold`: rows in hold are kept, the operator paused. `gates_say`: what the followers' gates give as a hold's cause.
        """
        kept = keep_hold or self._aligns
        held = row.source == "hold" and not kept
        cause = self._holds or gates_say or "asked to"
        ending = self._silent(instant) or (Ending(EndReason.HOLD, cause, self._held_by) if held else None)
        if self._cause_to_come(held):
            return "drop"
        if ending is None and self._unexplained:
            ending = Ending(EndReason.HOLD, cause, self._held_by)
        return "keep" if ending is None else self._explained(ending)

    def _silent(self, instant: Instant) -> Ending | None:
        for device in self._rig.devices:
            age_ns = instant.age_ns(device.node)
            limit_ns = ARM_LOSS_NS if device.role in ("leader", "follower") else self._camera_loss_ns
            if device.role != "vr" and (age_ns is None or age_ns > limit_ns):
                silent = "never spoke" if age_ns is None else f"silent for {age_ns / NS_PER_S:.1f} s"
                return Ending(EndReason.SILENT_DEVICE, f"{device.node} {silent}")
        return None

    def _cause_to_come(self, held: bool) -> bool:
        """An arm's gate may tell of a hold before the pilot tells its cause: a moment's patience, for a row that is cut anyway."""
        if not (held or self._unexplained) or self._holds or self._unexplained >= PILOT_TICKS:
            return False
        self._unexplained += 1
        return True

    def _explained(self, ending: Ending) -> Ending:
        """With what the devices it names say themselves: the station sees a silence, the driver its cause."""
        said = ending.detail
        causes = [
            trouble for node, trouble in self._troubles.items() if node in said and trouble and trouble not in said
        ]
        return Ending(ending.reason, "; ".join((said, *causes)), ending.doer)
