"""What is done with recorded episodes, and with plans for them."""

from typing import Literal

import msgspec

from station.borders.bounds import Count, Name
from station.console.wire.message import Chosen, Line, Message


class Edit(Message, frozen=True):
    """Say something of recorded episodes; what is left out stays as it is."""

    id: Count
    episodes: Chosen
    success: Literal["yes", "no", "unset"] | None = None
    note: Line | None = None
    task: Name | None = None
    instruction: Line | None = None


class Unedit(Message, frozen=True):
    """Take the newest change of these episodes back."""

    id: Count
    episodes: Chosen


class Trash(Message, frozen=True):
    """Take episodes out of every loader's way."""

    id: Count
    episodes: Chosen


class Restore(Message, frozen=True):
    """Bring them back."""

    id: Count
    episodes: Chosen


class KeepPlan(Message, frozen=True):
    """Make this the task's collection plan."""

    id: Count
    task: Name
    plan: msgspec.Raw = msgspec.Raw(b"null")
    """As `plan.yaml` has it, read where it is kept: what is wrong in it is an answer. null: it has none any more."""


class Recover(Message, frozen=True):
    """Make episodes of journals that were left."""

    id: Count
