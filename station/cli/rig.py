"""`station rig ls | new | check | show | use`: rig files, and which one is this computer's. `station rig try` is `calibration.trying`."""

import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from station.cli.lazily import GROUP, group
from station.errors import StationError, UsageError
from station.files import settings, try_results
from station.rig.choice import choice, rig_of
from station.rig.entries import installed
from station.rig.file import read_rig_file
from station.rig.foresight import foresee
from station.rig.problems import Problem
from station.rig.rig import Rig, find_rig, inspect, own_rigs, rig_names, shipped_rigs
from station.terminal.screen import PlainConsole, numbers
from station.terminal.told import JsonOption, tell

app = group(
    "Rig files: list, write, check, show them; choose this computer's; try the rig by hand.",
    {"new": "station.cli.new_rig:new"}, f"{GROUP}.rig",
)  # fmt: skip
console = PlainConsole()


class RigLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rig of `station rig ls`."""

    name: str
    file: str
    owner: Literal["shipped", "yours"]
    chosen: bool
    """Is it the rig of every command without `--rig`?"""
    arms: int
    cameras: int
    simulated: bool


class RigList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station rig ls --json` tells."""

    chosen_by: str
    """Who chose: STATION_RIG, the settings file, or nobody."""
    rigs: tuple[RigLine, ...]


