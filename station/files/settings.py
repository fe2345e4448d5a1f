"""This computer's settings: `$XDG_CONFIG_HOME/station/settings.yaml` (`~/.config/…` without that variable).

What belongs to the computer and its room, not to a rig: which rig is meant where none is named, where episodes go, who may see the
console, who speaks. The file is optional, and so is every key; `station settings show` tells what is in force and from where.
"""

import os
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from station.borders.strict_yaml import UniqueKeys
from station.errors import SettingsWrong
from station.files import durable

HEADER = "# This computer's settings. Every key, its default and what it does: `station settings show`.\n"


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the browser's console listens."""

    address: str = "127.0.0.1"
    """This computer alone unless it is another."""
    port: int = 8480
    """1024 to 65535."""

    def __post_init__(self) -> None:
        if not self.address or not self.address.isprintable() or " " in self.address:
            raise ValueError("address must be a host's name or number, such as 127.0.0.1")
        if not 1024 <= self.port <= 65535:
            raise ValueError("port must be 1024 to 65535")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    rig: str = ""
    """The rig of every command without `--rig`: a shipped name, one of yours, or a path. `station rig use` writes it."""
    data: str = ""
    """Where episodes go, over every rig file's `data`; a command's `--data` goes over this."""
    console: Console = Console()
    """The browser's console."""
    voice: Literal["speech", "beeps", "off"] = "speech"
    """What a sitting says of itself: words where the computer has a voice, beeps, or nothing."""

    def __post_init__(self) -> None:
        if self.data and not (self.data.strip() and self.data.isprintable()):
            raise ValueError(f"data: {self.data[:50]!r} is no folder")


def folder() -> Path:
    """Where what people wrote for this computer lives; not made by asking."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "station"


def path() -> Path:
    """The file."""
    return folder() / "settings.yaml"


def load() -> Settings:
    """What is in force. Raises SettingsWrong with the file and the key."""
    try:
        raw = yaml.load(path().read_text(encoding="utf-8"), Loader=UniqueKeys)
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsWrong(path(), " ".join(str(error).split()), "correct that file; it is YAML") from error
    try:
        return msgspec.convert({} if raw is None else raw, Settings)
    except msgspec.ValidationError as error:
        keys = ", ".join(Settings.__struct_fields__)
        raise SettingsWrong(path(), str(error), f"correct that key; there are {keys}") from error


def given() -> dict[str, Any]:
    """The keys that the file itself has. Raises SettingsWrong."""
    load()
    try:
        return yaml.load(path().read_text(encoding="utf-8"), Loader=UniqueKeys) or {}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def use_rig(name_or_path: str) -> Path:
    """Write the default rig, everything else of the file as it was, comments included. Returns the file. Raises SettingsWrong."""
    load()
    line = f"rig: {msgspec.json.encode(name_or_path).decode()}\n"  # a JSON string is one of YAML's
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = target.read_text(encoding="utf-8").splitlines(keepends=True) if target.exists() else [HEADER]
    places = [place for place, text in enumerate(lines) if text.startswith("rig:")]
    if places:
        lines[places[0]] = line
    else:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines.append(line)
    before = target.read_bytes() if target.exists() else None
    durable.replace(target, "".join(lines).encode())
    try:
        if load().rig != name_or_path:
            raise SettingsWrong(
                target, "its `rig` is written in a way that is not one line", f"write it yourself: {line.strip()}"
            )
    except SettingsWrong:
        if before is None:
            target.unlink()
        else:
            durable.replace(target, before)
        raise
    return target
