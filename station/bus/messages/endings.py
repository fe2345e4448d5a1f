"""Why a recording ended: a reason that programs tell apart, and an operator's sentence for each."""

from enum import Enum

from station.borders.bounds import Text
from station.bus.messages.commanding import Doer
from station.bus.messages.header import Message


class EndReason(Enum):
    """What ended a recording, or kept it from beginning."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    DISCARDED = "discarded"
    HOLD = "hold"
    SILENT_DEVICE = "silent device"
    JOURNAL_FAILED = "journal failed"
    DISK_FULL = "disk full"
    STATION_STOPPED = "station stopped"
    SYNCHRONIZER_KILLED = "synchronizer killed"
    SESSION_KILLED = "session killed"
    UNWANTED = "unwanted"
    NOT_CLOSED = "not closed"
    NOT_BEGUN = "not begun"


SENTENCES: dict[EndReason, str] = {
    EndReason.COMPLETE: "it has all the rows that were wanted",
    EndReason.STOPPED: "it was stopped",
    EndReason.DISCARDED: "it was thrown away",
    EndReason.HOLD: "hold: {detail}",
    EndReason.SILENT_DEVICE: "{detail}",
    EndReason.JOURNAL_FAILED: "{detail}",
    EndReason.DISK_FULL: "{detail}",
    EndReason.STATION_STOPPED: "the station stopped",
    EndReason.SYNCHRONIZER_KILLED: "the synchronizer was killed",
    EndReason.SESSION_KILLED: "the session node was killed",
    EndReason.UNWANTED: "nobody waits for it any more",
    EndReason.NOT_CLOSED: "{detail}",
    EndReason.NOT_BEGUN: "{detail}",
}
"""What an operator is told. `{detail}`: which device, which disk, whose words."""
ON_PURPOSE = (EndReason.COMPLETE, EndReason.STOPPED, EndReason.DISCARDED)


class Ending(Message, frozen=True):
    """Of one recording."""

    reason: EndReason
    detail: Text = ""
    """What the reason alone does not say: a device's name, an error's words."""
    doer: Doer = "station"
    """Whose doing an early end is: of a hold, as the pilot says (`PilotState.held_by`)."""

    @property
    def early(self) -> bool:
        """Did it end although nobody wanted that?"""
        return self.reason not in ON_PURPOSE

    @property
    def sentence(self) -> str:
        """For an operator."""
        return SENTENCES[self.reason].format(detail=self.detail)

    @property
    def cause(self) -> str:
        """The sentence of an early end; "" for one on purpose. This is what journals, episodes and lists say."""
        return self.sentence if self.early else ""
