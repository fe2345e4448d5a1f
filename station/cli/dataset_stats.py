"""`station dataset stats`: the episodes of a task compared, before anybody trains on them."""

import os
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from station.cli.episodes.told import Where
from station.datasets.reach import Ways, paths
from station.datasets.stats import Stats, compare, wide
from station.datasets.stats_words import by, headline, lengths, sentence, vector_row, verdicts
from station.episodes import catalogue
from station.episodes.catalogue import Episode
from station.episodes.filters import asked, said
from station.episodes.index import Measured, measured
from station.episodes.quality.card import Card
from station.episodes.quality.store import card
from station.errors import EpisodeError, UsageError
from station.terminal.screen import PlainConsole, numbers
from station.terminal.told import JsonOption, tell

_FEW = 12
"""Lines of one kind on the terminal; the page and --json have all."""
_console = PlainConsole()


def stats(
    folders: Annotated[list[Path], typer.Argument(help="Data folders, or tasks' folders.")],
    where: Where = None,
    html: Annotated[
        Path | None, typer.Option(help="Write it all, with plots and a contact sheet, into this one page.")
    ] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure/--no-measure", help="Measure episodes that have no quality card yet (reads their pictures)."
        ),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Compare the episodes of each task: length, speed, workspace, success by operator, hour and scene; which are unlike the others."""
    episodes = [episode for folder in folders for episode in catalogue.episodes(folder)]
    usable = _fitting(episodes, where or [], measure)
    if not usable:
        what = "that is so and " if where else ""
        raise UsageError(
            f"{folders[0]}: no episode {what}that can be read. Next: `station episodes ls` shows what there is"
        )
    found = _measured(usable, measure)
    tasks = [(name, list(here)) for name, here in groupby(found, key=lambda each: os.path.dirname(each[0].path))]
    ways = {name: paths(here) for name, here in tasks}
    compared = [compare(Path(name).name, here, *ways[name]) for name, here in tasks]
    if html is not None:
        _write(html, compared, {name: [episode for episode, _ in here] for name, here in tasks}, ways)
    if as_json:
        tell(compared)
        return
    for each in compared:
        _tell(each)
    for episode in episodes:
        if episode.problem:
            PlainConsole(stderr=True).print(f"left out: {episode.problem}")
    if html is not None:
        _console.print(str(html))


def _fitting(episodes: list[Episode], where: list[str], measure: bool) -> list[Episode]:
    if not where:  # nothing has to be known of them
        return [episode for episode in episodes if not episode.problem]
    return [each.episode for each in asked(episodes, said(where), card if measure else None) if each.against is None]


def _measured(episodes: list[Episode], measure: bool) -> list[tuple[Episode, Measured | None]]:
    """With progress where cards have to be measured first."""
    with Progress(console=PlainConsole(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=len(episodes), visible=False)

        def card_of(path: Path) -> Card | None:
            progress.update(task, visible=True, completed=place)
            try:
                return card(path)
            except EpisodeError as error:
                PlainConsole(stderr=True).print(f"not measured: {error}")
                return None

        found = []
        place = 0
        for place, pair in enumerate(measured(episodes, card_of if measure else None)):  # noqa: B007 (the progress shows it)
            found.append(pair)
    return found


def _write(html: Path, compared: list[Stats], episodes: dict[str, list[Episode]], ways: dict[str, Ways]) -> None:
    from station.datasets.stats_page import parts
    from station.episodes.static_page import document, write

    pieces = [
        piece
        for each, (name, here) in zip(compared, episodes.items(), strict=True)
        for piece in parts(each, here, ways[name][0])
    ]
    write(html, document("Episodes compared", *pieces))


def _tell(each: Stats) -> None:
    _console.print(f"{each.name}: {headline(each)}")
    _console.print(f"  {lengths(each)}")
    for what, shares in by(each).items():
        told = ", ".join(f"{share.name}: {verdicts(share)}" for share in shares[:_FEW])
        _console.print(f"  success by {what}: {told}{_more(len(shares))}")
    for arm in each.workspaces:
        box = " × ".join(f"{low:.2f} … {high:.2f}" for low, high in zip(arm.lower_m, arm.upper_m, strict=True))
        _console.print(f"  {arm.arm}: fingertips within {box} m (x, y, z in its base frame)")
    for name, why in each.without_workspace.items():
        _console.print(f"  {name}: no workspace, {why}")
    if each.findings:
        _console.print(f"  findings: {', '.join(f'{name} in {count}' for name, count in each.findings.items())}")
    for outlier in each.outliers[:_FEW]:
        _console.print(f"  unlike the others: {sentence(outlier)}")
    if len(each.outliers) > _FEW:
        _console.print(f"  … and {len(each.outliers) - _FEW} more: --html or --json has them")
    for name, vector in (("measured", each.state), ("asked", each.action)):
        loud = [number for number in vector if number.constant or wide(number)]
        if loud:
            table = numbers((name, "min", "q01", "q99", "max", "spread", "note"), (name, "note"))
            table.padding = (0, 1, 0, 0)
            for number in loud:
                table.add_row(*vector_row(number))
            _console.print(table)


def _more(count: int) -> str:
    return f", … {count - _FEW} more" if count > _FEW else ""
