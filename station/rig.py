"""The rig file: one YAML file that describes one robot set-up. Its keys are a contract (docs/reference/rig-file.md).

Loading checks everything that can be known before a process starts: unknown keys, types, drivers that do not exist, two
devices on one port. A driver's own keys are checked by its `Settings` struct, found through the entry point group
`station.drivers`; no vendor SDK is imported for it.
"""

import difflib
import hashlib
import re
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from station.errors import RigError, UsageError
from station.runtime import runtime_folder

SHIPPED = Path(__file__).parent / "rigs"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}\Z")
_PORT_KEYS = ("port", "source", "serial")


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an arm's base stands in the rig frame: x forward, y left, z up."""

    xyz_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rpy_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Safety(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rig's limits."""

    velocity_rad_s: float = 3.14
    """Of every servo, in the last gate and in the servo itself."""
    acceleration_rad_s2: float = 100.0
    """Of every goal, in the last gate."""
    stale_ms: float = 100.0
    """Without a command for this long an arm decelerates and holds."""
    divergence_rad: float = 0.6
    """A goal this far from the measured pose for 0.3 s is a hold; grippers are exempt."""
    camera_loss_s: float = 1.0
    """A camera silent for longer ends the episode."""
    session_hours: float = 8.0
    """How long a calibration check counts."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            if not 0 < getattr(self, field) < 1e6:
                raise ValueError(f"{field} must be a number above 0")


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the check before a session. Each is (warn, fail): beyond the first it warns, beyond the second it fails."""

    zero_deg: tuple[float, float] = (0.5, 0.9)
    """A joint on its rest stops against where it rested when it was zeroed."""
    leader_follower_deg: tuple[float, float] = (0.8, 1.6)
    """A leader's joint against its follower's, both on their rest stops or engaged."""
    gripper_percent: tuple[float, float] = (4.0, 8.0)
    """A gripper's travel, shorter than the generation's."""
    supply_v: tuple[float, float] = (11.0, 10.0)
    """The lowest voltage a servo sees; below."""
    temperature_c: tuple[float, float] = (55.0, 68.0)
    """The hottest servo."""
    error_percent: tuple[float, float] = (0.5, 5.0)
    """Readings of an arm that failed."""
    rate_percent: tuple[float, float] = (95.0, 85.0)
    """Achieved of the declared rate; below."""
    serial_ms: tuple[float, float] = (4.0, 8.0)
    """From read request to reply, median."""
    jitter_ms: tuple[float, float] = (15.0, 40.0)
    """95th percentile of a camera's gaps about their median."""
    brightness_percent: tuple[float, float] = (15.0, 30.0)
    """Mean brightness against the reference."""
    sharpness_percent: tuple[float, float] = (20.0, 40.0)
    """Fine detail lost against the reference."""
    camera_mm: tuple[float, float] = (1.5, 2.5)
    """How far a camera has moved, if it shifted."""
    camera_deg: tuple[float, float] = (0.2, 0.4)
    """How far a camera has turned, if it turned."""
    scene_depth_m: float = 0.8
    """How far cameras are from what matters, where calibration has not measured it."""
    latency_ms: tuple[float, float] = (15.0, 30.0)
    """How late a camera is against the arms, its stored latency taken off."""
    latency_days: float = 90.0
    """How long a camera's measured latency is taken to hold."""
    late_percent: tuple[float, float] = (1.0, 5.0)
    """Ticks more than 5 ms late."""
    disk_gb: tuple[float, float] = (20.0, 5.0)
    """Free on the data folder's disk; below."""
    disk_mb_s: tuple[float, float] = (60.0, 25.0)
    """Write speed there; below."""


class Teleop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a VR operator's hands move the arms."""

    scale: float = 1.0
    """The gripper's way per the hand's."""
    lower_m: tuple[float, float, float] = (-2.0, -2.0, 0.0)
    """The box in the rig frame that the fingertips stay in. z = 0 is the table when the bases stand on it."""
    upper_m: tuple[float, float, float] = (2.0, 2.0, 2.0)

    def __post_init__(self) -> None:
        if not 0.05 <= self.scale <= 5:
            raise ValueError("scale must be 0.05 to 5")
        if not all(low < high for low, high in zip(self.lower_m, self.upper_m, strict=True)):
            raise ValueError("lower_m must be below upper_m in x, y and z")


class _Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base: Base = Base()
    """Where the arm stands; needed for VR and frames."""
    leader: dict[str, Any] | None = None
    """`{driver: …, keys of that driver}`."""
    follower: dict[str, Any] | None = None
    """`{driver: …, keys of that driver}`."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    """1 to 24 of a–z, 0–9 and _; also names the runtime folder."""
    tick_hz: float = 50.0
    """Rows a second. 50 is what ALOHA, ACT and openpi expect."""
    settle_ms: float = 3.0
    """How long after t_k a tick is emitted, so that samples captured before it have arrived."""
    data: str = "~/station-data"
    """Episodes go to `<data>/<task>/episode_<n>.hdf5`."""
    images: Literal["jpeg", "raw"] = "jpeg"
    """How the HDF5 keeps pictures: JPEG as shot, or raw RGB (ACT's own loader; 184 MB/s for 4 cameras)."""
    arms: dict[str, _Side] = {}
    """Sides by name; their order makes the vector."""
    cameras: dict[str, dict[str, Any]] = {}
    """Cameras by name, each `{driver: …, keys of that driver}`."""
    vr: dict[str, Any] | None = None
    """A headset, `{driver: …, keys of that driver}`."""
    teleop: Teleop = Teleop()
    """How a VR operator's hands move the arms."""
    safety: Safety = Safety()
    """Limits, see below."""
    check: Check = Check()
    """Limits of the check before a session, see below."""
    world: dict[str, Any] | None = None
    """Simulated rigs: what stands where the metal would. A `port:` or `source:` `ports/…` is then the world's."""


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
    """What stands where the metal would, on a simulated rig."""

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
    shipped = SHIPPED / f"{name_or_path}.yaml"
    if shipped.is_file():
        return shipped
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path.resolve()
    raise UsageError(
        f"--rig {name_or_path}: no such file, and no shipped rig of that name. Shipped: {', '.join(shipped_rigs())}"
    )


def load_rig(path: Path) -> Rig:
    """Read and check a rig file. Raises RigError: file, key, what is wrong, the fix."""
    try:
        text = path.read_text()
        raw = yaml.load(text, Loader=UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        raise RigError(path, "file", f"cannot be read: {error}", "check the path and its permissions") from error
    except yaml.YAMLError as error:
        raise RigError(path, "file", " ".join(str(error).split()), "correct that line; the file is YAML") from error
    file = _convert(path, "rig", raw, _File)
    if not _NAME.match(file.name):
        raise RigError(path, "name", f"{file.name!r}", "use 1 to 24 of a–z, 0–9 and _, beginning with a letter")
    if not 1 <= file.tick_hz <= 200:
        raise RigError(path, "tick_hz", f"{file.tick_hz}", "use 1 to 200 (50 is what ALOHA, ACT and openpi expect)")
    devices = tuple(_devices(path, file))
    _refuse_shared_ports(path, devices)
    if not devices:
        raise RigError(path, "arms", "neither arms nor cameras", "describe at least one device")
    return Rig(
        name=file.name, file=path, sha256=hashlib.sha256(text.encode()).hexdigest(), tick_hz=file.tick_hz,
        settle_ms=file.settle_ms, data=Path(file.data).expanduser(), images=file.images,
        sides=tuple(_side(name, side) for name, side in file.arms.items()), devices=devices,
        safety=file.safety, world=_world(path, file.world), check=file.check, teleop=file.teleop,
    )  # fmt: skip


def load_class(driver: str) -> Any:
    """The class behind `package.module:Class`."""
    module, _, name = driver.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)


def _side(name: str, side: _Side) -> Side:
    leader = f"leader_{name}" if side.leader is not None else None
    follower = f"follower_{name}" if side.follower is not None else None
    return Side(name, side.base, leader, follower)


def _devices(path: Path, file: _File) -> list[Device]:
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
        devices.append(_device(path, file, f"cameras.{name}", name, "camera", entry))
    if file.vr is not None:
        devices.append(_device(path, file, "vr", "vr", "vr", file.vr))
    return devices


def _device(path: Path, file: _File, key: str, node: str, role: Any, entry: dict[str, Any], side: str = "") -> Device:
    keys = dict(entry)
    driver = _entry_point(path, f"{key}.driver", "station.drivers", keys.pop("driver", None))
    for name in _PORT_KEYS:
        value = keys.get(name)
        if file.world is not None and isinstance(value, str) and value.startswith("ports/"):
            keys[name] = str(runtime_folder(file.name) / value)
    settings = _convert(path, key, keys, load_class(driver).Settings)
    return Device(node, role, driver, settings, side)


def _world(path: Path, entry: dict[str, Any] | None) -> World | None:
    if entry is None:
        return None
    keys = dict(entry)
    return World(_entry_point(path, "world.driver", "station.worlds", keys.pop("driver", None)), keys)


def _entry_point(path: Path, key: str, group: str, name: object) -> str:
    known = {point.name: point.value for point in entry_points(group=group)}
    if not isinstance(name, str) or name not in known:
        found = "missing" if name is None else f"{name!r} is not installed"
        raise RigError(path, key, found, f"one of {', '.join(sorted(known)) or '(none installed)'}")
    return known[name]


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


def _convert(path: Path, key: str, raw: object, struct: Any) -> Any:
    try:
        return msgspec.convert(raw, struct)
    except msgspec.ValidationError as error:
        where, found = _locate(key, str(error))
        raise RigError(path, where, found, _fix(found, struct)) from error


def _locate(key: str, message: str) -> tuple[str, str]:
    found, _, where = message.partition(" - at `$")
    where = where.rstrip("`").lstrip(".").replace("[...]", "")
    base = "" if key == "rig" else key
    return ".".join(part for part in (base, where) if part) or key, found


def _fix(found: str, struct: Any) -> str:
    unknown = re.search(r"unknown field `(.+?)`", found)
    if unknown is None:
        return "correct the value (docs/reference/rig-file.md lists the keys and their types)"
    names = sorted({field for kind in _structs(struct) for field in kind.__struct_fields__})
    near = difflib.get_close_matches(unknown[1], names, 1)
    return f"did you mean `{near[0]}`?" if near else f"take it out; the keys are {', '.join(struct.__struct_fields__)}"


def _structs(struct: Any) -> list[Any]:
    return [struct, *((_Side, Safety, Check, Teleop, Base) if struct is _File else ())]


class UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key given twice (plain YAML silently keeps the last)."""


def _mapping(loader: UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key, _ in node.value:
        name = loader.construct_object(key)
        if name in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} is given twice", key.start_mark)
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
