"""Commands of the house that run for the pages, and the answers to what they ask."""

from typing import Annotated, Literal

from msgspec import Meta

from station.borders.bounds import Count, Name, Seconds
from station.console.wire.message import FolderName, Line, Message


class Check(Message, frozen=True):
    """Run the rig's check. It only listens: nothing moves."""

    id: Count


class Calibrate(Message, frozen=True):
    """Begin a wizard of `station calibrate`."""

    id: Count
    what: Literal["arms", "gello", "grippers", "cameras", "latency"]
    only: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()
    """Devices; (): all that it is for."""
    placings: Annotated[int, Meta(ge=1, le=10)] = 3
    pose: Annotated[str, Meta(max_length=200, pattern=r"^[-+0-9., ]*\Z")] = ""
    """Of an arm that lies in a jig: its joints' true angles, degrees, with commas between."""
    compare: Annotated[int, Meta(ge=0, le=20)] = 0
    board: bool = False
    """Lens and place of cameras, too."""
    on: Name = ""
    """The arm that carries these cameras, where their names do not say it."""
    seconds: Seconds = 0.0
    """How long is measured; 0: as the command has it."""


class Replay(Message, frozen=True):
    """Have the arms play an episode again."""

    id: Count
    episode: Name


class AnswerStep(Message, frozen=True):
    """To what a job asks."""

    id: Count
    step: Count
    answer: Name


class EndJob(Message, frozen=True):
    """End the job where it is."""

    id: Count


class Export(Message, frozen=True):
    """Make a training set of what the page shows, but for what was ticked."""

    id: Count
    format: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}\Z")]
    name: FolderName
    """Of its folder, beside all others."""
    where: Annotated[tuple[Line, ...], Meta(max_length=40)] = ()
    left_out: Annotated[tuple[Name, ...], Meta(max_length=1000)] = ()
    reason: Line = ""
    """Why those are left out."""
