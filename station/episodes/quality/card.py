"""The quality card of an episode: what was measured, and what of it somebody should look at. Structs only.

A finding is evidence (where, how much, against which limit, what to look at), never a verdict: nothing is left out because of it.
Every number is of the measured stream, unit in its name; what could not be measured is None.
"""

from typing import Literal

import msgspec

from station.episodes.labels import Recording

VERSION = 1
"""Of the measuring: raised when a number comes to mean something else. A card beside an episode that is of another one is made anew."""


class StreamCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One recorded stream. Rows are the episode's; −1 where there is none."""

    kind: str
    native: bool
    """Measured on every sample as it was captured; false: only on those that rows chose (older episodes)."""
    samples: int
    declared_hz: float
    """What its device says; 0 where it says none."""
    rate_hz: float | None
    jitter_p99_ms: float | None
    """How far 99 % of the intervals stay from the median interval."""
    gaps: int
    """Intervals longer than 1.5 median ones."""
    longest_gap_ms: float | None
    longest_gap_row: int
    lost: int
    """Samples lost on the way to the journal."""
    age_p50_ms: float
    age_p99_ms: float
    """Of the sample at its row."""
    repeats: int
    """New samples that bring what the one before brought: a picture of the same bytes; for an arm, rows with the same reading while
    its goal moved."""
    frozen_s: float
    """The longest run of them."""
    frozen_row: int


class PictureCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera's pictures, some of them decoded: grey levels 0 to 255."""

    sampled: int
    """Pictures looked at …"""
    per_s: float
    """… and how many of them a second."""
    brightness: float
    """The median picture's mean."""
    dark: int
    """How many of the sampled are darker than the limit; the longest run of them in a row …"""
    dark_run: int
    darkest: float
    """… and the darkest picture's mean, in this row."""
    darkest_row: int
    overexposed: int
    overexposed_run: int
    most_overexposed: float
    """The largest share of a picture that is white (250 and more), 0 to 1, in this row."""
    most_overexposed_row: int
    sharpness: float
    """The median picture's: variance of its Laplacian over its own variance, at half size."""
    blurred: int
    blurred_run: int
    least_sharp: float
    least_sharp_row: int


class ArmCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One follower, while somebody commanded it. Joints by their names in the vector."""

    lag_ms: float | None
    """By how much the measured pose, taken as a whole, comes after the goal that was sent; None where nothing moved."""
    tracking_rms_rad: dict[str, float]
    """Per joint, what is left between the goal and the pose that long after it."""
    worst_joint: str
    worst_rad: float
    """The largest single difference of that kind, of any joint, in this row."""
    worst_row: int
    clipped_s: float
    """Time in which the goal that was sent was not what was asked for, hand-over ramps included."""
    clipped_joint: str
    clipped_row: int
    limit_s: float
    """Time within 0.02 rad of a joint's limit; the joint that was there longest."""
    limit_joint: str
    limit_row: int
    jerk_rms_rad_s3: float
    """Of the joint that jerks most, its measured position smoothed over five rows, twice."""
    jerk_joint: str
    sparc: float | None
    """Spectral arc length of the speed over all joints, idle ends left out; −1.4 is one smooth move, more negative less smooth. It falls
    with the number of moves, so it compares episodes of one length only."""
    speed_rad_s: float
    """Mean over the rows of the length of its joints' velocity."""
    gripper_travel: float | None
    """Between its widest and its narrowest aperture, 0 to 1; None where it has none."""


LEVELS = (
    0, .0025, .005, .01, .02, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .98, .99, .995, .9975, 1,
)  # fmt: skip
THUMB_ROWS = 24


class Outline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An episode in a few hundred numbers: what comparing thousands of episodes needs, without opening them."""

    state: tuple[tuple[float, ...], ...]
    """(D, LEVELS) quantiles of each number of the measured vector over the rows."""
    action: tuple[tuple[float, ...], ...]
    """(D, LEVELS) of what was asked for."""
    poses: tuple[tuple[float, ...], ...]
    """(up to THUMB_ROWS, D) the measured vector in rows spread evenly over the episode, the first and the last among them."""


class MotionCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When nothing moved: neither arms, nor grippers, nor what was asked of them."""

    idle_head_s: float
    idle_tail_s: float
    tail_row: int
    """Where the idle tail begins."""
    pauses: int
    """Still for half a second and more, in between."""
    paused_s: float
    longest_pause_s: float
    longest_pause_row: int
    holds: int
    held_s: float
    held_row: int
    stalls: int


class CheckLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The check that opened the session."""

    verdict: Literal["pass", "warn", "fail"]
    at_s: float
    """Unix time: which check it was."""
    age_h: float
    override: str
    calibration_days: dict[str, int]
    """Per device with a calibration in force, how old its newest part was."""


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to look at."""

    name: str
    on: str
    """Stream, camera, joint or arm; "" for the whole episode."""
    row: int
    """Where it begins or is worst; −1 for all of it."""
    value: float
    limit: float
    unit: str
    look_at: str


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card of one episode."""

    version: int
    recording: Recording | None
    """Which recording it is of."""
    rows: int
    tick_hz: float
    native: bool
    """Measured while it was built, from every sample; false: later, from the file."""
    streams: dict[str, StreamCard]
    pictures: dict[str, PictureCard]
    arms: dict[str, ArmCard]
    motion: MotionCard
    check: CheckLink | None
    outline: Outline
    findings: tuple[Finding, ...]
    not_measured: tuple[str, ...] = ()
    """What is not in it, and why."""
