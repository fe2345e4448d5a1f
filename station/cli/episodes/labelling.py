"""`station episodes label | delete`: what people say about an episode."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from station.cli.episodes.told import File, console, existing, said, say_error, told
from station.episodes import catalogue, naming
from station.episodes.labels import Labels, change_labels
from station.errors import EpisodeError, StationError, UsageError


def label(
    file: File,
    success: Annotated[bool | None, typer.Option("--success/--failure", help="Did it do the task?")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take the verdict back.")] = False,
    note: Annotated[str | None, typer.Option(help="Words to keep with it.")] = None,
) -> None:
    """Say what an episode is worth."""
    with told():
        if success is None and not unset and note is None:
            raise UsageError("nothing to say: give --success, --failure, --unset or --note")
        if success is not None and unset:
            raise UsageError("--unset and a verdict exclude each other")
        episode = catalogue.read_episode(existing(file))
        if episode.problem:
            raise EpisodeError(episode.problem)

        def change(labels: Labels) -> Labels:
            before = episode.success if labels == Labels(recording=labels.recording) else labels.success
            verdict = None if unset else before if success is None else success
            return msgspec.structs.replace(labels, success=verdict, note=labels.note if note is None else note)

        console.print(f"{file}: success {said(change_labels(file, change).success)}")


def delete(
    files: Annotated[list[Path], typer.Argument(help="Episodes.")],
    undo: Annotated[bool, typer.Option("--undo", help="Bring them back.")] = False,
) -> None:
    """Take episodes out of every loader's way (renamed, not erased)."""
    with told():
        refused = []
        for file in files:
            try:
                console.print(str(naming.undelete(file) if undo else naming.delete(file)))
            except StationError as error:
                refused.append(error)
                say_error(error)
        if refused:
            raise type(refused[0])(f"{len(refused)} of {len(files)} are as they were")
