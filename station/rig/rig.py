"""The rig: one robot set-up, from one YAML file (its keys: `station.rig.file`), checked.

Loading checks everything that can be known before a process starts: unknown keys, types, drivers that do not exist, two
devices on one port. A driver's own keys are checked by its `Settings` struct, found through the entry point group
`station.drivers`; no vendor SDK is imported for it.
"""

import hashlib
import re
from functools import cache, cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import msgspec

from station.bus.streams import STREAMS
from station.errors import RigError, UsageError
from station.files.runtime_folder import own_folder, runtime_folder
from station.rig.file import Base, Board, Check, RigFile, Safety, SideEntry, Teleop, convert, read_rig_file

SHIPPED = Path(__file__).parents[1] / "rigs"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}\Z")
RESERVED = (
    "world", "pilot", "vr", "vr_teleop", "vr_panel", "synchronizer", "policy", "policy_shadow", "session", "supervisor", "replay",
    "console", "rig", "tick", "logs", "ports",
)  # fmt: skip
"""What a camera cannot be called: nodes of the station's own, who or what else has a name on the bus, in a file's `/timestamps`, or in the
runtime folder."""
_PORT_KEYS = ("port", "source", "serial")


class Device(msgspec.Struct, frozen=True):
    """One device of the rig, checked."""

    node: str
    role: Literal["leader", "follower", "camera", "vr"]
    driver: str
    """The entry point's value: `package.module:Class`."""
    settings: Any
    """The driver's own Settings struct."""
    side: str = ""

    @property
    def port(self) -> str:
        """Where it is plugged in, as the rig file says: its port, source or serial."""
        values = (getattr(self.settings, key, None) for key in _PORT_KEYS)
        return next((str(value) for value in values if value), self.node)


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
        """Are there arms on ports that are neither a world's nor a pty?"""
        ports = [
            str(getattr(device.settings, "port", ""))
            for device in self.devices
            if device.role in ("leader", "follower")
        ]
        return self.world is None and any(not port.startswith("/dev/pts/") for port in ports)


