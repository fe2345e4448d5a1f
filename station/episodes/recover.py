"""Finishes what was left: every journal in a data folder that nobody is writing becomes an episode.

`python -m station.episodes.recover FOLDER` is the low-priority process that the session starts when it opens a folder.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import h5py

from station.episodes.finalise import finalise_held, held
from station.errors import EpisodeError, NothingRecorded

_LEFTOVER = re.compile(r"\.episode_\d+\.mcap\.part\.\d+\Z")


class Recovered(NamedTuple):
    """What became of one journal."""

    part: Path
    outcome: Literal["saved", "empty", "live", "failed"]
    episode: Path | None
    rows: int
    detail: str


def recover(data: Path) -> Iterator[Recovered]:
    """Save every journal below `data`; yields as it goes. Safe to kill and to run again, beside a running station too.

    One that a recorder holds is left alone (live), one without a whole row is removed (empty), one that cannot be saved
    is kept (failed).
    """
    for part in sorted(data.rglob("episode_*.mcap.part")):
        if part.exists():  # somebody else may have saved it meanwhile
            yield _recover(part)
    for leftover in data.rglob(".episode_*.mcap.part.*"):
        if _LEFTOVER.match(leftover.name):
            _remove_leftover(leftover)


def _recover(part: Path) -> Recovered:
    with held(part) as free:
        if not free:
            return Recovered(part, "live", None, 0, "being recorded, or being saved, by another process")
        try:
            episode = finalise_held(part)
        except NothingRecorded as error:
            return Recovered(part, "empty", None, 0, str(error))
        except EpisodeError as error:
            return Recovered(part, "failed", None, 0, str(error))
    with h5py.File(episode) as file:
        return Recovered(part, "saved", episode, len(file["/action"]), str(file.attrs["damage"] or file.attrs["ended"]))


def _remove_leftover(path: Path) -> None:
    """A journal whose recorder was killed in the instant before it got its name; nothing can be in it."""
    with held(path) as free:
        if free:
            path.unlink()


def main() -> None:
    """The process: a line for every journal; exit 1 if one could not be saved."""
    parser = argparse.ArgumentParser(description="Save every journal that was left in a data folder.")
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    failed = [found for found in recover(arguments.data) if found.outcome == "failed"]
    sys.exit("\n".join(f"{found.part}: {found.detail}" for found in failed) or 0)


if __name__ == "__main__":
    main()
