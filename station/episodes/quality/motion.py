"""How the arms moved: lag, tracking, clipping, limits, jerk, smoothness, standing still. Pure: arrays in, numbers out.

Shapes: T rows, J joints of one arm (its gripper is the last column where it has one).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.episodes.cadence import CLIP
from station.episodes.quality.card import LEVELS, THUMB_ROWS, ArmCard, MotionCard, Outline

Rows = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEAR_LIMIT_RAD = 0.02
MOVES_RAD = 0.05
"""A joint that covers less in an episode tells nothing about lag or jerk."""
_MOST_LAG_S = 0.5
STILL_RAD_S = 0.03
STILL_APERTURE_S = 0.05
"""Slower than this is still: noise of a 12-bit encoder read at 50 Hz, smoothed over a tenth of a second, stays below."""
PAUSE_S = 0.5
_SMOOTH_ROWS = 5
_SPARC_HZ, _SPARC_LEVEL, _SPARC_PADDING = 10.0, 0.05, 4
"""As its authors use them (github.com/siva82kb/SPARC: smoothness.py)."""


class Arm(NamedTuple):
    """One follower's part of an episode."""

    names: tuple[str, ...]
    """(J,) as the vector has them."""
    measured: Rows
    sent: Rows
    asked: Rows
    commanded: Mask
    """(T,) rows in which somebody commanded it."""
    lower: Rows
    upper: Rows
    """(J,) limits; infinite where none is known."""
    gripper: bool
    """Is the last column a gripper's aperture?"""


def arm_card(arm: Arm, hz: float) -> ArmCard:
    """What one arm did."""
    joints = len(arm.names) - arm.gripper
    names = arm.names[:joints]
    rows, lag = _lag(arm.measured[:, :joints], arm.sent[:, :joints], arm.commanded, hz)
    rms, worst_joint, worst_rad, worst_row = _tracking(arm, joints, rows)
    off = (np.abs(arm.asked - arm.sent) > CLIP) & arm.commanded[:, None]
    near = np.minimum(arm.measured - arm.lower, arm.upper - arm.measured)[:, :joints] < NEAR_LIMIT_RAD
    jerk = jerk_rms(arm.measured[:, :joints], hz)
    jerks = int(jerk.argmax()) if joints else 0
    clipped_joint, clipped_row = _where(off, arm.names)
    limit_joint, limit_row = _where(near, names)
    travel = float(np.ptp(arm.measured[:, -1])) if arm.gripper and len(arm.measured) else None
    return ArmCard(
        lag_ms=lag, tracking_rms_rad=dict(zip(names, rms, strict=True)), worst_joint=worst_joint, worst_rad=worst_rad,
        worst_row=worst_row, clipped_s=float(off.any(axis=1).sum() / hz), clipped_joint=clipped_joint,
        clipped_row=clipped_row, limit_s=float(near.any(axis=1).sum() / hz), limit_joint=limit_joint,
        limit_row=limit_row, jerk_rms_rad_s3=float(jerk[jerks]) if joints else 0.0,
        jerk_joint=names[jerks] if joints else "", sparc=_smoothness(arm.measured[:, :joints], hz),
        speed_rad_s=_speed(arm.measured[:, :joints], hz), gripper_travel=travel,
    )  # fmt: skip


def _lag(measured: Rows, sent: Rows, commanded: Mask, hz: float) -> tuple[int, float | None]:
    """In rows (the nearest) and in ms (between rows, by a parabola through the three best); None where nothing moved.

    The shift with the least mean |q[t + k] − sent[t]| over the joints that moved, over rows commanded at t.
    """
    moved = np.ptp(sent[commanded], axis=0) > MOVES_RAD if commanded.any() else np.zeros(sent.shape[1], bool)
    most = min(round(_MOST_LAG_S * hz), len(sent) - 2)
    if not moved.any() or most < 1:
        return 0, None
    errors = []
    for shift in range(most + 1):
        held = commanded[: len(sent) - shift]
        difference = np.abs(measured[shift:, moved] - sent[: len(sent) - shift, moved])[held]
        errors.append(float(difference.mean()) if len(difference) else np.inf)
    best = int(np.argmin(errors))
    fraction = 0.0
    if 0 < best < most and np.isfinite(errors[best + 1]):
        before, at, after = errors[best - 1 : best + 2]
        bend = before - 2 * at + after
        fraction = float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend > 0 else 0.0
    return best, (best + fraction) / hz * 1000


def _tracking(arm: Arm, joints: int, lag_rows: int) -> tuple[list[float], str, float, int]:
    rows = len(arm.sent) - lag_rows
    held = arm.commanded[:rows]
    off = (arm.measured[lag_rows:, :joints] - arm.sent[:rows, :joints]) * held[:, None]
    if not held.any() or not joints:
        return [0.0] * joints, "", 0.0, -1
    rms = np.sqrt((off**2).sum(axis=0) / held.sum())
    row, joint = np.unravel_index(np.abs(off).argmax(), off.shape)
    return [float(each) for each in rms], arm.names[int(joint)], float(abs(off[row, joint])), int(row)


