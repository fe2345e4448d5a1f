"""How a sitting stands: what its parts (arms, takes) share. Pure."""

from pathlib import Path

from station.bus.messages import Doer, Phase
from station.bus.requests import OpenSession, Refused, Reply
from station.rig.rig import Rig
from station.session.phases import TRANSITIONS, PhaseEvent


class Situation:
    """Of one sitting after another at one rig."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.phase: Phase = "ended"
        self.why = ""
        """Why the phase is what it is, when that is not plain."""
        self.opened = OpenSession(task="")
        self.check_result = ""
        """What the check before this sitting said: it is written into every episode."""
        self.drift = ""
        """Which camera controls are others than in the episodes before."""
        self.folder = rig.data
        self.number = 0
        """Of the episode being recorded, or of the next one."""
        self.recorded = self.early = 0
        self.ended_by: Doer = ""
        """Whose doing it was that the last episode ended early."""
        self.reset_ends_ns = 0

    @property
    def rollouts(self) -> bool:
        """Are the episodes a policy's?"""
        return self.opened.source == "policy"

    @property
    def kept(self) -> bool:
        """Is what happens recorded? Else nothing here touches a folder."""
        return self.opened.kept

    def go(self, event: PhaseEvent) -> None:
        """On to the next phase."""
        self.phase = TRANSITIONS[self.phase, event]

    def told(self, reply: Reply) -> None:
        """The answer to something nobody asked for just now: a refusal must not pass unseen."""
        if isinstance(reply, Refused):
            self.why = reply.why

    def folder_of(self, opened: OpenSession) -> Path:
        """Where that sitting's episodes go."""
        return (Path(opened.data).expanduser() if opened.data else self.rig.data) / opened.task
