"""Faults that the simulated world can have, each with what the check has to say about it."""

import math
from typing import NamedTuple

from drivers.sim.world.requests import SetCameraFault, SetServoFault

Key = tuple[str, str]


class Fault(NamedTuple):
    """One thing that is wrong, and what the check has to say about it."""

    name: str
    requests: tuple[SetServoFault | SetCameraFault, ...]
    undo: tuple[SetServoFault | SetCameraFault, ...]
    expected: dict[Key, tuple[float | str, float]]
    """(device, finding) → (its size, how far off that may be); NaN where it has none, or all its words."""
    may: frozenset[Key] = frozenset()
    """What follows from it and may be told as well."""
    reopens: str = ""
    """The device that has to be opened anew to notice."""


def _slip(arm: str, servo: int, joint: str, degrees: float) -> Fault:
    side = arm.partition("_")[2]
    pair = (f"leader_{side}, follower_{side}", f"leader against follower {joint}")
    size = (abs(degrees), 0.15)
    return Fault(
        f"{arm}: {joint} slipped by {degrees:g}°",
        (SetServoFault(arm, "slip", servo, degrees),),
        (SetServoFault(arm, "slip", servo, 0.0),),
        {(arm, f"zero {joint}"): size, pair: size},
    )


def _register(arm: str, servo: int, name: str, value: int, what: str) -> Fault:
    plug = (SetServoFault(arm, "unplug"), SetServoFault(arm, "replug"))
    return Fault(
        f"{arm}: {what}",
        (SetServoFault(arm, "register", servo, value, name), *plug),
        plug,
        {(arm, "settings"): (math.nan, 0.0)},
        reopens=arm,
    )


def _moved(camera: str, what: str, value: float) -> Fault:
    unit = {"move": "mm", "turn": "°"}[what]
    name = {"move": "place, if it shifted", "turn": "direction, if it turned"}[what]
    both = {(camera, "place, if it shifted"), (camera, "direction, if it turned")}
    how = {"move": "moved", "turn": "turned"}[what]
    return Fault(
        f"{camera}: {how} by {value:g} {unit}",
        (SetCameraFault(camera, what, value),),  # type: ignore[arg-type]
        (SetCameraFault(camera, "none"),),
        {(camera, name): (value, (0.2 if what == "move" else 0.15) * value)},
        frozenset(both),
    )


def _picture(what: str, value: float, name: str, size: tuple[float, float], told: str) -> Fault:
    return Fault(
        f"cam_high: {told}", (SetCameraFault("cam_high", what, value),), (SetCameraFault("cam_high", "none"),),  # type: ignore[arg-type]
        {("cam_high", name): size},
    )  # fmt: skip


FAULTS = (
    _slip("follower_left", 7, "wrist_angle", 1.0),
    _slip("follower_left", 7, "wrist_angle", -3.0),
    _slip("follower_left", 7, "wrist_angle", 90.0),
    _slip("leader_right", 6, "forearm_roll", 2.0),
    *(_moved(camera, "move", mm) for camera in ("cam_high", "cam_low") for mm in (3.0, 5.0, 20.0)),
    *(_moved(camera, "turn", degrees) for camera in ("cam_high", "cam_low") for degrees in (0.5, 2.0)),
    Fault(
        "cam_high and cam_low swapped",
        (SetCameraFault("cam_high", "swap", other="cam_low"), SetCameraFault("cam_low", "swap", other="cam_high")),
        (SetCameraFault("cam_high", "none"), SetCameraFault("cam_low", "none")),
        {("cam_high", "identity"): (math.nan, 0.0), ("cam_low", "identity"): (math.nan, 0.0)},
    ),
    _picture("blur", 2.0, "sharpness", (math.nan, 0.0), "blurred, σ 2 px"),
    _picture("dark", 0.6, "exposure", (40.0, 4.0), "40 % darker"),
    _picture("slow", 7.5, "frame rate", (50.0, 5.0), "at half its rate"),
    Fault(
        "cam_high: another program sets its focus to 40",
        (SetCameraFault("cam_high", "focus", 40.0),),
        (SetCameraFault("cam_high", "none"),),
        {("cam_high", "controls"): ("focus is 40, 5 was set: something changed it", 0.0)},
        frozenset({("cam_high", "sharpness")}),
    ),
    _register("follower_right", 9, "Current Limit", 1193, "the gripper's current limit unset"),
    _register("leader_left", 1, "Return Delay Time", 250, "a servo's return delay 500 µs"),
    Fault(
        "follower_right: a servo at 69 °C",
        (SetServoFault("follower_right", "register", 4, 69, "Present Temperature"),),
        (SetServoFault("follower_right", "register", 4, 32, "Present Temperature"),),
        {("follower_right", "temperature elbow"): (69.0, 0.5)},
    ),
)
