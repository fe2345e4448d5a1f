"""Arms: zeros against a reference pose, what drifted since, and whether leader and follower agree. Pure.

q = sign · (angle − offset), then brought within half a turn of the middle of the joint's travel: a servo that counts
another number of turns after a power cycle gives the same q.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.errors import MeasurementPoor

Array = NDArray[np.float64]

TURN = 2 * np.pi
STILL_RAD = 0.01
"""A resting arm's readings stay within this (6 ticks); more and it was moving."""
FEWEST_READINGS = 20
LOOSE_RAD = float(np.radians(0.5))
"""How far a placing may be from the mean of all; the check fails a zero that is off by 0.9°."""


class Zeroing(NamedTuple):
    """The outcome of zeroing one arm. Shapes: (D,)."""

    offsets_rad: Array
    repeatability_rad: Array
    """Largest deviation of one placing from the mean of all placings."""
    noise_rad: Array
    """Standard deviation of the readings within a placing."""
    placings: int
    readings: int


class CrossCheck(NamedTuple):
    """Leader minus follower over some poses. Shapes: (D,)."""

    difference_rad: Array
    """The median over the poses: a constant disagreement, one zero of the two is off."""
    spread_rad: Array
    """Largest deviation from that median: not a zero but a sign, a scale or a bent part."""


def wrap(angle_rad: Array, centre_rad: Array | float = 0.0) -> Array:
    """The same angle in (centre − π, centre + π]."""
    return np.asarray(centre_rad - (np.mod(centre_rad - angle_rad + np.pi, TURN) - np.pi), np.float64)


def joint_rad(angle_rad: Array, offsets_rad: Array, signs: Array, centres_rad: Array) -> Array:
    """Joint positions from servo angles, whatever turn the servo counts from. (…, D)"""
    return wrap(signs * (angle_rad - offsets_rad), centres_rad)


def servo_rad(joint: Array, offsets_rad: Array, signs: Array) -> Array:
    """The inverse of `joint_rad`, up to whole turns. (…, D)"""
    return np.asarray(signs * joint + offsets_rad, np.float64)


def resting(readings_rad: Array, what: str = "the arm") -> Array:
    """The mean of an arm's readings while it rests. (N, D) → (D,), each within half a turn of the first reading.

    Raises MeasurementPoor if it moved or there are too few readings.
    """
    readings = _unwrapped(readings_rad, what)
    moved = float(np.max(np.abs(readings - np.median(readings, axis=0))))
    if moved > STILL_RAD:
        joint = int(np.argmax(np.max(np.abs(readings - np.median(readings, axis=0)), axis=0)))
        raise MeasurementPoor(
            f"{what} moved by {np.degrees(moved):.2f}° in joint {joint + 1} while it was measured, at most "
            f"{np.degrees(STILL_RAD):.2f}° is a resting arm's. Next: let go of it, wait, and measure again"
        )
    return np.asarray(readings.mean(axis=0), np.float64)


def zero(placings_rad: list[Array], reference_rad: Array, signs: Array, what: str = "the arm") -> Zeroing:
    """Offsets that make the mean of several placings the reference pose.

    Each placing is (N, D) servo angles while the arm rests in the reference pose, put there anew each time.
    Raises MeasurementPoor if it moved, or without a placing.
    """
    if not placings_rad:
        raise MeasurementPoor(f"{what} was not measured. Next: put it in the reference pose and measure")
    means = np.stack([resting(readings, what) for readings in placings_rad])
    offsets = means - signs * reference_rad
    near = wrap(offsets, offsets[0])
    mean = near.mean(axis=0)
    noise = np.max([_unwrapped(readings, what).std(axis=0) for readings in placings_rad], axis=0)
    return Zeroing(
        wrap(mean), np.max(np.abs(near - mean), axis=0), noise, len(placings_rad), sum(map(len, placings_rad))
    )


def refuse_loose(found: Zeroing, joints: Sequence[str], what: str) -> None:
    """Raises MeasurementPoor if the placings do not agree: a stop is loose, or it was laid down in different ways."""
    worst = int(np.argmax(found.repeatability_rad))
    if found.repeatability_rad[worst] > LOOSE_RAD:
        raise MeasurementPoor(
            f"{what}'s placings differ by {np.degrees(found.repeatability_rad[worst]):.2f}° in {joints[worst]}, at most "
            f"{np.degrees(LOOSE_RAD):.1f}° is believed. Next: look whether the stop or the joint is loose, lay it down in the same way "
            "each time, and measure again"
        )


def drift_rad(readings_rad: Array, rest_rad: Array, what: str = "the arm") -> Array:
    """How far each joint reads from where it read on the same rest stops when it was zeroed. (N, D), (D,) → (D,)."""
    return wrap(resting(readings_rad, what) - rest_rad)


def cross_check(leader_rad: Array, follower_rad: Array) -> CrossCheck:
    """Compare leader and follower pose by pose, both held in the same pose each time. (P, D) each."""
    differences = wrap(leader_rad - follower_rad)
    median = np.median(differences, axis=0)
    return CrossCheck(median, np.max(np.abs(differences - median), axis=0))


def _unwrapped(readings_rad: Array, what: str) -> Array:
    readings = np.asarray(readings_rad, np.float64)
    if len(readings) < FEWEST_READINGS:
        raise MeasurementPoor(
            f"{what} gave {len(readings)} readings, {FEWEST_READINGS} are needed. Next: check that it streams"
        )
    if not np.all(np.isfinite(readings)):
        raise MeasurementPoor(
            f"{what} gave readings that are no numbers. Next: `station status` names the silent servo"
        )
    return wrap(readings, readings[0])
