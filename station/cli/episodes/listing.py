"""`station episodes ls`: what is in a data folder."""

import os
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Annotated

import typer

from station.cli.episodes.answers import Folder, Listing
from station.cli.episodes.told import DEFAULT_DATA, Data, Where, console, said, told
from station.episodes import catalogue
from station.episodes.catalogue import Episode, named
from station.episodes.form import drift, mixed
from station.episodes.intake import groups
from station.errors import EpisodeError
from station.terminal.shown import shown
from station.terminal.told import JsonOption, tell

_WORDS = ("success", "operator")
COLUMNS = ("n", "rows", "seconds", "success", "late", "lost", "stale", "MB", "operator")


def list_episodes(
    data: Data = DEFAULT_DATA,
    task: Annotated[str, typer.Option(help="Only this task.")] = "",
    where: Where = None,
    as_json: JsonOption = False,
) -> None:
    """What is in a data folder, task by task, with what each is made of: rig, rate, vector, arms, cameras."""
    with told():
        found = catalogue.episodes(data, task)
        if where:
            found = _fitting(found, where)
        by_folder = [(path, list(each)) for path, each in groupby(found, lambda episode: episode.path.parent)]
        folders = [makes_of(path, each) for path, each in by_folder]
        wrong = [episode for episode in found if episode.problem]
        waiting, damaged = _journals(data)
        if as_json:
            tell(Listing(tuple(found), tuple(folders), waiting, damaged))
        else:
            for folder, (_, episodes) in zip(folders, by_folder, strict=True):
                _tell_folder(folder, episodes)
            console.print(_sum(found, waiting, damaged))
            for episode in wrong:
                console.print(f"  {episode.problem}")
        if wrong:
            raise EpisodeError(
                f"{len(wrong)} of {len(found)} cannot be read, or are not what their names say: see the lines above"
            )


def _fitting(found: list[Episode], where: list[str]) -> list[Episode]:
    from station.episodes.filters import asked, said  # here: a list of everything asks for nothing
    from station.episodes.quality.store import card

    return [each.episode for each in asked(found, said(where), card) if each.against is None]


def _journals(data: Path) -> tuple[int, int]:
    """Journals that are not saved yet, and damaged ones that were kept."""
    names = [name for _, _, here in os.walk(data) for name in here if name.startswith("episode_") and ".mcap." in name]
    return sum(name.endswith(".mcap.part") for name in names), sum(".mcap.damaged" in name for name in names)


def makes_of(path: Path, episodes: list[Episode]) -> Folder:
    """What the episodes of one folder are made of, and which of them differ."""
    readable = [episode for episode in episodes if episode.form is not None]
    makes, differ = [], []
    for places, why in mixed((str(place), episode.form) for place, episode in enumerate(readable) if episode.form):
        alike = [readable[int(place)] for place in places]
        makes.append(alike[0].form.in_words() if alike[0].form else "")
        if why:
            differ.append(f"{named(alike)} (most / these): {'; '.join(why)}")
    return Folder(path, tuple(makes), tuple(differ), tuple(_drifts(readable)))


def _drifts(episodes: list[Episode]) -> Iterator[str]:
    """Between each episode and the one before it that knows its cameras' controls."""
    numbered = sorted((e for e in episodes if e.number is not None), key=lambda episode: episode.number or 0)
    known = [episode for episode in numbered if episode.form is not None and episode.form.controls]
    for before, now in pairwise(known):
        if before.form is not None and now.form is not None and (moved := drift(before.form, now.form)):
            yield f"from episode {now.number} on (before: {before.number}): {'; '.join(moved)}"


def _tell_folder(folder: Folder, episodes: list[Episode]) -> None:
    console.print(f"{folder.path.name}: {'; or '.join(folder.makes) or 'nothing that can be read'}")
    console.file.write(_table([COLUMNS, *map(_line, episodes)]))
    for episode in episodes:
        if remarks := _remarks(episode):
            console.print(f"{episode.path.parent.name} {_number(episode)}: {remarks}")
    for sentence in folder.drifts:
        console.print(f"camera controls changed {sentence}")
    for sentence in folder.differences:
        console.print(f"a mixture, which no trainer can take as one: {sentence}")


def _table(rows: list[tuple[str, ...]]) -> str:
    """Columns set by hand: a list of ten thousand is there at once, where a drawn table takes a second for each thousand."""
    shown_rows = [tuple(map(shown, row)) for row in rows]
    widths = [
        max((len(row[place]) for row in shown_rows if len(row) > place), default=0) for place in range(len(COLUMNS))
    ]
    lines = [
        " ".join(
            cell.ljust(width) if name in _WORDS else cell.rjust(width)
            for cell, width, name in zip(row, widths, COLUMNS, strict=False)
        ).rstrip()
        for row in shown_rows
    ]
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:], ""])


def _line(episode: Episode) -> tuple[str, ...]:
    if episode.rows == 0:  # nothing could be read of it
        return (_number(episode),)
    return (
        _number(episode), str(episode.rows), f"{episode.seconds:.2f}", said(episode.success), str(episode.late),
        str(episode.lost), str(episode.stale), f"{episode.size_bytes / 1e6:.0f}", episode.operator,
    )  # fmt: skip


def _number(episode: Episode) -> str:
    return "–" if episode.number is None else str(episode.number)


def _remarks(episode: Episode) -> str:
    """What is to be said of it besides numbers, and besides what is wrong with the file; "" for nothing."""
    moved = episode.task != episode.attributes.get("task", episode.task)
    what = (
        f"task {episode.task}" if moved else "",
        "recovered" if episode.recovered else "",
        episode.damage or episode.ended,
        episode.note,
    )
    return "; ".join(filter(None, what))


def _sum(found: list[Episode], waiting: int, damaged: int) -> str:
    """The last line: how many, of what kind, how long; and what else is in the folder that is somebody's to look at."""
    kinds = [f"{len(each)} {what}" for what, each in groups(e for e in found if not e.problem).items()]
    minutes, size = sum(e.seconds for e in found) / 60, sum(e.size_bytes for e in found) / 1e9
    parts = [f"{len(found)} episodes", *([f"{minutes:.1f} min", f"{size:.2f} GB", *kinds] if found else [])]
    parts += [f"{waiting} journals not saved yet"] if waiting else []
    parts += [f"{damaged} damaged journals kept"] if damaged else []
    return ", ".join(parts)
