"""A rig file of one's own, from what is plugged in and what a person said about it: the text, commented. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import yaml

from station.rig.discovery import Found

_HEAD = """\
{modeline}# {name}: {what}
# `station rig check {name}` reads it line by line; docs/reference/rig-file.md has every key.
name: {name}
tick_hz: 50                     # rows a second: what ALOHA, ACT and openpi expect
data: {data}          # episodes: <data>/<task>/episode_<n>.hdf5
images: jpeg                    # or raw, for ACT's own loader
"""
_SAFETY = """\
# Limits; these are the defaults. A goal moves no faster than velocity_rad_s, and an arm that hears nothing for stale_ms slows down.
safety: {velocity_rad_s: 3.14, acceleration_rad_s2: 100, stale_ms: 100, resume_ms: 300, divergence_rad: 0.6}
"""
_UNMEASURED = "base: {xyz_m: [0, 0, 0], rpy_rad: [0, 0, 0]}     # measure it, for VR: x forward, y left, z up"


class Arm(NamedTuple):
    """An arm that was found and named."""

    side: str
    role: str
    found: Found


class Camera(NamedTuple):
    """A camera that was found and named."""

    name: str
    found: Found


def role_of(found: Found) -> str:
    """The role that an arm's finder took it for; "" if it said none."""
    said = re.match(r"(leader|follower):", found.suggestion[0]) if found.suggestion else None
    return said[1] if said else ""


def usable(found: Iterable[Found], kind: str) -> list[Found]:
    """What was found of a kind, and can stand in a rig file as it is."""
    return [each for each in found if each.kind == kind and each.suggestion]


def draft(name: str, arms: list[Arm], cameras: list[Camera], data: str, modeline: str) -> str:
    """The file's text. Sides in the order they were named in; each arm and camera with what it was found to be."""
    what = (
        f"{_count(len(arms), 'arm')}, {_count(len(cameras), 'camera')}, as they were plugged in when this was written"
    )
    parts = [_HEAD.format(modeline=modeline, name=name, what=what, data=data)]
    sides = list(dict.fromkeys(arm.side for arm in arms))
    if sides:
        parts.append("# The order of the sides makes the vector: each side's joints, then its gripper.\narms:\n")
    for side in sides:
        parts.append(f"  {side}:\n    {_UNMEASURED}\n")
        for arm in sorted((arm for arm in arms if arm.side == side), key=lambda arm: arm.role, reverse=True):
            parts.append(f"    # {arm.found.model}, serial {arm.found.serial or 'none'}; was {arm.found.port}\n")
            parts += [f"    {line}\n" for line in _as_role(arm)]
            parts += [f"    # {line}\n" for line in arm.found.advice]
    if cameras:
        parts.append(
            "# Fix what a camera would change by itself, such as controls: {focus_auto: 0, focus: 5, exposure_dynamic: 0}\n"
        )
        parts.append("cameras:\n")
    for camera in cameras:
        parts.append(f"  # {camera.found.model}, serial {camera.found.serial or 'none'}; was {camera.found.port}\n")
        parts += [f"  {line}\n" for line in _as_name(camera)]
        parts += [f"  # {line}\n" for line in camera.found.advice]
    return "".join([*parts, _SAFETY])


def _as_role(arm: Arm) -> list[str]:
    """The finder's lines, under the role that was said: an arm that could lead may follow."""
    first, *others = arm.found.suggestion
    said = role_of(arm.found)
    return [first.replace(f"{said}:", f"{arm.role}:", 1), *others]


def _as_name(camera: Camera) -> list[str]:
    first, *others = camera.found.suggestion
    key = next(iter(yaml.safe_load(first)))
    return [first.replace(f"{key}:", f"{camera.name}:", 1), *others]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
