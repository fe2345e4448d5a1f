"""`station report OUT.zip`: one file for whoever helps. What is in it, and what was left out, is listed before it is written."""

import getpass
import os
import platform
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer

from station.borders.options import RigOption
from station.client import Station
from station.errors import StationError
from station.files import check_results, settings, try_results
from station.files.logs import logs_folder
from station.files.redaction import redacted
from station.rig import usb
from station.rig.choice import rig_of
from station.rig.foresight import foresee
from station.rig.rig import Rig, inspect
from station.terminal.screen import console
from station.terminal.told import JsonOption, tell
from station.version import station_version

LONGEST_BYTES = 3_000_000
"""Of each file its end: where what went wrong stands."""
LEFT_OUT = "episodes, pictures, calibration's reference pictures, keys; names of people and of this computer, network and mail addresses"
_USB = Path("/sys/bus/usb/devices")
_KERNEL_S = 10.0


class Part(NamedTuple):
    """One file of the report."""

    name: str
    text: str
    what: str


class PartTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the report, as it is listed."""

    name: str
    bytes: int
    what: str


class ReportTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station report --json` tells."""

    file: str
    written: bool
    parts: tuple[PartTold, ...]
    left_out: str


def report(
    out: Annotated[Path, typer.Argument(help="the file to write, such as report.zip; never over another")],
    rig: RigOption,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask after the list")] = False,
    as_json: JsonOption = False,
) -> None:
    """Versions, rig file, checks, logs, USB tree and kernel messages in one file. Lists what is in it before it writes."""
    loaded = rig_of(rig)
    if out.exists():
        raise StationError(f"{out} is there already and stays as it is. Next: another name")
    people = (getpass.getuser(), socket.gethostname(), *_operators(loaded))
    home = str(Path.home())
    parts = [Part(part.name, redacted(part.text, people, home), part.what) for part in gather(loaded)]
    told = tuple(PartTold(part.name, len(part.text.encode()), part.what) for part in parts)
    if not as_json:
        for each in told:
            console.print(f"{each.bytes / 1000:8.1f} kB  {each.name:<28} {each.what}")
        console.print(f"left out: {LEFT_OUT}")
    if not yes and not (sys.stdin.isatty() and not as_json and typer.confirm(f"Write {out}?", default=True)):
        if as_json:
            tell(ReportTold(str(out), False, told, LEFT_OUT))
            return
        raise StationError(f"{out} is not written. Next: the same with --yes")
    _write(out, parts)
    if as_json:
        tell(ReportTold(str(out), True, told, LEFT_OUT))
    else:
        console.print(f"{out} written ({out.stat().st_size / 1000:.0f} kB); look into it before you send it")


def gather(rig: Rig) -> Iterator[Part]:
    """Everything, as it is; what cannot be had says why in its place."""
    yield Part("versions.txt", _versions(), "station, Python, kernel, packages")
    yield Part("rig.yaml", _tail(rig.file), "the rig file")
    bites = foresee(rig, inspect(rig.file).lines)
    yield Part(
        "rig-check.txt", "".join(f"line {p.line}: {p.key}: {p.found}. {p.fix}\n" for p in bites), "what in it will bite"
    )
    if settings.path().exists():
        yield Part("settings.yaml", _tail(settings.path()), "this computer's settings")
    if (last := check_results.path_of(rig.name)).exists():
        yield Part("last-check.json", _tail(last), "the last check before a session")
    if (last := try_results.path_of(rig.name)).exists():
        yield Part("last-try.json", _tail(last), "what `station rig try` found")
    yield Part("status.json", _status(rig), "every node, now")
    for path in sorted(logs_folder(rig.name).glob("*")):
        if path.is_file():
            yield Part(f"logs/{path.name}", _tail(path), "what a node said")
    yield Part("usb.txt", _usb_tree(), "what is plugged in where")
    yield Part("kernel.txt", _kernel(), "the kernel's messages since it started")


def _operators(rig: Rig) -> set[str]:
    """Who recorded what is in the rig's data folder: nodes may have said their names."""
    from station.episodes.catalogue import episodes  # h5py: only here

    return {episode.operator for episode in episodes(rig.data) if episode.operator} if rig.data.is_dir() else set()


def _versions() -> str:
    packages = sorted(f"{each.metadata['Name']} {each.version}" for each in distributions())
    head = [
        f"station {station_version()}",
        f"Python {sys.version}",
        platform.platform(),
        f"{os.cpu_count()} processors",
    ]
    return "\n".join([*head, "", *packages]) + "\n"


def _status(rig: Rig) -> str:
    with Station(rig) as station:
        try:
            return msgspec.json.format(msgspec.json.encode(station.state()), indent=1).decode() + "\n"
        except StationError as error:
            return f"{error}\n"


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            file.seek(max(0, size - LONGEST_BYTES))
            cut = f"(the first {size - LONGEST_BYTES} bytes are left out)\n" if size > LONGEST_BYTES else ""
            return cut + file.read().decode(errors="backslashreplace")
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}\n"


def _usb_tree(devices: Path = _USB) -> str:
    """By place: `1-2.3` is behind port 3 of the hub at port 2 of bus 1."""
    lines = []
    for folder in sorted(devices.glob("*")) if devices.is_dir() else ():
        names = ("idVendor", "idProduct", "manufacturer", "product", "serial", "speed", "bMaxPower")
        said = [value for name in names if (value := usb.read(folder / name))]
        if said:
            lines.append(f"{folder.name}: {', '.join(said)}")
    return "\n".join(lines or ["no USB here"]) + "\n"


def _kernel() -> str:
    """By journalctl where this user may, else dmesg; else why not."""
    refused = ""
    for command in (
        ["journalctl", "-k", "-b", "--no-pager", "-o", "short-monotonic"],
        ["dmesg", "--time-format", "iso"],
    ):
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_KERNEL_S,
                check=False,
                text=True,
                errors="replace",
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            refused += f"{command[0]}: {error}\n"
            continue
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout[-LONGEST_BYTES:]
        refused += f"{command[0]}: {done.stderr.strip() or 'nothing'}\n"
    return refused + "Next: as a user in the group adm or systemd-journal, or `sudo dmesg` by hand\n"


def _write(out: Path, parts: list[Part]) -> None:
    """Whole or not at all."""
    fresh = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        with zipfile.ZipFile(fresh, "x", zipfile.ZIP_DEFLATED) as archive:
            for part in parts:
                archive.writestr(part.name, part.text)
        os.link(fresh, out)  # never over a file that came meanwhile
    finally:
        fresh.unlink(missing_ok=True)
