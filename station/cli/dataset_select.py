"""`station dataset select`: which episodes make a training set, and why the others do not."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from station.cli.episodes.told import Where, told
from station.errors import UsageError
from station.terminal.screen import PlainConsole, numbers
from station.terminal.told import JsonOption, tell

if TYPE_CHECKING:  # the functions below import what they need: a job's terminal only reads the options
    from station.datasets.choosing import Choice, Left
    from station.datasets.selection import Selection

_console = PlainConsole()
_SHOWN = 20

From = Annotated[
    list[Path] | None, typer.Option("--from", help="A data folder, a task's folder or one episode; may be given again.")
]


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One episode that is not taken."""

    episode: str
    kind: str
    reason: str


class Selected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station dataset select --json` tells."""

    taken: tuple[str, ...]
    held_back: int
    """Of those taken, for validation."""
    left_out: tuple[LeftOut, ...]


def left_out(left: "Iterable[Left]") -> tuple[LeftOut, ...]:
    """As it is told."""
    return tuple(LeftOut(each.source.name, each.kind, each.detail) for each in left)


def select(
    file: Annotated[
        Path | None, typer.Argument(help="The selection's file; explained if it is there, written if --from is given.")
    ] = None,
    folders: From = None,
    where: Where = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Whose rows are data: demo, correction, policy, recovery.")
    ] = None,
    trim_idle: Annotated[bool, typer.Option("--trim-idle", help="Leave out an idle beginning and end.")] = False,
    validation: Annotated[float, typer.Option(help="Share of the episodes that is held back.")] = 0.0,
    group_by: Annotated[
        str, typer.Option(help="What the split keeps together: episode, scene, operator, day.")
    ] = "episode",
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    fields: Annotated[bool, typer.Option("--fields", help="List what --where can ask for, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write or read a selection, and say which episodes it takes and why it leaves the others."""
    from station.datasets.choosing import choose
    from station.datasets.selection import read_selection, write_selection

    with told():
        if fields:
            _list_fields()
            return
        if file is None:
            raise UsageError("name the selection's file")
        if folders:
            if file.exists():
                raise UsageError(f"{file} is there already. Next: edit it, or name another one")
            selection = selection_from(folders, where, source, trim_idle, validation, group_by, seed)
            choice = choose(selection, Path.cwd())
            write_selection(file, selection)
        elif where or source or trim_idle or validation or seed:
            raise UsageError("say --from too to write a selection; without it the file is only explained")
        else:
            selection = read_selection(file)
            choice = choose(selection, file.absolute().parent)
        _explain(choice, selection, as_json)


def selection_from(
    folders: list[Path],
    where: list[str] | None,
    source: list[str] | None,
    trim_idle: bool,
    validation: float,
    group_by: str,
    seed: int,
) -> "Selection":
    """The selection that the options say. Raises UsageError."""
    from station.datasets.selection import selection_of
    from station.episodes.filters import said

    raw: dict[str, Any] = {
        "folders": [str(folder.absolute()) for folder in folders],
        "where": msgspec.to_builtins(said(where or ())),
        "trim": {"idle_ends": trim_idle},
        "split": {"validation": validation, "group_by": group_by},
        "seed": seed,
    }
    if source:
        raw["sources"] = source
    return selection_of(raw, "the command line")


def _explain(choice: "Choice", selection: "Selection", as_json: bool) -> None:
    from station.datasets.choosing import is_held_back, split_explained
    from station.datasets.selection import as_yaml

    if as_json:
        held = sum(is_held_back(selection, source) for source in choice.taken)
        tell(Selected(tuple(source.name for source in choice.taken), held, left_out(choice.left)))
        return
    for line in as_yaml(selection).splitlines():
        _console.print(line)
    _console.print("")
    _console.print(choice.explained())
    for line in split_explained(selection, choice.taken):
        _console.print(line)
    say_left(choice)


def say_left(choice: "Choice") -> None:
    """A line for each episode that is not taken, of many the first."""
    for left in choice.left[:_SHOWN]:
        _console.print(f"  {left.source.name}: {left.kind}{f' ({left.detail})' if left.detail else ''}")
    if len(choice.left) > _SHOWN:
        _console.print(f"  … and {len(choice.left) - _SHOWN} more (--json lists all)")


def _list_fields() -> None:
    from station.episodes.facts import FIELDS

    table = numbers(("field", "type", "what"), ("field", "type", "what"))
    for field in FIELDS.values():
        table.add_row(field.name, field.type, field.what)
    _console.print(table)
