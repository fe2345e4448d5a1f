"""`station episodes view`: the folder of hard links that trainers are given."""

from pathlib import Path
from typing import Annotated

import typer

from station.cli.episodes.told import DEFAULT_DATA, console, say_error, told
from station.episodes import catalogue
from station.episodes.catalogue import Episode, named
from station.episodes.intake import ALL, CAUSES, LABELS, Intake, asked_for, groups
from station.errors import EpisodeError, UsageError
from station.terminal.screen import numbers

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
            _hand_out(out, [episode for episode in found if not episode.problem], fit, intake)
        finally:
            for episode in unusable:
                say_error(f"left out: {episode.problem}")
        if unusable:
            raise EpisodeError(f"{len(unusable)} left out that cannot be used")


def _hand_out(out: Path, readable: list[Episode], fit: list[Episode], intake: Intake) -> None:
    chosen = [episode for episode in fit if intake.takes(episode)]
    for link, episode in zip(catalogue.view(out, chosen), chosen, strict=True):
        console.print(f"{link} = {episode.path}")
    other_length = [episode for episode in readable if episode not in fit]
    for what, left in groups(episode for episode in fit if not intake.takes(episode)).items():
        console.print(f"left out, {what}: {named(left)}")
    if other_length:
        console.print(f"left out, another length: {named(other_length)}")
    console.print(f"{len(chosen)} of {len(readable)} episodes")


def _tell_choice(fit: list[Episode], data: Path) -> None:
    table = numbers(("episodes", "what they are", "which"), ("what they are", "which"))
    table.padding = (0, 2, 0, 0)
    for what, group in groups(fit).items():
        table.add_row(str(len(group)), what, named(group))
    console.print(f"{data}: {len(fit)} episodes could be taken")
    console.print(table)
