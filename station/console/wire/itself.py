"""What a page says of itself. Nobody is asked for anything."""

from typing import Annotated

from msgspec import Meta

from station.borders.bounds import Count, Name
from station.console.wire.message import Message


class Hello(Message, frozen=True):
    """The first word on a link."""

    tab: Annotated[str, Meta(pattern=r"^[a-z0-9]{8,32}\Z")]
    """Which window of this browser: the same after a reload, so that control comes through it."""


class Alive(Message, frozen=True):
    """Every two seconds. `seen`: somebody can see the page."""

    seen: bool


class Watch(Message, frozen=True):
    """Which cameras it shows now."""

    cameras: Annotated[tuple[Name, ...], Meta(max_length=8)]
    fps: Annotated[float, Meta(ge=1, le=15)] = 10.0
    processes: bool = False
    """Does it show every process, too?"""
    policy: bool = False
    """And what a policy asks for?"""
    job: bool = False
    """And what a job sees?"""
    arm: Name = ""
    """Whose joints' effort?"""


class Drawn(Message, frozen=True):
    """At most ten times a second, while pictures come: so many of this link's are on the screen."""

    pictures: Count
