"""What stands under `arms:`, `cameras:`, `vr:` and `world:`: names, drivers, and each driver's own keys.

A driver's keys are checked by its `Settings` struct, found through the entry point group `station.drivers`; no vendor SDK is imported.
"""

import hashlib
import re
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from station.bus.streams import STREAMS
from station.files.runtime_folder import own_folder, runtime_folder
from station.rig.problems import Problems

NAME_PATTERN = "[a-z][a-z0-9_]{0,23}"
"""The whole of what a rig, a side or a camera is called."""
NAME = re.compile(rf"{NAME_PATTERN}\Z")
RESERVED = (
    "world", "pilot", "vr", "vr_teleop", "vr_panel", "synchronizer", "policy", "policy_shadow", "session", "supervisor", "replay",
    "console", "rig", "tick", "logs", "ports",
)  # fmt: skip
"""What a camera cannot be called: nodes of the station's own, who or what else has a name on the bus, in a file's `/timestamps`, or in the
runtime folder."""
PORT_KEYS = ("port", "address", "source", "serial")
"""Of a driver's settings: where its device is. The first that is given names it."""
Role = Literal["leader", "follower", "camera", "vr"]


class Entry(NamedTuple):
    """One driver of the file: an arm's, a camera's, the headset's, a world's."""

    node: str
    role: Any
    driver: str
    """The entry point's value: `package.module:Class`."""
    settings: Any
    """The driver's own struct; a world's keys as they are."""
    side: str
    key: str
    """Where it stands in the file."""
    given: dict[str, Any] = {}
    """Where it is: those of `PORT_KEYS` that are given."""
    simulated: bool = False
    """Is it the rig's world that is there?"""


class Entries(NamedTuple):
    """All that could be read."""

    devices: list[Entry]
    world: Entry | None


def read(raw: dict[Any, Any], wrong: Problems) -> Entries:
    """Everything under those keys; what is wrong goes to `wrong`. What has a wrong type there was told by whoever read the file."""
    _top(raw, wrong)
    reader = _Reader(raw, wrong)
    devices = reader.devices()
    _refuse_shared_ports(devices, wrong)
    if not reader.tried and not wrong.found:
        wrong.add("arms", "neither arms nor cameras", "describe at least one device")
    return Entries(devices, reader.world())


def load_class(driver: str) -> Any:
    """The class behind `package.module:Class`."""
    module, _, name = driver.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)


@cache
def installed(group: str) -> dict[str, str]:
    """Name → `package.module:Class` of everything that is installed in an entry point group."""
    return {point.name: point.value for point in entry_points(group=group)}


def _top(raw: dict[Any, Any], wrong: Problems) -> None:
    name, tick_hz, settle_ms, data = (raw.get(key) for key in ("name", "tick_hz", "settle_ms", "data"))
    if isinstance(name, str) and not NAME.match(name):
        wrong.add("name", f"{name!r}", "use 1 to 24 of a–z, 0–9 and _, beginning with a letter")
    tick_hz = 50.0 if tick_hz is None else tick_hz
    if isinstance(tick_hz, int | float) and not 1 <= tick_hz <= 200 and abs(tick_hz) < _ABSURD:
        wrong.add("tick_hz", f"{float(tick_hz)}", "use 1 to 200 (50 is what ALOHA, ACT and openpi expect)")
    elif isinstance(settle_ms, int | float) and not 0 <= settle_ms < 1000 / tick_hz and abs(settle_ms) < _ABSURD:
        wrong.add("settle_ms", f"{float(settle_ms)}", f"use 0 to less than a tick, {1000 / tick_hz:g} ms")
    if isinstance(data, str):
        try:
            if not data.strip() or not data.isprintable():
                raise ValueError(f"{data[:50]!r} is no folder")
            Path(data).expanduser()
        except (ValueError, RuntimeError) as error:  # what pathlib raises for a user that is not there
            wrong.add("data", str(error), "name the folder that episodes go to, such as ~/station-data")


_ABSURD = 1e12
"""A number beyond is told by whoever read the file."""


