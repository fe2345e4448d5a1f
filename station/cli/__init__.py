"""The `station` command. Exit codes: 0 done, 1 failed with a reason, 2 bad usage."""

import logging
import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from station.errors import StationError
from station.runtime.launch import refuse_foreign

try:
    refuse_foreign()  # before the commands of other rooms are imported under those names
except StationError as error:
    sys.exit(f"station: {error}")

from station.cli import (
    bench,
    dataset,
    demo,
    episodes,
    evaluate,
    find,
    motion,
    policy,
    record,
    rig,
    run,
    settings,
    status,
    vr,
)
from station.cli.operator import learn
from station.terminal.shown import OneLine, shown, shown_lines
from station.version import station_version

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(station_version())
        raise typer.Exit


@app.callback()
def _station(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Say which software this is, and end."),
    ] = False,
) -> None: ...


app.command()(demo.demo)
app.command()(status.up)
app.command()(status.status)
app.command()(vr.vr)
app.command("stop")(status.down)
app.command()(record.record)
app.command()(record.teleop)
app.command()(learn.pedal)
app.command()(run.run)
app.command("eval")(evaluate.evaluate)
app.command()(motion.replay)
app.command()(motion.park)
app.command()(motion.recover)
app.command()(bench.bench)
app.command()(find.find)
app.command()(find.udev)
app.add_typer(episodes.app, name="episodes")
app.add_typer(dataset.app, name="dataset")
app.add_typer(policy.app, name="policy")
app.add_typer(rig.app, name="rig")
app.add_typer(settings.app, name="settings")
for _point in entry_points(group="station.commands"):  # other rooms' commands
    _command = _point.load()
    if isinstance(_command, typer.Typer):
        app.add_typer(_command, name=_point.name)
    else:
        app.command(_point.name)(_command)


def main() -> None:
    """Run it; a StationError is one clear sentence, never a trace."""
    assert logging.lastResort is not None
    logging.lastResort.setFormatter(OneLine())  # what is logged in a command goes to its terminal
    try:
        app()
    except StationError as error:
        print(shown_lines(f"station: {error}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except (
        OSError
    ) as error:  # a folder that is not there, a disk that is full: the kernel's own sentence, with the file
        print(shown(f"station: {error}"), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("station: interrupted; arms hold", file=sys.stderr)
        sys.exit(1)
