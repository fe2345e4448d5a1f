"""A recording of somebody else's, as far as it says what it is."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.errors import UsageError

Table = NDArray[np.float32]
"""(T, D)"""
Pictures = Callable[[], Iterator[bytes | NDArray[np.uint8]]]
"""A camera's pictures, one a row: JPEGs, or (H, W, 3) RGB."""

ALOHA_JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
"""The order of one arm in ALOHA's vectors: left, then right."""


class Foreign(NamedTuple):
    """One recording."""

    origin: str
    """Format, and the file or the episode's place in the dataset."""
    sha256: str
    """Of what it was read from."""
    tick_hz: float
    dim_names: tuple[str, ...]
    units: tuple[str, ...]
    """"" where nobody says."""
    state: Table
    action: Table
    velocity: Table | None
    effort: Table | None
    cameras: dict[str, Pictures]
    jpeg: bool
    """Its pictures are JPEGs; else raw."""
    instruction: str = ""
    simulated: bool = False
    success: bool | None = None


class Said(NamedTuple):
    """What the person who imports knows, and the files do not."""

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    """Of each number, or one for all joints; deg is converted to rad."""
    rate_hz: float | None = None
    raw: bool = False
    """Keep pictures that have to be decoded as raw RGB instead of encoding them again as JPEG."""


def named(found: Sequence[str], width: int, said: Said, where: Path) -> tuple[str, ...]:
    """Names of the vector: as was said, as the files say, or ALOHA's own for 14. Raises UsageError."""
    names = tuple(said.names) or tuple(found) or _aloha(width)
    if len(names) != width or len(set(names)) != width:
        raise UsageError(
            f"{where}: its rows have {width} numbers{f', {len(names)} names are said' if names else ' and no names'}. "
            "Next: say --names left_waist,left_shoulder,…"
        )
    return names


def _aloha(width: int) -> tuple[str, ...]:
    return tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ALOHA_JOINTS) if width == 14 else ()


def in_units(table: Table, units: tuple[str, ...]) -> Table:
    """Degrees become radians; everything else stays."""
    scale = np.array([np.pi / 180 if unit == "deg" else 1.0 for unit in units])
    return np.asarray(table * scale, np.float32)


def units_of(names: Sequence[str], said: Said, otherwise: str) -> tuple[str, ...]:
    """Of each number: grippers 1 (0 closed, 1 open), joints as was said, else `otherwise`. Raises UsageError."""
    if len(said.units) > 1:
        if len(said.units) != len(names):
            raise UsageError(
                f"--units names {len(said.units)} units for {len(names)} numbers. Next: one for all joints, or one for each"
            )
        return said.units
    joints = said.units[0] if said.units else otherwise
    if joints not in ("rad", "deg", ""):
        raise UsageError(
            f"--units {joints}: joints are in rad or deg. Next: say one of them, or leave it out: then nobody knows"
        )
    return tuple("1" if joints and name.endswith("gripper") else joints for name in names)
