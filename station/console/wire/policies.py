"""What is asked about policies, but for their sittings."""

from typing import Annotated

from msgspec import Meta

from station.borders.bounds import Count, Name
from station.console.wire.message import FolderName, Line, Message


class Load(Message, frozen=True):
    """Have the runner load a policy of the list. Nothing moves."""

    id: Count
    policy: Name
    instruction: Line = ""
    """In place of the folder's own."""


class Shadow(Message, frozen=True):
    """Let the loaded policy think beside whoever commands, or end that. Nothing moves."""

    id: Count
    on: bool


class Evaluate(Message, frozen=True):
    """Make trials of policies, in turn."""

    id: Count
    name: FolderName
    """Of the folder of its results and episodes."""
    policies: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=8)]
    trials: Annotated[int, Meta(ge=1, le=1000)]
    """Of each."""
    seconds: Annotated[float, Meta(ge=1.0, le=3600.0)]
    """How long each may take."""
    blind: bool = False
    by_hand: bool = False
    """A person says how each went, also where physics could."""
    seed: Count = 0
    instruction: Line = ""
    override: Name = ""
