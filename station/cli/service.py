"""`station service install`: the station comes up with the computer."""

import getpass
import os
import pwd
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from station.errors import StationError, UsageError
from station.runtime.unit import PLACE, unit

app = typer.Typer(help="Bring the station up with the computer (systemd).", no_args_is_help=True)


@app.callback()
def service() -> None:
    """Bring the station up with the computer (systemd)."""


@app.command()
def install(
    user: Annotated[str, typer.Option("--user", help="whose station it is; by default whoever called sudo")] = "",
    file: Annotated[Path, typer.Option(help="the file to write")] = Path(PLACE),
    show: Annotated[bool, typer.Option("--show", help="print the unit instead of writing it")] = False,
) -> None:
    """Write the systemd unit (as root), for the `station` that this is and one user."""
    name = user or os.environ.get("SUDO_USER") or getpass.getuser()
    if name == "root" and not user:
        raise UsageError(
            "the station is an operator's, not root's. Next: name the operator, `station service install --user NAME`"
        )
    try:
        pwd.getpwnam(name)
    except (KeyError, ValueError) as error:
        raise UsageError(f"--user {name}: this computer has no such user. Next: `getent passwd` lists them") from error
    command = Path(sys.argv[0]).absolute()
    if any(letter.isspace() or letter in "%\"'\\" for letter in str(command)):
        raise StationError(
            f"{command}: systemd would not read that path as one word. Next: install the station into a folder without blanks and quotes"
        )
    text = unit(command, name)
    if show:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text)
    except OSError as error:
        again = shlex.join([str(command), "service", "install", "--user", name])
        raise StationError(f"{file}: {error.strerror}. Next: sudo {again}") from error
    typer.echo(
        f"{file} written, for user {name}.\nNext: sudo systemctl daemon-reload && sudo systemctl enable --now station@RIG "
        "(RIG: a rig's name, `station rig ls`)"
    )
