"""`station find | udev`."""

from pathlib import Path
from typing import Annotated

import typer

from station.errors import StationError, UsageError
from station.rig.discovery import Found, discover, rules
from station.rig.discovery import set_baud as set_servos_baud
from station.terminal.screen import PlainConsole
from station.terminal.shown import shown_lines
from station.terminal.told import JsonOption, tell

RULES = Path("/etc/udev/rules.d/99-station.rules")
PortOption = Annotated[list[str] | None, typer.Option("--port", help="look here only (may be given more than once)")]


def find(
    port: PortOption = None,
    set_baud: Annotated[
        tuple[int, str] | None,
        typer.Option(help="BAUD PORT: set every servo behind PORT to BAUD (EEPROM; torque must be off)"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is plugged in, and the rig file's lines for it."""
    out = PlainConsole()
    if set_baud is not None:
        out.print(set_servos_baud(set_baud[1], set_baud[0]))
        return
    discovered = discover(port or ())
    if as_json:
        tell(discovered)
    else:
        for device in discovered.found:
            _show(out, device)
        for failure in discovered.failures:
            out.print(f"not looked for: {failure}")
    if not discovered.found:
        where = f" on {', '.join(port)}" if port else ": no USB serial adapter and no camera is plugged in"
        raise StationError(
            f"nothing found{where}. Next: see that the arms' power is on and the cables sit, that `ls /dev/ttyUSB* /dev/video*` "
            "shows them, and that you are in the groups dialout and video (`groups`)"
        )


def udev(
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="SERIAL=NAME, such as FT891KPN=ttyDXL_leader_left (more than once)"),
    ] = None,
    port: PortOption = None,
    install: Annotated[bool, typer.Option("--install", help=f"write {RULES} instead of printing (as root)")] = False,
    file: Annotated[Path, typer.Option(help="the file --install writes")] = RULES,
) -> None:
    """Print the udev rules of what is plugged in: stable names, latency timer, permissions."""
    text = rules(discover(port or ()).found, dict(_pair(each) for each in name or ()))
    if not text:
        raise StationError(
            "nothing is plugged in that needs a rule. Next: plug the arms and cameras in, then run it again"
        )
    if not install:
        typer.echo(shown_lines(text))
        return
    try:
        file.write_text(f"# Written by `station udev --install`; udev/README.md explains the lines.\n\n{text}")
    except OSError as error:
        raise StationError(f"{file}: {error.strerror}. Next: sudo $(command -v station) udev --install") from error
    typer.echo(f"{file} written. Next: sudo udevadm control --reload && sudo udevadm trigger, then replug")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value) or not value.replace("_", "").isalnum():
        raise UsageError(f"--name {text}: give SERIAL=NAME, letters, digits and _ in the name")
    return key, value


def _show(out: PlainConsole, device: Found) -> None:
    serial = f", serial {device.serial}" if device.serial and device.serial != device.port else ""
    stable = f" = {device.stable}" if device.stable != device.port else ""
    out.print(f"{device.kind}: {device.model} on {device.port}{stable}{serial}")
    for detail in device.details:
        out.print(f"    {detail}")
    for line in device.suggestion:
        out.print(f"    rig file:  {line}")
    for advice in device.advice:
        out.print(f"    !  {advice}")
