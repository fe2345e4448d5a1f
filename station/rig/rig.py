"""The rig: one robot set-up, from one YAML file (its keys: `station.rig.file`), checked.

Loading checks everything that can be known before a process starts: unknown keys, types, drivers that do not exist, two
devices on one port. A driver's own keys are checked by its `Settings` struct, found through the entry point group
`station.drivers`; no vendor SDK is imported for it.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from station.errors import RigError, StationError, UsageError
from station.files import settings
from station.rig import entries
from station.rig.entries import Entry
from station.rig.file import Base, Board, Check, RigFile, Safety, SideEntry, Task, Teleop, read_rig_file
from station.rig.problems import Problem, Problems

NO_RIG = "no-rig"
"""No rig file can call its rig that: names have no dash."""
SHIPPED = Path(__file__).parents[1] / "rigs"


class Device(msgspec.Struct, frozen=True):
    """One device of the rig, checked."""

    node: str
    role: Literal["leader", "follower", "camera", "vr"]
    driver: str
    """The entry point's value: `package.module:Class`."""
    settings: Any
    """The driver's own Settings struct."""
    side: str = ""
    at: str = ""
    """Its port, address, source or serial; "" where nothing says."""
    networked: bool = False
    """Is it reached by an `address`, not by a cable of its own?"""
    simulated: bool = False
    """Is it the rig's world that stands at its port or address (`ports/…`, `world/…`)? Any other may lead to metal: a pty and a loopback
    address too, for something may tunnel through them.
    """

    @property
    def port(self) -> str:
        """Where it is, for people: its port, address, source or serial, or its name where nothing says."""
        return self.at or self.node

    @property
    def is_arm(self) -> bool:
        """Can it have torque?"""
        return self.role in ("leader", "follower")


class Side(msgspec.Struct, frozen=True):
    """One side of the rig: nodes of its arms, and where it stands."""

    name: str
    base: Base
    leader: str | None
    follower: str | None


class World(msgspec.Struct, frozen=True):
    """What stands in for the hardware, on a simulated rig."""

    driver: str
    settings: dict[str, Any]


class Rig(msgspec.Struct, frozen=True, dict=True):
    """A checked rig."""

    name: str
    file: Path
    sha256: str
    tick_hz: float
    settle_ms: float
    data: Path
    images: Literal["jpeg", "raw"]
    sides: tuple[Side, ...]
    devices: tuple[Device, ...]
    safety: Safety
    world: World | None
    check: Check = Check()
    teleop: Teleop = Teleop()
    board: Board = Board()
    marks: tuple[str, ...] = ()
    tasks: Mapping[str, Task] = {}

    def marks_of(self, task: str) -> tuple[str, ...]:
        """Names of the marks that may be set in an episode of a task, in their order."""
        own = self.tasks.get(task)
        return own.marks if own is not None else self.marks

    def device(self, node: str) -> Device:
        """The device of that node; KeyError if there is none."""
        for device in self.devices:
            if device.node == node:
                return device
        raise KeyError(node)

    @cached_property
    def followers(self) -> tuple[str, ...]:
        """Follower nodes in the order of the vector."""
        return tuple(side.follower for side in self.sides if side.follower)

    @cached_property
    def leaders(self) -> tuple[str, ...]:
        """Leader nodes in the order of the vector."""
        return tuple(side.leader for side in self.sides if side.leader)

    @cached_property
    def cameras(self) -> tuple[str, ...]:
        """Camera nodes in the rig file's order."""
        return tuple(device.node for device in self.devices if device.role == "camera")

    @property
    def moves_real_arms(self) -> bool:
        """Is there an arm that this rig's own world does not stand in for?"""
        return any(device.is_arm and not device.simulated for device in self.devices)


def own_rigs() -> Path:
    """The folder of this computer's rig files: what is in it is named like a shipped rig; not made by asking."""
    return settings.folder() / "rigs"


def shipped_rigs() -> list[str]:
    """The names of the rigs that come with the station."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def rig_names() -> list[str]:
    """The names `--rig` takes without a path: shipped ones, then this computer's."""
    shipped = shipped_rigs()
    return shipped + sorted(path.stem for path in own_rigs().glob("*.yaml") if path.stem not in shipped)


