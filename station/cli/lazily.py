"""Groups of commands, of which nothing is imported before it is asked for; the command line as a whole is one."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from station.cli.commands import COMMANDS, TOPICS
from station.cli.completion import Offer, completed

GROUP = "station.commands"


class Lazily(typer.core.TyperGroup):
    """Commands that were given to it, and those of `later` and `others`, which are imported when they are named."""

    later: Mapping[str, str] = {}
    """Name → `module:attribute`, a function or a typer app; "" for one that is among the others."""
    others: str = ""
    """The group of entry points of what other rooms and packages bring; "" where they bring nothing."""

    def list_commands(self, ctx: Any) -> list[str]:
        """By name: first those that are there."""
        return [*super().list_commands(ctx), *self.later, *sorted(self.of_others().keys() - self.later.keys())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One of them, imported now; None if there is none."""
        if where := self.later.get(cmd_name):
            module, _, attribute = where.partition(":")
            return _as_command(cmd_name, getattr(import_module(module), attribute))
        if (own := super().get_command(ctx, cmd_name)) is not None:
            return own
        point = self.of_others().get(cmd_name)
        return _as_command(cmd_name, point.load()) if point is not None else None

    def of_others(self) -> dict[str, EntryPoint]:
        """By name."""
        return {point.name: point for point in entry_points(group=self.others)} if self.others else {}


def group(about: str, later: Mapping[str, str], others: str = "") -> typer.Typer:
    """A command's own commands: `about` is its help, `later` their table, `others` as `Lazily` has it."""
    made = typer.Typer(
        cls=type("Later", (Lazily,), {"later": later, "others": others}), no_args_is_help=True, help=about
    )
    made.callback(help=about)(_group)  # a typer app that has no command of its own is none otherwise
    return made


def _group() -> None: ...


class Station(Lazily):
    """The commands of the table, and those that other packages bring."""

    later = COMMANDS
    others = GROUP

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Names and what they are for from the table: no command is imported for TAB either."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        said = {name: topic.help for topic in TOPICS for name in topic.where}
        names = (name for name in self.list_commands(ctx) if name.startswith(incomplete))
        return [Offer(name, said.get(name, "From another package.")) for name in names]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """From the table: neither a command nor what draws boxes is imported for it."""
        topics = [(" ".join(topic.where), topic.help) for topic in TOPICS]
        if others := sorted(self.of_others().keys() - COMMANDS):
            topics.append((" ".join(others), "From other packages."))
        width = max(len(names) for names, _ in topics)
        lines = "\n".join(f"  {names:{width}}  {said}" for names, said in topics)
        formatter.write(
            f"Usage: {ctx.command_path} COMMAND [OPTIONS]\n\n{self.help}\n\n{lines}\n\n"
            f"`{ctx.command_path} COMMAND --help` has its options; --version says which software this is.\n"
            f"`{ctx.command_path} --install-completion`: TAB completes commands, rigs, tasks, devices.\n"
            f"A first week with it: {guide() / 'first-week.md'}\n"
        )


def guide() -> Path:
    """The folder of the guide: in a checkout beside the code, from a wheel in it."""
    inside = Path(__file__).parents[1] / "docs" / "guide"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "docs" / "guide"


def _as_command(name: str, found: Any) -> Any:
    """A typer app, or a function that becomes one command."""
    if isinstance(found, typer.Typer):
        made: Any = typer.main.get_group(found)
    else:
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        made = typer.main.get_command(alone)
    made.name = name
    return completed(made)


def _tell_version(asked: bool) -> None:
    if asked:
        from station.version import station_version

        typer.echo(station_version())
        raise typer.Exit


app = typer.Typer(
    cls=Station, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Demonstrations on a robot's computer. Exit codes: 0 done, 1 failed with a reason, 2 bad usage.",
)  # fmt: skip


@app.callback()
def _station(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Say which software this is, and end."),
    ] = False,
) -> None: ...
