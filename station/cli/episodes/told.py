"""What every `station episodes …` command writes to and stands on: the terminal, its errors, the episode it is about."""

import os
from pathlib import Path
from typing import Annotated

import typer

from station.errors import StationError, UsageError
from station.terminal.screen import PlainConsole

console = PlainConsole()

DEFAULT_DATA = Path("~/station-data").expanduser()
Data = Annotated[Path, typer.Argument(help="A data folder or one task's folder.")]
File = Annotated[Path, typer.Argument(help="An episode_<n>.hdf5.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        help="Only what is so: success=true, operator=ann,ben, length_s=3..60, episode=3,7..9, lag_ms=..150; "
        "may be given again. Fields: `station dataset select --fields`."
    ),
]


def said(success: bool | None) -> str:
    """A verdict as tables show it."""
    return {None: "–", True: "yes", False: "no"}[success]


def say_error(words: object) -> None:
    """One sentence to where errors go."""
    PlainConsole(stderr=True).print(str(words))


def existing(file: Path) -> Path:
    """The file that was named. Raises UsageError if nothing has that name."""
    if not os.path.lexists(file):
        raise UsageError(f"{file}: no such episode. Next: `station episodes ls` shows what there is")
    return file


class told:  # noqa: N801 (reads as a word in `with`)
    """Errors of the station become one sentence and the exit code they carry."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StationError):
            say_error(error)
            raise typer.Exit(error.exit_code)
