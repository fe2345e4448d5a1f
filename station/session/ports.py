"""What the state machine of a sitting asks of the world, and what must outlive the process it runs in."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from station.bus.pending import Then
from station.bus.requests import OpenSession, PilotRequest, Reply, SyncRequest
from station.session.disk_budget import DiskBudget

Answer = Callable[[Reply], None]


class Ports(Protocol):
    """What the core asks of the world. Every `then` is called once, later, from the same thread."""

    def pilot(self, request: PilotRequest, then: Then) -> None:
        """Ask the pilot."""

    def sync(self, request: SyncRequest, then: Then) -> None:
        """Ask the synchronizer."""

    def another_rigs(self, folder: Path) -> str:
        """Why this rig may not record into the folder: what differs from the episodes there, and the ways on; "" if it may."""

    def prepare(self, folder: Path) -> int:
        """Make the folder, start recovery of what a killed station left, return the next episode's number."""

    def build_incrementally(self, part: Path) -> None:
        """A recording has begun: its HDF5 may be built along with it."""

    def exists(self, part: Path) -> bool:
        """Is there such a journal?"""

    def finalise(
        self, part: Path, discarded: bool, ended: str, acknowledged: int, then: Callable[[Path | None, str], None]
    ) -> None:
        """Build the HDF5 of a closed journal; `then` gets its path, or None and the reason.

        `ended`: why the episode ended, for a journal that its recorder could not close. `acknowledged`: rows that were
        announced as safe; an episode with fewer is not saved, says the reason.
        """

    def disk_budget(self, folder: Path, bytes_per_s: float) -> DiskBudget:
        """What the disk holds."""

    def label(self, folder: Path, episode: int, success: bool | None) -> None:
        """Label a saved episode."""

    def note(self, folder: Path, episode: int, text: str) -> None:
        """Add a line to an episode's labels, also before it is saved."""

    def delete(self, folder: Path, episode: int) -> None:
        """Delete a saved episode so that it can be undone."""


class Sitting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sitting is, beyond the life of the node that keeps it."""

    opened: OpenSession
    episode: int
    saved: tuple[int, ...]
    building: tuple[int, ...]
    """Episodes whose HDF5 is being built."""
    discarded: int
    early: int
    seconds: float | None
