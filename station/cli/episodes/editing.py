"""`station episodes edit`: what people said about many episodes, changed at once: shown first, done with --yes, undone with --undo."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from station.cli.episodes.told import Where, console, say_error, told
from station.episodes import catalogue, edits
from station.episodes.catalogue import label
from station.episodes.edits import Change, Planned
from station.episodes.filters import asked, said
from station.episodes.quality.store import card
from station.errors import EpisodeError, StationError, UsageError

_SHOWN = 20


def edit(
    folders: Annotated[list[Path], typer.Argument(help="Data folders, or tasks' folders.")],
    where: Where = None,
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
        found = list(
            asked((episode for folder in folders for episode in catalogue.episodes(folder)), said(where or ()), card)
        )
        usable = [each.episode for each in found if each.against is None]
        planned = edits.plan(usable, change)
        _tell(planned)
        for each in found:
            if each.episode.problem:
                say_error(f"left out: {each.episode.problem}")
        if not yes:
            console.print(
                f"{len(planned)} of {len(found)} episodes would change; nothing was changed. Next: the same with --yes"
            )
            return
        _finish(*edits.carry_out(planned, change), "changed. `--undo` takes it back")


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
