"""The disk of a sitting: the folder of its episodes, what is in it, what it still holds; and the rig's last check."""

import time
from pathlib import Path

from station.bus.messages import Description
from station.episodes.collection_file import Collection, Collector
from station.episodes.labels import add_note, judge
from station.episodes.naming import delete, episode_path, next_number
from station.files import check_results
from station.rig.rig import Rig
from station.session.builders import Builders
from station.session.check_gate import CheckStanding
from station.session.disk_budget import DiskBudget, disk_budget


class SessionDisk:
    """Implements `station.session.ports.Disk`."""

    def __init__(self, rig: Rig, builders: Builders) -> None:
        self._rig, self._builders = rig, builders
        self.devices: dict[str, Description] = {}
        """What the devices say of themselves."""
        self._collector = Collector()

    def another_rigs(self, folder: Path) -> str:
        """Held against what the devices say of themselves."""
        # here, like h5py with it: a session that was killed is back the sooner
        from station.episodes.catalogue import forms_in
        from station.episodes.form import another_rigs, form_of_rig

        return another_rigs(folder, form_of_rig(self._rig, self.devices), forms_in(folder))

    def drift(self, folder: Path) -> str:
        """Of what the cameras say of themselves from the newest episode's."""
        from station.episodes.catalogue import forms_in
        from station.episodes.form import drifted, form_of_rig

        there = sorted(forms_in(folder), key=lambda each: each[0])
        return drifted(*there[-1], form_of_rig(self._rig, self.devices)) if there else ""

    def collection(self, folder: Path) -> Collection:
        """The plan, and what was recorded."""
        return self._collector.look(folder)

    def prepare(self, folder: Path) -> int:
        """The folder, with what a killed station left being recovered, and the next number."""
        folder.mkdir(parents=True, exist_ok=True)
        number = next_number(folder)
        if any(folder.glob("*.mcap.part")):
            self._builders.recover(folder)
        return number

    def check(self) -> CheckStanding:
        """Read anew each time: it is another process that checks."""
        rig = self._rig
        last = check_results.last(rig.name)
        due = check_results.due(rig.name, rig.sha256, time.time(), rig.safety.session_hours)
        return CheckStanding(due, last if last is not None and last.rig_sha256 == rig.sha256 else None)

    def exists(self, part: Path) -> bool:
        """Is the journal there?"""
        try:
            return part.exists()
        except (OSError, ValueError):  # a recorder's path that no file can have
            return False

    def disk_budget(self, folder: Path, bytes_per_s: float) -> DiskBudget:
        """What the disk holds."""
        return disk_budget(folder, bytes_per_s, self._builders.partial_hdf5_bytes)

    def label(self, folder: Path, episode: int, success: bool | None) -> None:
        """Label an episode, also one that is still to be saved."""
        judge(episode_path(folder, episode), success)

    def note(self, folder: Path, episode: int, text: str) -> None:
        """A line of text."""
        add_note(episode_path(folder, episode), text)

    def delete(self, folder: Path, episode: int) -> None:
        """Delete, undoably."""
        delete(episode_path(folder, episode))
