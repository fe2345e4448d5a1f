"""`station calibrate latency`: cameras against the arms, followers behind leaders, while somebody moves them."""

from collections.abc import Iterator

import msgspec
import numpy as np

from calibration.arms.motion import Motion, camera_lag
from calibration.arms.wrist import carrier
from calibration.looks import Look, cameras_seen
from calibration.maths import latency
from calibration.measuring import Measuring
from station.errors import MeasurementPoor
from station.files.calibration_files import Latency

_EARLIEST_MS = -10.0
"""A camera in all: a picture cannot be of what comes later, but for what is uncertain."""


def latencies(measuring: Measuring, nodes: list[str], seconds: float) -> Iterator[str]:
    """Camera latencies against the follower that moves most, then every joint's lag behind its leader.

    Raises MeasurementPoor after the last line, naming the cameras whose latency could not be measured, or if nothing was at all.
    """
    measuring.ask(
        f"get ready to swing the arms before the cameras for {seconds:g} s: at changing speed, each joint in a rhythm of its own",
        lambda: _views(measuring, nodes),
    )
    poor: list[str] = []
    measured = 0
    for node, motion in measuring.watch_motion(nodes, seconds).items():
        try:
            yield _camera(measuring, node, motion)
            measured += 1
        except MeasurementPoor as error:
            poor.append(f"{node}: {error}")
    for side in measuring.rig.sides:
        if side.leader and side.follower:
            lines = list(_followers(measuring, side.leader, side.follower))
            measured += bool(lines)
            yield from lines or [
                f"{side.follower}: not measured: no joint of {side.leader} moved, and the follower's after it"
            ]
    if not poor and not measured:
        poor.append("nothing was measured: no arm moved. Next: swing the arms for the whole time, and measure again")
    if poor:
        raise MeasurementPoor("; ".join(poor))


def _views(measuring: Measuring, nodes: list[str]) -> Look | None:
    """What these cameras see just now: whether the arms are in view, whoever swings them must know before they begin."""
    found = [jpeg for node in nodes if (jpeg := measuring.seen.cameras[node].newest_jpeg())]
    return cameras_seen(found) if found else None


def _camera(measuring: Measuring, node: str, motion: Motion) -> str:
    in_force = measuring.in_force(node)
    found = camera_lag(measuring.seen.arms, motion, carrier(measuring.rig, node, in_force))
    before = in_force.latency.latency_ms if in_force is not None and in_force.latency is not None else 0.0
    total = found.lag_ms + before
    if total < _EARLIEST_MS:
        raise MeasurementPoor(
            f"its pictures would be {-total:.0f} ms early, which cannot be: the arms' readings are late. Next: see that no other program "
            "loads the computer (`station check`), and measure again"
        )
    made = measuring.made("motion of the followers", len(motion.at_ns), {"correlation": found.correlation})
    path = measuring.save(node, latency=Latency(made, total, found.uncertainty_ms))
    return f"{node}: {found.lag_ms:+.1f} ± {found.uncertainty_ms:.1f} ms late against the followers; {total:.1f} ms in all. {path}"


def _followers(measuring: Measuring, leader: str, follower: str) -> Iterator[str]:
    one, other = measuring.seen.arms[leader], measuring.seen.arms[follower]
    lags: dict[str, float] = {}
    for place, joint in enumerate(one.joints):
        lag = latency.follower_lag(
            np.array(one.at_ns, np.int64),
            one.joint_rad[:, place],
            np.array(other.at_ns, np.int64),
            other.joint_rad[:, place],
        )
        if lag is not None:
            lags[joint] = lag.lag_ms
            yield f"{follower}: {joint} follows {lag.lag_ms:.0f} ± {lag.uncertainty_ms:.0f} ms behind {leader}"
    if lags:
        zeros = measuring.zeros_stored(follower)
        yield f"{follower}: kept. {measuring.save(follower, arm=msgspec.structs.replace(zeros, lag_ms=zeros.lag_ms | lags))}"
