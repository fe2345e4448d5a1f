"""Which arm carries a camera, and is that arm where the camera's reference picture was taken? Pure."""

import numpy as np

from calibration.arms.zeros import drift_rad
from calibration.checks.survey import ArmSeen
from station.errors import MeasurementPoor
from station.files.calibration_files import Calibration
from station.rig.rig import Rig

NEAR_REST_RAD = float(np.radians(0.5))
"""A wrist camera half a metre above the table then sees it within a few pixels of where it was."""


def carrier(rig: Rig, node: str, known: Calibration | None = None) -> str:
    """The follower whose wrist carries a camera: as measured, else by its name (`cam_left_wrist`); "" for a fixed camera."""
    if known is not None and known.extrinsics is not None and known.extrinsics.parent in rig.followers:
        return known.extrinsics.parent
    sides = [side for side in rig.sides if side.follower and f"_{side.name}_wrist" in f"_{node}"]
    return sides[0].follower or "" if sides else ""


def on_rest(arm: ArmSeen, calibration: Calibration | None) -> bool:
    """Does the arm lie where it lay when it was calibrated?"""
    zeros = calibration.arm if calibration is not None else None
    if zeros is None or zeros.rest_rad is None:
        return False
    try:
        drift = drift_rad(arm.joint_rad, np.array(zeros.rest_rad))
    except MeasurementPoor:
        return False
    return float(np.max(np.abs(drift))) < NEAR_REST_RAD
