"""One episode file as a dataset's source: which recording it is, and what is known of it."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from station.episodes import catalogue
from station.episodes.facts import Fact
from station.episodes.filters import Asked, Demand, asked
from station.episodes.quality.card import Card


class Source(msgspec.Struct, frozen=True):
    """One episode file, as it is found."""

    path: str
    name: str
    """The task's folder and the file: `cube/episode_3.hdf5`."""
    identity: str
    """Of the recording: the same whatever the file is called."""
    size_bytes: int
    modified_ns: int
    facts: dict[str, Fact]
    problem: str = ""
    """Why it cannot be used."""


def find(folder: Path, where: Mapping[str, Demand]) -> list[Source]:
    """The episodes of a data folder, of a task's folder, or the one episode that is named; all of them, whatever is asked for.

    What is asked for of a card is measured where it was not yet. Raises UsageError.
    """
    episodes = [catalogue.read_episode(folder)] if folder.is_file() else catalogue.episodes(folder)
    return [_source(each) for each in asked(episodes, where, _card)]


def _card(path: Path) -> Card:
    from station.episodes.quality.store import card  # here: who asks for no card needs neither NumPy nor h5py

    return card(path)


def _source(found: Asked) -> Source:
    episode = found.episode
    path = os.path.join(os.getcwd(), episode.path)  # in plain text, like the rest: there may be ten thousand
    folder, _, file = path.rpartition(os.sep)
    name = f"{folder.rpartition(os.sep)[2]}/{file}"
    try:
        at = os.stat(path)
    except OSError as error:
        return Source(path, name, name, 0, 0, {}, str(error))
    if episode.problem:
        return Source(path, name, name, 0, 0, {}, episode.problem)
    recording, rig = episode.recording, str(found.facts.get("rig", ""))
    said = msgspec.json.encode(recording) + rig.encode() if recording else name.encode()
    if imported := episode.attributes.get("imported"):  # it has neither instant nor rig of its own
        said = str(imported).encode()
    return Source(path, name, hashlib.sha256(said).hexdigest(), at.st_size, at.st_mtime_ns, found.facts)