def find_rig(name_or_path: str) -> Path:
    """The file behind `--rig`: a shipped name, one of this computer's, or a path. Raises UsageError naming what there is.

    Names have underscores; who types a dash instead means it.
    """
    try:
        path = Path(name_or_path).expanduser()
        for folder in (SHIPPED, own_rigs()):
            if name_or_path == path.name and (named := folder / f"{name_or_path.replace('-', '_')}.yaml").is_file():
                return named
        if path.is_file():
            return path.resolve()
    except (
        OSError,
        RuntimeError,
    ):  # longer than a name may be, a folder of somebody else's, a `~user` who is not there: no file of ours
        pass
    yours = sorted(set(rig_names()) - set(shipped_rigs()))
    raise UsageError(
        f"--rig {name_or_path[:200]}: no such file, and no shipped rig of that name. Shipped: {', '.join(shipped_rigs())}"
        + (f"; yours: {', '.join(yours)}" if yours else "")
    )


def no_rig() -> Rig:
    """In place of one on a computer that has none yet: no devices, no file. Raises SettingsWrong."""
    file = RigFile(NO_RIG)
    return Rig(
        name=NO_RIG, file=Path(), sha256="", tick_hz=file.tick_hz, settle_ms=file.settle_ms, data=_data(file), images=file.images,
        sides=(), devices=(), safety=file.safety, world=None,
    )  # fmt: skip


def place_of_new(name: str, out: Path | None = None) -> Path:
    """Where the file of a new rig goes: `out`, else among this computer's rigs. Raises UsageError for what is no name, StationError where a
    file or a rig of that name is there.
    """
    if not entries.NAME.match(name):
        raise UsageError(
            f"{name[:50]!r} is no name for a rig. Next: 1 to 24 of a–z, 0–9 and _, beginning with a letter"
        )
    file = out or own_rigs() / f"{name}.yaml"
    if file.exists():
        raise StationError(f"{file} is there already and stays as it is. Next: another name, or --out FILE")
    if out is None and name in rig_names():
        raise StationError(f"there is a rig {name} already ({find_rig(name)}). Next: another name")
    return file


class Inspected(NamedTuple):
    """What a rig file says."""

    rig: Rig | None
    """None where something is wrong with it."""
    problems: tuple[Problem, ...]
    """Everything that is wrong, in the order of its lines."""
    lines: dict[str, int]
    """The line of every key, by its path."""


def load_rig(path: Path) -> Rig:
    """Read and check a rig file. Raises RigError with the first thing that is wrong: file, key, what, the fix, the line."""
    found = inspect(path)
    if found.rig is None:
        first, *others = found.problems
        raise RigError(path, first.key, first.found, first.fix, first.line, len(others))
    return found.rig


def inspect(path: Path) -> Inspected:
    """Read and check a rig file, and go on after each thing that is wrong. Raises RigError for one that is no YAML at all."""
    written, text = read_rig_file(path)
    wrong = Problems(written.lines)
    for twice in written.twice:
        wrong.add(
            twice.key, f"given twice, on line {twice.first_line} already", "take one of them out", line=twice.line
        )
    raw = written.value
    file = wrong.read(RigFile, raw)
    found = entries.read(raw if isinstance(raw, dict) else {}, wrong)
    if wrong.found or file is None:
        return Inspected(None, wrong.sorted(), written.lines)
    devices = tuple(_device(entry) for entry in found.devices)
    rig = Rig(
        name=file.name, file=path, sha256=hashlib.sha256(text.encode()).hexdigest(), tick_hz=file.tick_hz,
        settle_ms=file.settle_ms, data=_data(file), images=file.images,
        sides=tuple(_side(name, side) for name, side in file.arms.items()), devices=devices,
        safety=file.safety, world=_world(found.world), check=file.check, teleop=file.teleop, board=file.board,
        marks=file.marks, tasks=file.tasks,
    )  # fmt: skip
    return Inspected(rig, (), written.lines)


def _data(file: RigFile) -> Path:
    """Where its episodes go on this computer. Raises SettingsWrong."""
    return Path(settings.load().data or file.data).expanduser()


def load_class(driver: str) -> Any:
    """The class behind `package.module:Class`."""
    return entries.load_class(driver)


def _side(name: str, side: SideEntry) -> Side:
    leader = f"leader_{name}" if side.leader is not None else None
    follower = f"follower_{name}" if side.follower is not None else None
    return Side(name, side.base, leader, follower)


def _device(entry: Entry) -> Device:
    at = next((str(value) for value in entry.given.values()), "")
    return Device(
        entry.node, entry.role, entry.driver, entry.settings, entry.side, at, "address" in entry.given, entry.simulated
    )


def _world(entry: Entry | None) -> World | None:
    return World(entry.driver, entry.settings) if entry is not None else None