def shipped_rigs() -> list[str]:
    """The names `--rig` takes without a path."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def find_rig(name_or_path: str) -> Path:
    """The file behind `--rig`: a shipped name or a path. Raises UsageError naming the shipped ones."""
    try:
        shipped = SHIPPED / f"{name_or_path}.yaml"
        path = Path(name_or_path).expanduser()
        if shipped.is_file():
            return shipped
        if path.is_file():
            return path.resolve()
    except (
        OSError,
        RuntimeError,
    ):  # longer than a name may be, a folder of somebody else's, a `~user` who is not there: no file of ours
        pass
    raise UsageError(
        f"--rig {name_or_path[:200]}: no such file, and no shipped rig of that name. Shipped: {', '.join(shipped_rigs())}"
    )


def load_rig(path: Path) -> Rig:
    """Read and check a rig file. Raises RigError: file, key, what is wrong, the fix."""
    file, text = read_rig_file(path)
    if not _NAME.match(file.name):
        raise RigError(path, "name", f"{file.name!r}", "use 1 to 24 of a–z, 0–9 and _, beginning with a letter")
    if not 1 <= file.tick_hz <= 200:
        raise RigError(path, "tick_hz", f"{file.tick_hz}", "use 1 to 200 (50 is what ALOHA, ACT and openpi expect)")
    if not 0 <= file.settle_ms < 1000 / file.tick_hz:
        raise RigError(path, "settle_ms", f"{file.settle_ms}", f"use 0 to less than a tick, {1000 / file.tick_hz:g} ms")
    data = _data(path, file.data)
    devices = tuple(_devices(path, file))
    _refuse_shared_ports(path, devices)
    if not devices:
        raise RigError(path, "arms", "neither arms nor cameras", "describe at least one device")
    return Rig(
        name=file.name, file=path, sha256=hashlib.sha256(text.encode()).hexdigest(), tick_hz=file.tick_hz,
        settle_ms=file.settle_ms, data=data, images=file.images,
        sides=tuple(_side(name, side) for name, side in file.arms.items()), devices=devices,
        safety=file.safety, world=_world(path, file.world), check=file.check, teleop=file.teleop, board=file.board,
    )  # fmt: skip


def _data(path: Path, data: str) -> Path:
    """The folder of the episodes."""
    try:
        if not data.strip() or not data.isprintable():
            raise ValueError(f"{data[:50]!r} is no folder")
        return Path(data).expanduser()
    except (ValueError, RuntimeError) as error:  # what pathlib raises for a user that is not there
        raise RigError(
            path, "data", str(error), "name the folder that episodes go to, such as ~/station-data"
        ) from error


def load_class(driver: str) -> Any:
    """The class behind `package.module:Class`."""
    module, _, name = driver.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)


def _side(name: str, side: SideEntry) -> Side:
    leader = f"leader_{name}" if side.leader is not None else None
    follower = f"follower_{name}" if side.follower is not None else None
    return Side(name, side.base, leader, follower)


def _devices(path: Path, file: RigFile) -> list[Device]:
    devices = []
    for name, side in file.arms.items():
        if not _NAME.match(name):
            raise RigError(path, f"arms.{name}", "not a name", "use a–z, 0–9 and _, such as left and right")
        if side.leader is None and side.follower is None:
            raise RigError(path, f"arms.{name}", "neither leader nor follower", "describe one, or take the side out")
        for role, entry in (("leader", side.leader), ("follower", side.follower)):
            if entry is not None:
                devices.append(_device(path, file, f"arms.{name}.{role}", f"{role}_{name}", role, entry, name))
    for name, entry in file.cameras.items():
        if not _NAME.match(name):
            raise RigError(path, f"cameras.{name}", "not a name", "use a–z, 0–9 and _, such as cam_high")
        if taken := _taken(name, file, {device.node for device in devices}):
            raise RigError(path, f"cameras.{name}", f"the name is {taken}", "give it another, such as cam_high")
        devices.append(_device(path, file, f"cameras.{name}", name, "camera", entry))
    if file.vr is not None:
        devices.append(_device(path, file, "vr", "vr", "vr", file.vr))
    return devices


def _taken(name: str, file: RigFile, nodes: set[str]) -> str:
    """Whose a camera's name is already; "" if it may have it."""
    if name in RESERVED or name in STREAMS:
        return "the station's own"
    if name in nodes:
        return "an arm's"
    camera = name.removesuffix("_depth")  # what a camera's depth is called in ticks and files
    return f"that of {camera}'s depth" if camera != name and camera in file.cameras else ""


def _device(path: Path, file: RigFile, key: str, node: str, role: Any, entry: dict[str, Any], side: str = "") -> Device:
    keys = dict(entry)
    driver = _entry_point(path, f"{key}.driver", "station.drivers", keys.pop("driver", None))
    for name in _PORT_KEYS:
        value = keys.get(name)
        if file.world is not None and isinstance(value, str) and value.startswith("ports/"):
            keys[name] = str(own_folder(runtime_folder(file.name) / "ports") / value.removeprefix("ports/"))
    try:
        struct = load_class(driver).Settings
    except (ImportError, AttributeError) as error:
        raise RigError(path, f"{key}.driver", f"{driver} cannot be loaded: {error}", "install it again") from error
    settings = convert(path, key, keys, struct)
    return Device(node, role, driver, settings, side)


def _world(path: Path, entry: dict[str, Any] | None) -> World | None:
    if entry is None:
        return None
    keys = dict(entry)
    return World(_entry_point(path, "world.driver", "station.worlds", keys.pop("driver", None)), keys)


def _entry_point(path: Path, key: str, group: str, name: object) -> str:
    known = _installed(group)
    if not isinstance(name, str) or name not in known:
        found = "missing" if name is None else f"{name!r} is not installed"
        raise RigError(path, key, found, f"one of {', '.join(sorted(known)) or '(none installed)'}")
    return known[name]


@cache
def _installed(group: str) -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=group)}


def _refuse_shared_ports(path: Path, devices: tuple[Device, ...]) -> None:
    owner: dict[str, str] = {}
    for device in devices:
        for key in _PORT_KEYS:
            port = getattr(device.settings, key, None)
            if not isinstance(port, str) or not port:
                continue
            if port in owner:
                raise RigError(
                    path,
                    device.node,
                    f"{key} {port} is already {owner[port]}'s",
                    "one device, one port: correct one of them",
                )
            owner[port] = device.node
