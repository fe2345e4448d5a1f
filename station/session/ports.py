"""What a sitting asks of the world: of the disk, which answers at once; of neighbours and builders, which answer later."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from station.bus.pending import Outcome, PendingRequests, Then
from station.bus.requests import PilotRequest, PolicyRequest, Reply, SyncRequest
from station.episodes.collection_file import Collection
from station.session.check_gate import CheckStanding
from station.session.disk_budget import DiskBudget
from station.session.effects import Answer, Ask, Asker, Build, BuildIncrementally, Effect, Neighbour

Built = Callable[[Path | None, str], None]
"""Gets the episode's path, or None and why it is not saved."""


class Disk(Protocol):
    """Looked at and written to at once."""

    def another_rigs(self, folder: Path) -> str:
        """Why this rig may not record into the folder: what differs from the episodes there, and the ways on; "" if it may."""

    def drift(self, folder: Path) -> str:
        """Which camera controls are others than in the folder's newest episode, and what to do; "" where none is known to be."""

    def collection(self, folder: Path) -> Collection:
        """The task's collection plan, and the episodes that are there."""

    def prepare(self, folder: Path) -> int:
        """Make the folder, start recovery of what a killed station left, return the next episode's number. Raises OSError."""

    def check(self) -> CheckStanding:
        """How the rig's check stands now."""

    def exists(self, part: Path) -> bool:
        """Is there such a journal?"""

    def disk_budget(self, folder: Path, bytes_per_s: float) -> DiskBudget:
        """What the disk holds. Raises OSError."""

    def label(self, folder: Path, episode: int, success: bool | None) -> None:
        """Label an episode, also before it is saved. Raises EpisodeError."""

    def note(self, folder: Path, episode: int, text: str) -> None:
        """Add a line to an episode's labels, also before it is saved. Raises EpisodeError."""

    def delete(self, folder: Path, episode: int) -> None:
        """Delete a saved episode so that it can be undone. Raises EpisodeError."""


class Ports:
    """Turns questions into effects, and finds who asked when the answer comes. Pure."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.now_ns = 0
        self._out: list[Effect] = []
        self._numbers = itertools.count(1)
        self._pending: dict[Neighbour, PendingRequests[int]] = {
            "pilot": PendingRequests("pilot"), "synchronizer": PendingRequests("synchronizer"), "policy": PendingRequests("policy"),
        }  # fmt: skip
        self._builds: dict[int, Built] = {}

    def done(self) -> list[Effect]:
        """What is to be done now, in this order."""
        done, self._out = self._out, []
        return done

    # -- questions --

    def pilot(self, request: PilotRequest, then: Then, owner: object = None) -> None:
        """Ask the pilot. `then` is called once, later, unless `owner` is forgotten before."""
        self._ask("pilot", request, then, owner)

    def sync(self, request: SyncRequest, then: Then) -> None:
        """Ask the synchronizer."""
        self._ask("synchronizer", request, then, None)

    def policy(self, request: PolicyRequest, then: Then) -> None:
        """Ask the policy's runner."""
        self._ask("policy", request, then, None)

    def _ask(
        self, node: Neighbour, request: PilotRequest | SyncRequest | PolicyRequest, then: Then, owner: object
    ) -> None:
        number = next(self._numbers)
        self._pending[node].add(number, request, then, self.now_ns, owner)
        self._out.append(Ask(node, number, request))

    def forget(self, owner: object) -> None:
        """It does not wait for its answers any more."""
        for pending in self._pending.values():
            pending.forget(owner)

    def finalise(self, part: Path, discarded: bool, ended: str, acknowledged: int, then: Built) -> None:
        """Have an HDF5 built."""
        number = next(self._numbers)
        self._builds[number] = then
        self._out.append(Build(number, part, discarded, ended, acknowledged))

    def build_incrementally(self, part: Path) -> None:
        """A recording has begun."""
        self._out.append(BuildIncrementally(part))

    def answer(self, asker: Asker, reply: Reply) -> None:
        """To a client."""
        self._out.append(Answer(asker, reply))

    # -- answers --

    def answered(self, node: Neighbour, number: int, outcome: Outcome) -> None:
        """A neighbour's; one that is late changes nothing."""
        self._pending[node].answered(number, outcome)

    def time(self) -> None:
        """Give up what is over its time."""
        for pending in self._pending.values():
            pending.time(self.now_ns)

    def heard(self, node: Neighbour, life: int) -> bool:
        """It lives. True if it is another life, which answers nothing that the last one was asked."""
        return self._pending[node].heard(life)

    def built(self, number: int, path: Path | None, error: str) -> None:
        """A builder's."""
        self._builds.pop(number)(path, error)
