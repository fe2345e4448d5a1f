"""What the state machine of a sitting wants done: values, no calls."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from station.bus.requests import PilotRequest, PolicyRequest, Reply, SyncRequest

Asker = Callable[[Reply], None]
"""Whoever waits for an answer. Only who does the I/O calls it; the core hands it back with the answer."""
Neighbour = Literal["pilot", "synchronizer", "policy"]


class Ask(NamedTuple):
    """A question to a neighbour. `SessionCore.answered` gets what comes of it, with its number."""

    node: Neighbour
    number: int
    request: PilotRequest | SyncRequest | PolicyRequest


class Answer(NamedTuple):
    """To a client."""

    asker: Asker
    reply: Reply


class BuildIncrementally(NamedTuple):
    """A recording has begun: its HDF5 may be built along with it."""

    part: Path


class Build(NamedTuple):
    """Build the HDF5 of a closed journal. `SessionCore.built` gets its path, or why there is none, with its number."""

    number: int
    part: Path
    discarded: bool
    ended: str
    """Why the episode ended, for a journal that its recorder could not close."""
    acknowledged: int
    """Rows that were announced as safe; an episode with fewer is not saved."""


Effect = Ask | Answer | BuildIncrementally | Build