def _where(marked: NDArray[np.bool_], names: tuple[str, ...]) -> tuple[str, int]:
    """The column that is marked most, and the row in which its longest run begins; ("", −1) where nothing is."""
    if not marked.any():
        return "", -1
    column = int(marked.sum(axis=0).argmax())
    start, _ = max(runs(marked[:, column]), key=lambda run: run[1] - run[0])
    return names[column], start


def runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[start, end) of every run of marked rows, (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def smoothed(values: Rows, rows: int = _SMOOTH_ROWS) -> Rows:
    """A moving mean over `rows` rows, ends held. (T, J)"""
    if len(values) < 2:
        return values
    half = rows // 2
    padded = np.pad(values, ((half + 1, half), (0, 0)), mode="edge").cumsum(axis=0)
    return np.asarray((padded[rows:] - padded[:-rows]) / rows)


def jerk_rms(measured: Rows, hz: float) -> Rows:
    """(J,) rad/s³, of positions smoothed twice: what is left of a sine of f Hz is (sin(5πf/hz) / 5 sin(πf/hz))² of it."""
    third = np.diff(smoothed(smoothed(measured)), n=3, axis=0) * hz**3
    return np.sqrt((third**2).mean(axis=0)) if len(third) else np.zeros(measured.shape[1])


def _speed(measured: Rows, hz: float) -> float:
    steps = np.linalg.norm(np.diff(smoothed(measured), axis=0), axis=1)
    return float(steps.mean() * hz) if len(steps) else 0.0


def outline(measured: Rows, asked: Rows) -> Outline:
    """(T, D) each, T above 0, to six digits."""
    state, action = (np.quantile(values, LEVELS, axis=0).T for values in (measured, asked))
    rows = np.unique(np.linspace(0, len(measured) - 1, THUMB_ROWS).round().astype(int))
    return Outline(_short(state), _short(action), _short(measured[rows]))


def _short(table: Rows) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{value:.6g}") for value in row) for row in table)


def _smoothness(measured: Rows, hz: float) -> float | None:
    speed = np.linalg.norm(np.diff(smoothed(measured), axis=0) * hz, axis=1)
    moving = np.flatnonzero(speed > STILL_RAD_S)
    if not moving.size:
        return None
    return sparc(speed[moving[0] : moving[-1] + 1], hz)


def sparc(speed: Rows, hz: float) -> float | None:
    """Spectral arc length of a speed profile (T,): −Σ √((Δf/(f_n − f_0))² + (ΔM)²) over the normalised spectrum M, up to 10 Hz and to
    where it last exceeds 0.05. None for fewer than four rows, or a speed of zero.
    """
    if len(speed) < 4 or not speed.any():
        return None
    count = int(2 ** (np.ceil(np.log2(len(speed))) + _SPARC_PADDING))
    frequencies = np.arange(count) * hz / count
    magnitude = np.abs(np.fft.fft(speed, count))
    magnitude = magnitude / magnitude.max()
    kept = frequencies <= _SPARC_HZ
    frequencies, magnitude = frequencies[kept], magnitude[kept]
    above = np.flatnonzero(magnitude >= _SPARC_LEVEL)
    frequencies, magnitude = frequencies[above[0] : above[-1] + 1], magnitude[above[0] : above[-1] + 1]
    if len(frequencies) < 2:
        return None
    steps = np.diff(frequencies) / (frequencies[-1] - frequencies[0])
    return float(-np.sqrt(steps**2 + np.diff(magnitude) ** 2).sum())


def motion_card(measured: Rows, asked: Rows, grippers: Mask, held: Mask, stalls: int, hz: float) -> MotionCard:
    """When everything stood still. `grippers`: (D,) which numbers are apertures; `held`: (T,) rows in hold."""
    limits = np.where(grippers, STILL_APERTURE_S, STILL_RAD_S)
    still = np.ones(len(measured), bool)
    for values in (measured, asked):
        speed = np.abs(np.diff(smoothed(values), axis=0, prepend=values[:1])) * hz
        speed[0] = speed[1] if len(speed) > 1 else 0.0
        still &= (speed < limits).all(axis=1)
    found = runs(still & ~held)
    rows = len(measured)
    head = next((end for start, end in found if start == 0), 0)
    tail = next((start for start, end in found if end == rows and start > 0), rows)
    pauses = [(start, end) for start, end in found if start > 0 and end < rows and end - start >= PAUSE_S * hz]
    longest = max(pauses, key=lambda run: run[1] - run[0], default=(-1, -1))
    holds = runs(held)
    return MotionCard(
        idle_head_s=head / hz, idle_tail_s=(rows - tail) / hz, tail_row=tail if tail < rows else -1, pauses=len(pauses),
        paused_s=sum(end - start for start, end in pauses) / hz, longest_pause_s=(longest[1] - longest[0]) / hz,
        longest_pause_row=longest[0], holds=len(holds), held_s=float(held.sum() / hz), held_row=holds[0][0] if holds else -1,
        stalls=stalls,
    )  # fmt: skip
