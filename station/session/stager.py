"""What the task's collection plan wants next, and what each take of this sitting was of. Pure; the disk is asked between takes alone."""

from collections.abc import Callable
from typing import Literal

import msgspec

from station.bus.messages import Phase, Staging
from station.bus.requests import RecordingInfo
from station.clock import NS_PER_S
from station.episodes import collection
from station.episodes.collection import Collected, Combination, Tally
from station.episodes.collection_file import Collection
from station.session.finished_episodes import FinishedEpisodes
from station.session.ports import Ports
from station.session.situation import Situation

_LOOKS: tuple[Phase, ...] = ("opening", "ready", "reset", "hold")
"""When the plan may be looked at: nothing of the disk's time is taken from a journal."""
_NONE = Collection(None)


class Stager:
    """Of one sitting after the other. `finished` gives what the sitting has taken so far."""

    def __init__(self, sitting: Situation, ports: Ports, finished: Callable[[], FinishedEpisodes]) -> None:
        self._sitting, self._ports, self._finished = sitting, ports, finished
        self._found = _NONE
        self._taken: dict[int, Combination] = {}
        """What the episodes of this sitting were staged as."""
        self._before: Combination | None = None
        """What the last take was of."""
        self._next: Combination | None = None
        self._told: Staging | None = None
        self._due_ns = 0

    @property
    def told(self) -> Staging | None:
        """For every client; None where no plan is followed."""
        return None if self._sitting.phase == "ended" else self._told

    @property
    def complete(self) -> bool:
        """There is a plan, and nothing of it is left for this operator."""
        return self.told is not None and not self.told.why and self.told.left == 0

    def open(self) -> None:
        """Another sitting."""
        self._taken, self._before, self._found = {}, None, _NONE
        self._look()

    def time(self) -> None:
        """Once a second: somebody may change the plan, or delete an episode."""
        if self._ports.now_ns >= self._due_ns:
            self.look()

    def look(self) -> None:
        """Something may be another than it was."""
        if self._sitting.phase in _LOOKS:
            self._look()

    def begin(self, info: RecordingInfo) -> RecordingInfo:
        """A take begins: what is known of it, with what it is staged as."""
        plan, staged = self._found.plan, self._next
        if plan is None or staged is None:
            return info
        self._taken[info.episode] = self._before = staged
        told = collection.instruction(plan, staged, info.instruction)
        return msgspec.structs.replace(info, scene=staged.scene, object=staged.object, instruction=told)

    def _look(self) -> None:
        sitting = self._sitting
        self._due_ns = self._ports.now_ns + NS_PER_S
        # where a scene was named it is somebody's own business; a policy's rollouts are no demonstrations
        follows = sitting.kept and not sitting.rollouts and not sitting.opened.scene
        self._found = self._ports.disk.collection(sitting.folder) if follows else _NONE
        plan, operator = self._found.plan, sitting.opened.operator
        if plan is None:
            self._next = None
            self._told = Staging("", "", 0, 0, 0, 0, 0, why=self._found.why) if self._found.why else None
            return
        tallies = collection.tallied(plan, self._episodes())
        self._next = staged = collection.following(plan, tallies, operator)
        of = tallies[staged] if staged is not None else Tally()
        self._told = Staging(
            staged.scene if staged else "", staged.object if staged else "", of.counted, plan.each, collection.done(plan, tallies),
            plan.wanted, collection.left(plan, tallies, operator), self._changed(staged),
            plan.places.get(staged.scene, {}) if staged else {}, collection.strange_operator(plan, operator),
        )  # fmt: skip

    def _episodes(self) -> list[Collected]:
        """Those on the disk, and those of this sitting that will be there in a moment."""
        there = {episode.number for episode in self._found.episodes}
        finished, operator = self._finished(), self._sitting.opened.operator
        coming = (
            Collected(number, of.scene, of.object, operator, finished.judged.get(number))
            for number, of in self._taken.items()
            if number not in there and finished.knows(number)
        )
        return [*self._found.episodes, *coming]

    def _changed(self, staged: Combination | None) -> tuple[Literal["scene", "object"], ...]:
        before = self._before
        if staged is None or before is None:
            return ()
        scene: tuple[Literal["scene"], ...] = ("scene",) if staged.scene != before.scene else ()
        return (*scene, "object") if staged.object != before.object else scene