class RigChecked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station rig check --json` tells."""

    file: str
    good: bool
    problems: tuple[Problem, ...]


class DeviceShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device of `station rig show`."""

    node: str
    role: str
    driver: str
    port: str
    keys: dict[str, Any]


class RigShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station rig show --json` tells: the rig as it is understood, defaults filled in."""

    name: str
    file: str
    chosen_by: str
    sha256: str
    tick_hz: float
    data: str
    images: str
    simulated: bool
    tried: str
    """What `station rig try` found of it as it is: pass, warn or fail; "" where this file was never tried."""
    devices: tuple[DeviceShown, ...]
    safety: dict[str, float]


@app.command()
def ls(as_json: JsonOption = False) -> None:
    """The rigs that `--rig` takes by name: shipped ones and yours; the one without `--rig` is marked."""
    told = _list()
    if as_json:
        tell(told)
        return
    table = numbers(("", "rig", "arms", "cameras", ""), ("", "rig"))
    for rig in told.rigs:
        notes = f"{rig.owner}{', simulated' if rig.simulated else ''}"
        table.add_row("→" if rig.chosen else "", rig.name, str(rig.arms), str(rig.cameras), notes)
    console.print(table)
    chosen = [rig for rig in told.rigs if rig.chosen]
    if chosen:
        console.print(f"→ is taken where no --rig is given, by {told.chosen_by}")
    elif told.chosen_by:
        console.print(f"taken where no --rig is given, by {told.chosen_by}: {choice().name_or_path}")
    else:
        console.print("none is this computer's. Next: `station rig use NAME`, so that --rig need not be typed")
    console.print(f"yours are in {own_rigs()}; `station rig new NAME` writes one")


def _list() -> RigList:
    try:
        chosen = choice()
        file = find_rig(chosen.name_or_path)
    except UsageError:
        chosen, file = None, None
    return RigList(chosen.chosen_by if chosen is not None else "", tuple(_line(name, file) for name in rig_names()))


def _line(name: str, chosen: Path | None) -> RigLine:
    """Of a file that is only read: `check` and `show` ask the drivers what they make of it."""
    path = find_rig(name)
    try:
        raw = read_rig_file(path)[0].value
    except StationError:
        raw = None
    raw = raw if isinstance(raw, dict) else {}
    sides = [side for side in _values(raw.get("arms")) if isinstance(side, dict)]
    arms = sum(side.get(role) is not None for side in sides for role in ("leader", "follower"))
    owner: Literal["shipped", "yours"] = "shipped" if name in shipped_rigs() else "yours"
    return RigLine(
        name, str(path), owner, path == chosen, arms, len(_values(raw.get("cameras"))), raw.get("world") is not None
    )


def _values(mapping: object) -> list[object]:
    return list(mapping.values()) if isinstance(mapping, dict) else []


@app.command()
def check(
    rig: Annotated[str, typer.Argument(help="a rig's name or file; without it the one --rig would be")] = "",
    as_json: JsonOption = False,
) -> None:
    """Everything that is wrong with a rig file, line by line, and what in it will bite. Exit 1 if anything is wrong."""
    path = find_rig(choice(rig).name_or_path)
    inspected = inspect(path)
    found = inspected.problems if inspected.rig is None else foresee(inspected.rig, inspected.lines)
    told = RigChecked(str(path), inspected.rig is not None, found)
    if as_json:
        tell(told)
    else:
        for line in as_lines(told):
            console.print(line)
    if not told.good:
        raise typer.Exit(1)


def as_lines(told: RigChecked) -> list[str]:
    """For people: what, where, what to do; the sum last, where the eye is."""
    lines = []
    for problem, following in zip_longest(told.problems, told.problems[1:]):
        where = f"line {problem.line}: " if problem.line else ""
        lines.append(f"{where}{problem.key}: {problem.found}")
        if following is None or following.fix != problem.fix:  # once for all that want the same
            lines.append(f"    {'Fix' if problem.level == 'error' else 'Next'}: {problem.fix}")
    errors = sum(problem.level == "error" for problem in told.problems)
    warnings = len(told.problems) - errors
    if errors:
        lines.append(f"{told.file}: {_count(errors, 'error')}. Next: correct them, then `station rig check` again")
    else:
        lines.append(f"{told.file}: no errors" + (f", {_count(warnings, 'thing')} that will bite" if warnings else ""))
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


@app.command()
def show(
    rig: Annotated[str, typer.Argument(help="a rig's name or file; without it the one --rig would be")] = "",
    as_json: JsonOption = False,
) -> None:
    """A rig as it is understood: its devices, where they are plugged in, its data folder."""
    chosen_by = choice(rig).chosen_by if not rig else "the command line"
    loaded = rig_of(rig)
    if as_json:
        tell(_shown(loaded, chosen_by))
        return
    kind = "simulated" if loaded.world is not None else "real"
    console.print(f"rig {loaded.name} ({kind}, {loaded.tick_hz:g} ticks a second)")
    console.print(f"  file      {loaded.file}")
    console.print(f"  episodes  {loaded.data}, pictures {loaded.images}")
    console.print(f"  by hand   {_by_hand(loaded)}")
    columns = ("device", "driver", "model or size", "plugged in at")
    table = numbers(columns, columns)
    for device in _shown(loaded, chosen_by).devices:
        keys = device.keys
        what = str(
            keys.get("model") or (f"{keys['width']}×{keys['height']}, {keys['fps']:g} fps" if "width" in keys else "")
        )
        table.add_row(device.node, device.driver, what, device.port)
    console.print(table)
    console.print(
        f"Next: `station rig check {rig or loaded.name}` says what will bite; every key is in docs/reference/rig-file.md"
    )


def _by_hand(rig: Rig) -> str:
    tried = try_results.last(rig.name, rig.sha256)
    if tried is None:
        return "never tried as it is (`station rig try`)"
    day = datetime.datetime.fromtimestamp(tried.at_s).astimezone().date().isoformat()
    return f"tried {day}{f' by {tried.operator}' if tried.operator else ''}: {tried.result.verdict}"


def _shown(rig: Rig, chosen_by: str) -> RigShown:
    devices = []
    names = {value: name for name, value in installed("station.drivers").items()}
    for device in rig.devices:
        keys = {key: value for key, value in msgspec.to_builtins(device.settings).items() if value is not None}
        devices.append(DeviceShown(device.node, device.role, names[device.driver], device.port, keys))
    tried = try_results.last(rig.name, rig.sha256)
    return RigShown(
        rig.name, str(rig.file), chosen_by, rig.sha256, rig.tick_hz, str(rig.data), rig.images, rig.world is not None,
        tried.result.verdict if tried is not None else "", tuple(devices), msgspec.to_builtins(rig.safety),
    )  # fmt: skip


@app.command()
def use(rig: Annotated[str, typer.Argument(help="a rig's name, or its file")]) -> None:
    """Make a rig this computer's: the one that commands take without `--rig`."""
    path = find_rig(rig)
    inspected = inspect(path)
    if inspected.rig is None:
        raise StationError(f"{path} has {_count(len(inspected.problems), 'error')}. Next: `station rig check {rig}`")
    name = rig if rig in rig_names() else str(Path(path).resolve())
    file = settings.use_rig(name)
    console.print(f"rig {inspected.rig.name} is this computer's now ({file}); $STATION_RIG and --rig go over it")
