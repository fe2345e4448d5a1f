"""`station calibrate arms`, `gello` and `grippers`: what the operator does, what is measured, and what is kept."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from calibration.arms import gello as quarter_turns
from calibration.arms import grippers
from calibration.arms import zeros as zeroing
from calibration.measuring import Measuring
from station.bus.messages import Dimension
from station.errors import MeasurementPoor, UsageError
from station.files.calibration_files import GripperRange

Array = NDArray[np.float64]

_BEYOND_RAD = float(np.radians(10.0))
"""A resting arm leans on stops that are a little outside of the travel it is driven in."""


def zero(measuring: Measuring, node: str, placings: int, pose_deg: list[float] | None) -> str:
    """Measure an arm on its rest stops. With the joints' true angles there (a jig; `pose_deg`, one a joint, gripper left out), its zeros
    follow from them.

    Without, zeros stay what they are, and where it rests is kept for the check. Returns what to tell the operator. Raises UsageError for
    another number of angles, MeasurementPoor where the arm has torque, moves, or rests each time elsewhere.
    """
    _refuse_torque(measuring, node)
    if pose_deg is None:
        _refuse_faults(measuring, node)
    stored, dimensions = measuring.zeros_stored(node), measuring.dimensions(node)
    signs, offsets = np.array(stored.signs, np.float64), np.array(stored.offsets_rad)
    taken = []
    for placing in range(placings):
        measuring.ask(
            f"{node}: lift it, lay it onto its rest stops, let go ({placing + 1} of {placings})", measuring.feels(node)
        )
        taken.append(_servo_rad(measuring, node))
        _refuse_torque(measuring, node)
    rest = zeroing.joint_rad(
        np.stack([zeroing.resting(t, node) for t in taken]), offsets, signs, np.array(stored.centres_rad)
    )
    reference = rest.mean(axis=0) if pose_deg is None else np.radians(pose_deg)
    if len(reference) != len(dimensions):
        raise UsageError(f"{node} has {len(dimensions)} joints, the pose {len(reference)} angles")
    _refuse_beyond(node, dimensions, reference, "measured where it rests" if pose_deg is None else "the pose given")
    found = zeroing.zero(taken, reference, signs, node)
    zeroing.refuse_loose(found, stored.joints, node)
    worst = float(np.max(found.repeatability_rad))
    made = measuring.made(
        "rest stops" if pose_deg is None else "reference pose",
        found.readings,
        {"noise_rad": float(np.max(found.noise_rad))} | ({"repeatability_rad": worst} if placings > 1 else {}),
    )
    zeros = msgspec.structs.replace(
        stored,
        made=made,
        offsets_rad=stored.offsets_rad if pose_deg is None else tuple(map(float, found.offsets_rad)),
        rest_rad=tuple(map(float, reference)),
        # zeros that stay as they are go on resting on what they were measured with
        settings=stored.settings if pose_deg is None and stored.settings else measuring.settings(node),
    )
    path = measuring.save(node, arm=zeros)
    repeats = f"repeatable to {np.degrees(worst):.2f}°" if placings > 1 else "how repeatable one placing does not tell"
    if pose_deg is None:
        return f"{node}: rests where the check will look for it, {repeats}; zeros as before. {path}"
    moved = np.degrees(zeroing.wrap(found.offsets_rad - offsets))
    told = ", ".join(f"{d.name} {degrees:+.2f}°" for d, degrees in zip(dimensions, moved, strict=True))
    return f"{node}: zeros moved by {told}; {repeats}. {path}"


def compare(measuring: Measuring, leader: str, follower: str, poses: int) -> Iterator[str]:
    """Leader against follower, pose by pose, both limp and held in the same pose, by the zeros that are about to be kept.

    Raises MeasurementPoor after the last line if they disagree: it says which zero to doubt.
    """
    for node in (leader, follower):
        _refuse_torque(measuring, node)
    seen = []
    for pose in range(poses):
        measuring.ask(
            f"{leader} and {follower}: hold both in the same pose, another one each time ({pose + 1} of {poses})",
            measuring.feels(leader, follower),
        )
        measuring.rest(leader)
        for node in (leader, follower):
            _refuse_torque(measuring, node)
        seen.append([zeroing.resting(_by_stored_zeros(measuring, node), node) for node in (leader, follower)])
    found = zeroing.cross_check(*np.array(seen).transpose(1, 0, 2))
    limit = measuring.rig.check.leader_follower_deg[1]
    poor = []
    for place, dimension in enumerate(measuring.dimensions(leader)):
        differs, spread = (float(np.degrees(values[place])) for values in (found.difference_rad, found.spread_rad))
        told = f"{leader} against {follower}: {dimension.name} {differs:+.2f}°, from pose to pose within {spread:.2f}°"
        if spread > limit:
            told += ": that is no zero, but a sign, another model, or a bent part"
        elif abs(differs) > limit:
            told += ": one of the two zeros is off; zero the one whose zero drifts in `station check`"
        if max(spread, abs(differs)) > limit:
            poor.append(dimension.name)
        yield told
    if poor:
        raise MeasurementPoor(
            f"{leader} and {follower} disagree in {', '.join(poor)} by more than {limit:g}°. Next: do what is said above, and measure again"
        )


def _by_stored_zeros(measuring: Measuring, node: str) -> Array:
    """What an arm reads by the zeros on the disk (or about to be there), which its driver may not have in force yet. (N, D)"""
    now, new = measuring.zeros_in_force(node), measuring.zeros_stored(node)
    angles = zeroing.servo_rad(
        measuring.arm(node).joint_rad, np.array(now.offsets_rad), np.array(now.signs, np.float64)
    )
    return zeroing.joint_rad(
        angles, np.array(new.offsets_rad), np.array(new.signs, np.float64), np.array(new.centres_rad)
    )


def _refuse_beyond(node: str, dimensions: tuple[Dimension, ...], pose_rad: Array, what: str) -> None:
    """A pose that the arm cannot take is a zero that is far off, or a mistyped one."""
    for dimension, angle in zip(dimensions, pose_rad, strict=True):
        if not dimension.lower - _BEYOND_RAD <= angle <= dimension.upper + _BEYOND_RAD:
            low, high = np.degrees([dimension.lower, dimension.upper])
            raise MeasurementPoor(
                f"{node}: {dimension.name} at {np.degrees(angle):.1f}° ({what}), its travel is {low:.0f}° to {high:.0f}°: its zero is "
                "off, or the pose is another. Next: lay the arm onto its stops; `station check` says what of its servos' settings has "
                "changed; with the joints' true angles (--pose, in degrees) the zeros are measured"
            )


def gello(measuring: Measuring, node: str) -> str:
    """Signs and offsets of a GELLO."""
    dimensions, stored = measuring.dimensions(node), measuring.zeros_stored(node)
    signs = []
    for place, dimension in enumerate(dimensions):
        measuring.ask(
            f"{node}: get ready to turn {dimension.name} once, slowly, in its positive direction", measuring.feels(node)
        )
        signs.append(quarter_turns.sign(_servo_rad(measuring, node, 3.0)[:, place], dimension.name))
    pose = _pose(measuring, node, dimensions)
    told = ", ".join(f"{angle:.0f}°" for angle in np.degrees(pose))
    measuring.ask(f"{node}: hold it in the start pose of the picture, still: {told}", measuring.feels(node))
    angles = _servo_rad(measuring, node)
    found = quarter_turns.offsets(angles, pose, np.array(signs, np.float64), node)
    quarter_turns.refuse_doubtful(found, tuple(d.name for d in dimensions))
    worst = float(np.max(np.abs(found.residual_rad)))
    zeros = msgspec.structs.replace(
        stored, made=measuring.made("start pose, quarter turns", len(angles), {"quarter_turn_rad": worst}), signs=tuple(signs),
        offsets_rad=tuple(map(float, found.offsets_rad)), centres_rad=tuple(map(float, pose)), settings=measuring.settings(node),
    )  # fmt: skip
    path = measuring.save(node, arm=zeros)
    left = ", ".join(f"{d.name} {np.degrees(r):+.1f}°" for d, r in zip(dimensions, found.residual_rad, strict=True))
    return f"{node}: left over to the nearest quarter turn: {left}. {path}"


def _pose(measuring: Measuring, node: str, dimensions: tuple[Dimension, ...]) -> Array:
    """Where a GELLO is to be held: as its follower begins, where that is built of quarter turns and has as many joints."""
    follower = measuring.follower_of(node)
    starts = [dimension.start for dimension in measuring.dimensions(follower)] if follower is not None else []
    known = [start for start in starts if start is not None]
    if len(known) != len(dimensions):
        return np.zeros(len(dimensions))
    return quarter_turns.pose(np.array(known))


def gripper(measuring: Measuring, node: str, seconds: float) -> str:
    """Measure a gripper's travel in a sweep of so many seconds and keep it. Returns what to tell the operator.

    Raises UsageError for a gripper that nobody measures, MeasurementPoor for a sweep that does not reach its stops.
    """
    facts = measuring.gripper(node)
    expected = facts.travel if facts is not None else None
    if facts is None or expected is None:
        raise UsageError(f"{node}: its gripper has no travel that people measure. Next: leave it out with --only")
    measuring.ask(
        f"{node}: get ready to open and close its gripper to its stops, for {seconds:g} s", measuring.feels(node)
    )
    measuring.listen(seconds, fresh=True)
    normalised = np.array(measuring.arm(node).positions)[:, -1]
    normal = _travel_in_force(measuring, node) or expected
    angles = normal.close_rad + normalised * (normal.open_rad - normal.close_rad)
    opened, closed = grippers.sweep(angles, expected, f"{node}'s gripper")
    short = grippers.shortfall(opened, closed, expected)
    made = measuring.made("sweep between the stops", len(angles), {"shorter_percent": short.travel_percent})
    zeros = measuring.zeros_stored(node)
    measured = grippers.measured_range(opened, closed, facts, expected)
    mine = {name: value for name, value in measuring.settings(node).items() if name.startswith("gripper.")}
    kept = msgspec.structs.replace(zeros, gripper=measured, gripper_made=made, settings=zeros.settings | mine)
    path = measuring.save(node, arm=kept)
    return (
        f"{node}: travel {100 - short.travel_percent:.1f} % of what it should be, opens {short.open_percent:+.1f} % and closes "
        f"{short.close_percent:+.1f} % short. {path}"
    )


def _travel_in_force(measuring: Measuring, node: str) -> GripperRange | None:
    """What the driver normalises by, if a calibration file says so."""
    return measuring.zeros_in_force(node).gripper


def _servo_rad(measuring: Measuring, node: str, seconds: float = 1.5) -> Array:
    """A resting arm's servo angles, from what its driver made of them. (N, D)"""
    zeros = measuring.zeros_in_force(node)
    return zeroing.servo_rad(
        measuring.rest(node, seconds), np.array(zeros.offsets_rad), np.array(zeros.signs, np.float64)
    )


def _refuse_faults(measuring: Measuring, node: str) -> None:
    """Where an arm rests is told by its zeros, which do not hold for servos whose settings are others by now."""
    about = measuring.arm(node).description
    for fault in about.faults if about is not None else ():
        raise MeasurementPoor(f"{node}: {fault.what}. Next: {fault.next} with --pose, in a jig")


def _refuse_torque(measuring: Measuring, node: str) -> None:
    if measuring.arm(node).torque:
        raise MeasurementPoor(
            f"{node} has torque on, it then rests where its motors hold it. Next: `station park --release --rig {measuring.rig.name}`"
        )
