"""Listening to a rig whose arms somebody swings: what moved in each camera's pictures, and how late that is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration import latency
from calibration.latency import Lag
from calibration.quality import Gray
from calibration.survey import ArmSeen, Listener
from station.clock import NS_PER_S, Clock
from station.errors import MeasurementPoor
from station.rig import Rig


class Motion(NamedTuple):
    """What moved in one camera's pictures: motion[i] between pictures i and i + 1."""

    at_ns: list[int]
    px: list[float]


def watch(listener: Listener, nodes: list[str], seconds: float, clock: Clock) -> dict[str, Motion]:
    """Listen, and turn pictures into motion as they come: they would fill the memory."""
    listener.forget_samples()
    found = {node: Motion([], []) for node in nodes}
    last: dict[str, Gray] = {}
    until_ns = clock() + int(seconds * NS_PER_S)
    while clock() < until_ns:
        listener.listen(clock() + NS_PER_S // 50, clock)
        for node, motion in found.items():
            camera = listener.seen.cameras[node]
            new = camera.at_ns[len(motion.at_ns) :]
            for stamp, gray in zip(new, camera.grays(len(new)), strict=False):
                if node in last:
                    motion.px.append(latency.picture_motion(last[node], gray))
                last[node] = gray
                motion.at_ns.append(stamp)
    return found


def camera_lag(arms: dict[str, ArmSeen], motion: Motion) -> tuple[str, Lag]:
    """How late a camera is against the followers, one of them or all together, whichever its pictures follow best.

    Returns which that is, and the lag. Raises MeasurementPoor if the pictures follow none.
    """
    heard = {node: arm for node, arm in arms.items() if node.startswith("follower") and len(arm.positions) > 1}
    if not heard:
        raise MeasurementPoor("no follower was heard. Next: `station status` says why")
    first = next(iter(heard.values()))
    at_ns = np.array(first.at_ns, np.int64)
    paths = {node: _resampled(arm, at_ns) for node, arm in heard.items()}
    if len(paths) > 1:
        steps = [np.linalg.norm(np.diff(path, axis=0), axis=1) for path in paths.values()]
        paths["all followers"] = np.concatenate(([0.0], np.cumsum(np.sum(steps, axis=0))))[:, None]
    stamps, px = np.array(motion.at_ns, np.int64), np.array(motion.px)
    found: list[tuple[str, Lag]] = []
    poor: MeasurementPoor | None = None
    for name, path in paths.items():
        try:
            found.append((name, latency.camera_lag(at_ns, path, stamps, px)))
        except MeasurementPoor as error:
            poor = error
    if not found and poor is not None:
        raise poor
    return max(found, key=lambda named: named[1].correlation)


Lags = dict[str, Lag | str]
"""Per camera its lag against the arms, or why there is none."""


def swing(rig: Rig, seconds: float, clock: Clock) -> Lags:
    """Watch a rig whose arms are being swung."""
    listener = Listener(rig)
    found: Lags = {}
    try:
        for node, motion in watch(listener, list(rig.cameras), seconds, clock).items():
            try:
                found[node] = camera_lag(listener.seen.arms, motion)[1]
            except MeasurementPoor as error:
                found[node] = str(error)
    finally:
        listener.close()
    return found


def _resampled(arm: ArmSeen, at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """An arm's joints at other times. (N, D)"""
    own_ns, joints = np.array(arm.at_ns, np.int64) - at_ns[0], arm.joint_rad
    return np.stack([np.interp(at_ns - at_ns[0], own_ns, column) for column in joints.T], axis=1)
