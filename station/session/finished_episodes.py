"""The finished episodes of a sitting: being built, saved, labelled, thrown away. Pure, like the state machine that owns it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from station.bus.requests import Done, Refused, Reply
from station.errors import EpisodeError
from station.session.ports import Ports


class FinishedEpisodes:
    """Of one sitting, in one folder."""

    def __init__(
        self, ports: Ports, folder: Path, saved: Sequence[int] = (), discarded: int = 0, judged: Mapping[int, bool] | None = None
    ) -> None:  # fmt: skip
        self._ports, self._folder = ports, folder
        self.saved = list(saved)
        self.discarded = discarded
        self.path = ""
        """Of the newest that was saved and is still there."""
        self.newest: int | None = None
        """The newest finished episode that was not thrown away: what labels and notes go to between episodes."""
        self._building: dict[int, bool] = {}
        """Episodes whose HDF5 is being built: are they to be kept?"""
        self._success: dict[int, bool | None] = dict(judged or {})

    @property
    def building(self) -> int:
        """How many HDF5 files are being built."""
        return len(self._building)

    @property
    def to_come(self) -> tuple[int, ...]:
        """Those of them that are to be kept."""
        return tuple(number for number, kept in self._building.items() if kept)

    @property
    def judged(self) -> dict[int, bool]:
        """What was said about those that are not saved yet: their file does not have it."""
        return {n: success for n, success in self._success.items() if success is not None and n not in self.saved}

    def build(
        self, number: int, part: Path, discarded: bool, ended: str, acknowledged: int, then: Callable[[str], None]
    ) -> None:
        """A journal was closed. `then` gets why its episode is not saved, or "" once all rows `acknowledged` are."""
        if not discarded:
            self.newest = number
        self._building[number] = not discarded

        def built(path: Path | None, error: str) -> None:
            del self._building[number]
            then(self._put(number, path, discarded) if path is not None else f"episode {number} is not saved: {error}")

        self._ports.finalise(part, discarded, ended, acknowledged, built)

    def _put(self, number: int, path: Path, discarded: bool) -> str:
        """It is there. Returns what is wrong with it all the same."""
        if discarded:
            self.discarded += 1
            return ""
        self.saved.append(number)
        self.path = str(path)
        success = self._success.get(number)
        try:
            if success is not None:
                self._ports.disk.label(self._folder, number, success)
        except EpisodeError as error:
            return f"episode {number} is saved, what was said about it is not: {error}"
        return ""

    def judge(self, number: int, success: bool | None) -> str:
        """How the episode went, said before its file is there, and kept at once. Returns why it could not be."""
        self._success[number] = success
        try:
            if success is not None:
                self._ports.disk.label(self._folder, number, success)
        except EpisodeError as error:
            return str(error)
        return ""

    def knows(self, number: int) -> bool:
        """Is that one of this sitting's, and not thrown away?"""
        return number in self.saved or self._building.get(number, False)

    def said_of(self, number: int) -> str:
        """How an episode went, as it was labelled, with its number; "" if nobody said."""
        success = self._success.get(number)
        return "" if success is None else f"episode {number} is a {'success' if success else 'failure'}"

    def label(self, success: bool | None) -> Reply:
        """Label the newest finished episode, whether its HDF5 is there already or not."""
        number = self.newest
        if number is None:
            return Refused("there is no episode to label in this sitting")
        self._success[number] = success
        try:
            self._ports.disk.label(self._folder, number, success)
        except EpisodeError as error:  # a trainer reads it, its labels file is broken
            return Refused(str(error))
        return Done(self.said_of(number) or f"episode {number} has no label")

    def note(self, number: int | None, text: str) -> Reply:
        """Write to an episode, also while it is recorded."""
        if number is None:
            return Refused("there is no episode in this sitting to write to yet")
        try:
            self._ports.disk.note(self._folder, number, text)
        except EpisodeError as error:
            return Refused(str(error))
        return Done(f"episode {number}")

    def undo(self) -> Reply:
        """Delete the newest that was saved."""
        if not self.saved:
            later = "its file is still being built: ask again in a moment"
            return Refused(later if self._building else "nothing saved in this sitting")
        number = self.saved[-1]
        try:
            self._ports.disk.delete(self._folder, number)
        except EpisodeError as error:
            return Refused(str(error))
        self.saved.pop()
        self.newest = self.saved[-1] if self.saved else None
        self.path = "" if self.newest is None else str(self._folder / f"episode_{self.newest}.hdf5")
        self.discarded += 1
        return Done(f"episode {number} deleted; `station episodes delete --undo` brings it back")
