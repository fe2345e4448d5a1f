"""Listening to a rig whose arms somebody swings: what moved in each camera's pictures, and how late that is."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.arms.wrist import carrier
from calibration.checks.survey import ArmSeen, CameraSeen, Listener
from calibration.maths import latency
from calibration.maths.flow import picture_motion
from calibration.maths.latency import Lag
from calibration.maths.quality import Gray
from station.client import Station
from station.clock import NS_PER_S, Clock
from station.errors import MeasurementPoor
from station.kinematics.chains import fingertips, gripper_rotations

_MOST_PICTURES = 2000
"""Of one camera: half a minute at 60 a second, 100 MB."""


class Motion(NamedTuple):
    """What moved in one camera's pictures: motion[i] between pictures i and i + 1."""

    at_ns: list[int]
    px: list[NDArray[np.float64]]


def watch(listener: Listener, nodes: list[str], seconds: float, clock: Clock) -> dict[str, Motion]:
    """Listen first, and see what moved afterwards: that takes longer than the pictures take to come."""
    listener.forget_samples(clock(), keep_pictures=_MOST_PICTURES)
    listener.listen(clock() + int(seconds * NS_PER_S), clock)
    found = {node: _motion(listener.seen.cameras[node]) for node in nodes}
    listener.forget_pictures()
    return found


def _motion(camera: CameraSeen) -> Motion:
    stamps = camera.at_ns[max(0, len(camera.at_ns) - len(camera.pictures)) :]
    found = Motion([], [])
    last: Gray | None = None
    for stamp, jpeg in zip(stamps, camera.pictures, strict=True):
        decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        if decoded is None:
            continue
        now = np.asarray(decoded, np.uint8)
        if last is not None:
            found.px.append(picture_motion(last, now))
        last = now
        found.at_ns.append(stamp)
    return found


def camera_lag(arms: dict[str, ArmSeen], motion: Motion, carried_by: str = "") -> Lag:
    """How late a camera is against the followers' joints and grippers, or against the way of the gripper that carries it.

    carried_by: that arm's node; one that stood still, or whose driver describes no chain, counts as any other.
    Raises MeasurementPoor if the pictures follow no arm.
    """
    heard = {node: arm for node, arm in arms.items() if node.startswith("follower") and len(arm.positions) > 1}
    if not heard:
        raise MeasurementPoor("no follower was heard. Next: `station status` says why")
    picture_at_ns, px = np.array(motion.at_ns, np.int64), np.array(motion.px)
    if carried_by in heard and (carried := _gripper_path(heard[carried_by])) is not None:
        arm = heard[carried_by]
        return latency.camera_lag(np.array(arm.at_ns, np.int64), arm.joint_rad, picture_at_ns, px, carried)
    at_ns = np.array(next(iter(heard.values())).at_ns, np.int64)
    paths = np.concatenate([_resampled(arm, at_ns) for arm in heard.values()], axis=1)
    return latency.camera_lag(at_ns, latency.without_ticks(at_ns, paths), picture_at_ns, px)


def _gripper_path(arm: ArmSeen) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Its gripper's rotations (N, 3, 3) and positions (N, 3), m; None if the arm stood still or nobody knows its chain."""
    chain = arm.description.chain if arm.description is not None else None
    if chain is None or float(np.ptp(arm.joint_rad, axis=0).max()) < latency.LEAST_TRAVEL_RAD:
        return None
    joints_rad = latency.without_ticks(np.array(arm.at_ns, np.int64), arm.joint_rad)
    return gripper_rotations(chain, joints_rad), fingertips(chain, joints_rad)


Lags = dict[str, Lag | str]
"""Per camera its lag against the arms, or why there is none."""


def swing(station: Station, seconds: float, clock: Clock) -> Lags:
    """Watch a rig whose arms are being swung."""
    listener = Listener(station)
    found: Lags = {}
    try:
        for node, motion in watch(listener, list(station.rig.cameras), seconds, clock).items():
            try:
                about = listener.seen.cameras[node].description
                arm = carrier(station.rig, node, about.calibration if about is not None else None)
                found[node] = camera_lag(listener.seen.arms, motion, arm)
            except MeasurementPoor as error:
                found[node] = str(error)
    finally:
        listener.close()
    return found


def _resampled(arm: ArmSeen, at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """An arm's joints and gripper at other times. (N, D)"""
    own_ns, positions = np.array(arm.at_ns, np.int64) - at_ns[0], np.array(arm.positions, np.float64)
    return np.stack([np.interp(at_ns - at_ns[0], own_ns, column) for column in positions.T], axis=1)
