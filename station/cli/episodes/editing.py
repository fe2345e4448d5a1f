"""`station episodes edit`: what people said about many episodes, changed at once: shown first, done with --yes, undone with --undo."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from station.cli.episodes.told import console, say_error, told
from station.episodes import catalogue, edits
from station.episodes.catalogue import label
from station.episodes.edits import Change, Planned
from station.episodes.intake import CAUSES, LABELS, asked_for
from station.errors import EpisodeError, StationError, UsageError

_SHOWN = 20
_MOST = 1_000_000
"""Numbers in one range."""


def edit(
    folders: Annotated[list[Path], typer.Argument(help="Data folders, or tasks' folders.")],
    only: Annotated[str, typer.Option(help="Only these numbers: 3,7-9.")] = "",
    task: Annotated[str, typer.Option(help="Only of this task.")] = "",
    operator: Annotated[str, typer.Option(help="Only of this operator.")] = "",
    include: Annotated[
        list[str] | None, typer.Option(help=f"Only what is so, as in `view`: {', '.join((*LABELS, *CAUSES))}.")
    ] = None,
    success: Annotated[bool | None, typer.Option("--success/--failure", help="Say how they went.")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take verdicts back.")] = False,
    note: Annotated[str | None, typer.Option(help="Say this note of all of them.")] = None,
    to_task: Annotated[str | None, typer.Option(help="Call their task so from now on.")] = None,
    instruction: Annotated[str | None, typer.Option(help="Call their instruction so from now on.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this it is only shown.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take the newest change of these folders back.")] = False,
) -> None:
    """Change what is said of many episodes: verdict, note, task, instruction. Files stay as they were recorded."""
    with told():
        change = _change(success, unset, note, to_task, instruction)
        if undo:
            if change != Change():
                raise UsageError("--undo takes a change back, and makes none")
            _undo(folders, yes)
            return
        if change == Change():
            raise UsageError("nothing to say: give --success, --failure, --unset, --note, --to-task or --instruction")
        intake = asked_for(None, include or ())
        wanted = _numbers(only)
        found = [
            episode
            for folder in folders
            for episode in catalogue.episodes(folder, task)
            if (not wanted or episode.number in wanted) and operator in ("", episode.operator)
        ]
        usable = [episode for episode in found if not episode.problem and (intake is None or intake.takes(episode))]
        planned = edits.plan(usable, change)
        _tell(planned)
        for episode in found:
            if episode.problem:
                say_error(f"left out: {episode.problem}")
        if not yes:
            console.print(
                f"{len(planned)} of {len(found)} episodes would change; nothing was changed. Next: the same with --yes"
            )
            return
        _finish(*edits.carry_out(planned, change), "changed. `--undo` takes it back")


def _numbers(only: str) -> set[int]:
    """`3,7-9`. Raises UsageError."""
    found: set[int] = set()
    for part in filter(None, only.replace("–", "-").split(",")):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)) or int(last or first) - int(first) > _MOST:
            raise UsageError(f"--only {only[:60]!r}: say numbers as 3,7-9")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _change(success: bool | None, unset: bool, note: str | None, task: str | None, instruction: str | None) -> Change:
    if success is not None and unset:
        raise UsageError("--unset and a verdict exclude each other")
    said = {"note": note, "task": task, "instruction": instruction}
    change = msgspec.structs.replace(Change(), **{name: value for name, value in said.items() if value is not None})
    return msgspec.structs.replace(change, success=success) if success is not None or unset else change


def _undo(folders: list[Path], yes: bool) -> None:
    places = sorted({episode.path.parent for folder in folders for episode in catalogue.episodes(folder)})
    newest = edits.last(places)
    _tell([Planned(catalogue.read_episode(path), each.after, each.before) for path, each in newest])
    if not yes:
        console.print(f"{len(newest)} episodes would change back; nothing was changed. Next: the same with --yes")
        return
    _finish(*edits.undo(newest), "changed back")


def _tell(planned: list[Planned]) -> None:
    for each in planned[:_SHOWN]:
        console.print(f"{label(each.episode)}: {each.in_words()}")
    if len(planned) > _SHOWN:
        console.print(f"… and {len(planned) - _SHOWN} more")


def _finish(done: int, refused: list[StationError], what: str) -> None:
    for error in refused:
        say_error(str(error))
    console.print(f"{done} episodes {what}")
    if refused:
        raise EpisodeError(f"{len(refused)} are as they were; the lines above say why")
