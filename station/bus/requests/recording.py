"""What the session asks the synchronizer."""

import msgspec

from station.borders.bounds import Count, Name, PathText, Whole
from station.bus.messages.endings import Ending, EndReason
from station.bus.requests.request import Request


class RecordingInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about an episode before its first row; becomes the file's attributes."""

    task: str
    episode: Count
    instruction: str = ""
    operator: str = ""
    scene: str = ""
    check_result: str = ""
    policy: str = ""
    trial: Count = 0
    """Of an evaluation, from 1; 0: none."""
    condition: str = ""
    object: str = ""
    """What the task is done with, by its collection plan."""


class BeginRecording(Request, frozen=True):
    """Open the journal at `path` and record from the next tick; exactly `ticks` rows, or open-ended when None."""

    path: PathText
    info: RecordingInfo
    ticks: Count | None = None


class KeepHold(Request, frozen=True):
    """Keep rows while in hold instead of ending the episode: the operator paused it."""

    keep: bool


class EndRecording(Request, frozen=True):
    """Close the journal after the row that is open. Refused where no recording of that name goes on or is to begin.

    `path` names it, so that an end that comes late ends no other; "": whichever goes on.
    """

    ending: Ending = Ending(EndReason.STOPPED)
    path: PathText = ""


class KeepMark(Request, frozen=True):
    """Write a mark into the journal at `path`. Answered when it survives a kill."""

    path: PathText
    name: Name
    at_ns: Whole
    """When it was set."""


SyncRequest = BeginRecording | KeepHold | EndRecording | KeepMark
