"""`station episodes view`: the folder of hard links that trainers are given."""

from pathlib import Path
from typing import Annotated

import typer

from station.cli.episodes.answers import Left, Link, Viewed
from station.cli.episodes.told import DEFAULT_DATA, console, say_error, told
from station.episodes import catalogue
from station.episodes.catalogue import Episode, named
from station.episodes.intake import ALL, CAUSES, LABELS, Intake, asked_for, groups
from station.errors import EpisodeError, UsageError
from station.terminal.screen import numbers
from station.terminal.told import JsonOption, tell

_HELP = f"What to take, by label and cause: any of {', '.join((*LABELS, *CAUSES))}, comma by comma; or {ALL}."


def view(
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    data: Annotated[Path, typer.Option(help="A data folder or one task's folder.")] = DEFAULT_DATA,
    task: Annotated[str, typer.Option(help="Only this task.")] = "",
    success: Annotated[
        bool | None, typer.Option("--success/--failure", help="Every episode with this verdict, whatever else it is.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(help="Only episodes of exactly so many rows (ACT needs equal lengths).")
    ] = None,
    include: Annotated[list[str] | None, typer.Option(help=_HELP)] = None,
    as_json: JsonOption = False,
) -> None:
    """A folder of hard links numbered from 0: what trainers are given. Without --success, --failure or --include it says what there is."""
    with told():
        intake = asked_for(success, include or ())
        found = catalogue.episodes(data, task)
        unusable = [episode for episode in found if episode.problem]
        fit = [episode for episode in found if not episode.problem and length in (None, episode.rows)]
        if intake is None:
            _tell_choice(fit, data)
            raise UsageError(
                f"say which of them: --success, or --include and a list ({', '.join((*LABELS, *CAUSES))}) or {ALL}"
            )
        try:
            readable = [episode for episode in found if not episode.problem]
            viewed = _hand_out(out, readable, fit, intake)
            if as_json:
                tell(viewed)
            else:
                _tell(viewed, readable)
        finally:
            for episode in unusable:
                say_error(f"left out: {episode.problem}")
        if unusable:
            raise EpisodeError(f"{len(unusable)} left out that cannot be used")


def _hand_out(out: Path, readable: list[Episode], fit: list[Episode], intake: Intake) -> Viewed:
    chosen = [episode for episode in fit if intake.takes(episode)]
    links = [Link(link, each.path) for link, each in zip(catalogue.view(out, chosen), chosen, strict=True)]
    left = groups(episode for episode in fit if not intake.takes(episode))
    if other_length := [episode for episode in readable if episode not in fit]:
        left = {**left, "another length": other_length}
    return Viewed(tuple(links), tuple(Left(why, tuple(each.path for each in there)) for why, there in left.items()))


def _tell(viewed: Viewed, readable: list[Episode]) -> None:
    known = {episode.path: episode for episode in readable}
    for each in viewed.taken:
        console.print(f"{each.link} = {each.episode}")
    for left in viewed.left_out:
        console.print(f"left out, {left.why}: {named([known[path] for path in left.episodes])}")
    console.print(f"{len(viewed.taken)} of {len(readable)} episodes")


def _tell_choice(fit: list[Episode], data: Path) -> None:
    table = numbers(("episodes", "what they are", "which"), ("what they are", "which"))
    table.padding = (0, 2, 0, 0)
    for what, group in groups(fit).items():
        table.add_row(str(len(group)), what, named(group))
    console.print(f"{data}: {len(fit)} episodes could be taken")
    console.print(table)