class _Reader:
    def __init__(self, raw: dict[Any, Any], wrong: Problems) -> None:
        self._raw, self._wrong = raw, wrong
        self._simulated = raw.get("world") is not None
        self._cameras = _mapping(raw.get("cameras"))
        self.tried = 0
        """Devices that the file describes, right or wrong."""
        self._nodes: set[str] = set()

    def devices(self) -> list[Entry]:
        """Arms in the order of the vector, cameras in the file's, the headset."""
        found = [
            device for name, side in _mapping(self._raw.get("arms")).items() for device in self._side(str(name), side)
        ]
        for name, entry in self._cameras.items():
            key = f"cameras.{name}"
            if not NAME.match(str(name)):
                self._wrong.add(key, "not a name", "use a–z, 0–9 and _, such as cam_high")
            elif taken := self._taken(name):
                self._wrong.add(key, f"the name is {taken}", "give it another, such as cam_high")
            found += self._device(key, str(name), "camera", entry)
        if self._raw.get("vr") is not None:
            found += self._device("vr", "vr", "vr", self._raw["vr"])
        return found

    def world(self) -> Entry | None:
        """What stands in for the hardware."""
        entry = self._raw.get("world")
        if not isinstance(entry, dict):
            return None
        keys = dict(entry)
        driver = self._entry_point("world.driver", "station.worlds", keys.pop("driver", None))
        return Entry("world", "world", driver, keys, "", "world") if driver else None

    def _side(self, name: str, side: object) -> list[Entry]:
        key, found = f"arms.{name}", []
        if not NAME.match(name):
            self._wrong.add(key, "not a name", "use a–z, 0–9 and _, such as left and right")
        arms = {
            role: entry
            for role, entry in _mapping(side).items()
            if role in ("leader", "follower") and entry is not None
        }
        if isinstance(side, dict) and not arms:
            self._wrong.add(key, "neither leader nor follower", "describe one, or take the side out")
        elif "leader" in arms and "follower" not in arms:
            self._wrong.add(
                f"{key}.leader", "a leader without a follower", f"describe {key}.follower, which it commands"
            )
        for role in ("leader", "follower"):
            if role in arms:
                found += self._device(f"{key}.{role}", f"{role}_{name}", role, arms[role], name)
        return found

    def _taken(self, name: str) -> str:
        """Whose a camera's name is already; "" if it may have it."""
        if name in RESERVED or name in STREAMS:
            return "the station's own"
        if name in self._nodes:
            return "an arm's"
        camera = name.removesuffix("_depth")  # what a camera's depth is called in ticks and files
        return f"that of {camera}'s depth" if camera != name and camera in self._cameras else ""

    def _device(self, key: str, node: str, role: str, entry: object, side: str = "") -> list[Entry]:
        self.tried += 1
        self._nodes.add(node)
        if not isinstance(entry, dict):
            return []
        keys = dict(entry)
        driver = self._entry_point(f"{key}.driver", "station.drivers", keys.pop("driver", None))
        places = {name: place for name in PORT_KEYS if (place := self._of_world(keys.get(name))) is not None}
        keys |= places
        if not driver:
            return []
        try:
            struct = load_class(driver).Settings
        except (ImportError, AttributeError) as error:
            self._wrong.add(f"{key}.driver", f"{driver} cannot be loaded: {error}", "install it again")
            return []
        settings = self._wrong.read(struct, keys, key)
        if settings is None:
            return []
        known = msgspec.structs.asdict(settings)
        given = {name: known[name] for name in PORT_KEYS if known.get(name)}
        if role in ("leader", "follower"):
            self._one_place(key, [name for name in ("port", "address") if name in known], given)
        return [Entry(node, role, driver, settings, side, key, given, bool(places))]

    def _of_world(self, value: object) -> str | None:
        """The port or address that a simulated rig's world binds for `ports/…` or `world/…`; None where the value is neither."""
        rig = str(self._raw.get("name"))
        if not self._simulated or not isinstance(value, str) or not value.startswith(("ports/", "world/")):
            return None
        if not NAME.match(rig):
            return value
        folder = runtime_folder(rig)
        if value.startswith("ports/"):
            return str(own_folder(folder / "ports") / value.removeprefix("ports/"))
        return world_address(folder, value.removeprefix("world/"))

    def _one_place(self, key: str, allowed: list[str], given: dict[str, Any]) -> None:
        """An arm is at a port or at an address, one of them."""
        found = [name for name in allowed if name in given]
        if not allowed:
            self._wrong.add(key, "its driver takes neither a port nor an address", "report it to the driver's author")
        elif len(found) != 1:
            said = (
                f"both port {given['port']} and address {given['address']}" if found else f"no {' or '.join(allowed)}"
            )
            fix = " or ".join(_PLACES[name] for name in allowed)
            self._wrong.add(key, f"an arm is at one place, and this one has {said}", f"give {fix}")

    def _entry_point(self, key: str, group: str, name: object) -> str:
        known = installed(group)
        if isinstance(name, str) and name in known:
            return known[name]
        found = "missing" if name is None else f"{name!r} is not installed"
        self._wrong.add(key, found, f"one of {', '.join(sorted(known)) or '(none installed)'}")
        return ""


def world_address(folder: Path, name: str) -> str:
    """The loopback address of `world/<name>`: another one for each rig and runtime folder, and never 127.0.0.x, where vendors'
    libraries leave out checks. Linux answers to all of 127.0.0.0/8.
    """
    a, b, c = hashlib.sha256(f"{folder}/{name}".encode()).digest()[:3]
    return f"127.{1 + a % 254}.{b}.{1 + c % 254}"


_PLACES = {
    "port": "a serial port, such as port: /dev/ttyDXL_leader_left",
    "address": "a network address, such as address: 192.168.1.10",
}


def _mapping(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _refuse_shared_ports(devices: list[Entry], wrong: Problems) -> None:
    owner: dict[str, str] = {}
    for device in devices:
        for key, port in device.given.items():
            if not isinstance(port, str):
                continue
            if port in owner:
                wrong.add(
                    device.node, f"{key} {port} is already {owner[port]}'s", "one device, one port: correct one of them",
                    place=f"{device.key}.{key}",
                )  # fmt: skip
            owner.setdefault(port, device.node)
