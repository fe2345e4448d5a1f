"""Rigs whose vector is not ALOHA's fourteen numbers: what their arms' own drivers say of them, and the rig files to it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import yaml

from drivers.franka.description import description as franka
from drivers.franka.settings import FrankaSettings
from drivers.franka.states import Note
from drivers.ur.description import description as ur
from drivers.ur.settings import URSettings
from drivers.xarm.description import description as xarm
from drivers.xarm.settings import XArmSettings
from station.bus.messages import Description
from station.policy.claims import Vector, rig_vector
from station.rig.rig import Rig, load_rig
from tests.station.episodes.recording import arm_description

_FILES: dict[str, dict[str, Any]] = {
    "xarm7": {"driver": "xarm", "model": "xarm7", "gripper": {"kind": "xarm"}},
    "xarm6": {"driver": "xarm", "model": "xarm6"},
    "ur5e": {"driver": "ur", "model": "ur5e", "gripper": {"kind": "robotiq_2f85"}},
    "fr3": {"driver": "franka", "model": "fr3", "gripper": {"kind": "franka"}},
    "vx300s": {"driver": "dynamixel", "model": "vx300s", "generation": "aloha1"},
}
SIDES: dict[str, dict[str, str]] = {
    "two of seven joints": {"left": "xarm7", "right": "xarm7"},
    "a UR beside a ViperX": {"left": "ur5e", "right": "vx300s"},
    "seven joints beside six": {"left": "xarm7", "right": "vx300s"},
    "one alone, without a gripper": {"right": "xarm6"},
    "an FR3 alone": {"right": "fr3"},
}
WIDTHS = {
    "two of seven joints": 16, "a UR beside a ViperX": 14, "seven joints beside six": 15, "one alone, without a gripper": 6,
    "an FR3 alone": 8,
}  # fmt: skip


def described(model: str) -> Description:
    """What an arm of that model says of itself."""
    if model == "vx300s":
        return arm_description()
    keys = {key: value for key, value in _FILES[model].items() if key != "driver"} | {"address": "a"}
    if model == "ur5e":
        return ur(msgspec.convert(keys, URSettings), "", "", ())
    if model == "fr3":
        return franka(msgspec.convert(keys, FrankaSettings), Note(), True, ())
    return xarm(msgspec.convert(keys, XArmSettings), "", "", True, ())


RIGS: dict[str, dict[str, Description]] = {
    name: {side: described(model) for side, model in sides.items()} for name, sides in SIDES.items()
}


def file_of(name: str, folder: Path, cameras: Sequence[str] = ("cam_high",)) -> Path:
    """A rig file of these arms; who stands for its world is the test's to say."""
    arms = {}
    for side, model in SIDES[name].items():
        at = {"port": f"ports/{side}"} if model == "vx300s" else {"address": f"world/follower_{side}"}
        arms[side] = {"follower": {**_FILES[model], **at}}
    seen = {
        camera: {"driver": "opencv", "source": f"ports/{camera}", "width": 64, "height": 48, "fps": 30}
        for camera in cameras
    }
    path = folder / "mixed.yaml"
    path.write_text(yaml.safe_dump({"name": "mixed", "arms": arms, "cameras": seen, "world": {"driver": "bench"}}))
    return path


def rig_of(name: str, folder: Path, cameras: Sequence[str] = ("cam_high",)) -> Rig:
    """It, loaded."""
    return load_rig(file_of(name, folder, cameras))


def followers(name: str) -> Mapping[str, Description]:
    """What each of its followers says of itself, by node."""
    return {f"follower_{side}": about for side, about in RIGS[name].items()}


def vector_of(name: str, folder: Path) -> Vector:
    """The rig's vector."""
    return rig_vector(rig_of(name, folder), followers(name))


def middle(vector: Vector) -> np.ndarray:
    """The middle of each number's range. (D,)"""
    low, high = (np.clip(ends, -np.pi, np.pi) for ends in vector.limits)
    return np.asarray((low + high) / 2)
