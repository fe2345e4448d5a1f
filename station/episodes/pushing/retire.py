"""Old episodes whose copies were read back go to the trash: renamed, as `station episodes delete` does, and brought back as there."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from station.clock import NS_PER_S
from station.episodes.catalogue import Episode
from station.episodes.pushing.destination import Destination
from station.episodes.pushing.pace import Gate
from station.episodes.pushing.push import files_of, is_as_pushed
from station.episodes.pushing.record import Pushed, newest, pushed_of


class Retiring(NamedTuple):
    """An episode that is old enough."""

    episode: Episode
    why_not: str
    """Why it stays; "" where it may go."""


def plan(
    episodes: Iterable[Episode], older_than_s: float, now_wall_ns: int, place: Callable[[str], Destination], gate: Gate
) -> list[Retiring]:
    """Those that are older, and of each whether every file of it has a copy that is as the file is now, and is still there.

    `place`: the destination of that name. Raises EpisodeError where the notes cannot be read or a place cannot be reached.
    """
    found = []
    for episode in episodes:
        if episode.problem or now_wall_ns - episode.recorded_ns < older_than_s * NS_PER_S:
            continue
        if not episode.recorded_ns:
            found.append(Retiring(episode, "nobody knows how old it is"))
            continue
        copies = pushed_of(episode.path.parent)
        found.append(
            Retiring(
                episode,
                next(filter(None, (_why_not(path, copies, place, gate) for path in files_of(episode.path))), ""),
            )
        )
    return found


def _why_not(path: Path, copies: dict[str, list[Pushed]], place: Callable[[str], Destination], gate: Gate) -> str:
    copy = newest(copies.get(path.name, ()))
    if copy is None:
        return f"{path.name} was never pushed and read back"
    if not is_as_pushed(path, copy, gate):
        return f"{path.name} was changed since it was pushed"
    there = place(copy.to).holds(copy.key)
    if there != copy.size_bytes:
        return f"{copy.to} {'does not have' if there is None else 'has another'} {copy.key} any more"
    return ""
