"""From a card's numbers to what somebody should look at: every limit is in one table, and stands in the finding. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from station.episodes.quality.card import ArmCard, CheckLink, Finding, MotionCard, PictureCard, StreamCard
from station.episodes.quality.motion import PAUSE_S
from station.episodes.quality.pictures import BLURRED, BLURRED_AGAINST_OTHERS, DARK, OVEREXPOSED


class Limit(NamedTuple):
    """When a number becomes a finding."""

    value: float
    unit: str
    look_at: str


LIMITS = {
    "rate": Limit(0.9, "of the declared rate", "cable, USB controller, exposure: a long one slows a camera down"),
    "gap": Limit(3.0, "of its periods, and 60 ms", "the computer's load and the cable at that row"),
    "jitter": Limit(0.5, "of its period", "the computer's load; whether the node has its real-time priority"),
    "old": Limit(4.0, "of its periods, and 60 ms", "the stream's latency: its rows show what was some time ago"),
    "lost": Limit(0.0, "samples", "the computer's load while it was recorded"),
    "frozen": Limit(0.5, "s", "whether the device still delivered, or repeated itself"),
    "dark": Limit(DARK, "mean grey level, in two pictures in a row", "the lens, the light, the exposure"),
    "overexposed": Limit(OVEREXPOSED, "of the picture, in two in a row", "the exposure, the light"),
    "blurred": Limit(BLURRED, "sharpness, or 0.15 of its usual, in two in a row", "the focus, the lens, how fast it moved"),
    "lag": Limit(150.0, "ms", "the arm's gains, or a limit that slows it: a policy learns from states that lag so much"),
    "tracking": Limit(0.1, "rad rms", "what the joint met: contact, load, a limit, a servo that is weak"),
    "clipped": Limit(1.0, "s", "limits in the rig file; what was asked is not what the arm was told"),
    "limit": Limit(0.5, "s", "whether the joint was stopped by its limit"),
    "jerk": Limit(300.0, "rad/s³ rms", "a tremor, a loose leader, an input that jumps"),
    "idle_head": Limit(1.0, "s", "whether it should be trimmed"),
    "idle_tail": Limit(1.0, "s", "whether it should be trimmed"),
    "paused": Limit(2.0, f"s in one pause (those of {PAUSE_S:g} s and more count)", "whether waiting belongs to the task"),
    "held": Limit(0.0, "s", "why the arms held; these rows are no demonstration"),
    "stalled": Limit(0.0, "stalls", "the computer's load, the bus"),
    "gripper_still": Limit(0.05, "of its travel", "whether the gripper was to be used, and works"),
    "unchecked": Limit(0.0, "checks", "the rig had not been checked: `station check`"),
    "check_failed": Limit(0.0, "failures", "why it was recorded although the check failed"),
    "check_old": Limit(12.0, "h", "what changed at the rig since its check"),
    "calibration_old": Limit(180.0, "days", "whether it still holds: `station check`"),
}  # fmt: skip
_LEAST_MS = 60.0
"""Three rows: what is shorter is in the ages of every row."""


def of_stream(name: str, card: StreamCard) -> Iterator[Finding]:
    """Rate, gaps, jitter, ages, losses, repeats of one stream."""
    period_ms = 1000 / card.declared_hz if card.declared_hz > 0 else 0.0
    if (
        card.rate_hz is not None
        and period_ms
        and card.native
        and card.rate_hz < LIMITS["rate"].value * card.declared_hz
    ):
        yield _finding("rate", name, -1, card.rate_hz, LIMITS["rate"].value * card.declared_hz, "Hz")
    least = max(LIMITS["gap"].value * period_ms, _LEAST_MS)
    if card.longest_gap_ms is not None and card.longest_gap_ms > least:
        yield _finding("gap", name, card.longest_gap_row, card.longest_gap_ms, least, "ms")
    if (
        card.jitter_p99_ms is not None
        and period_ms
        and card.native
        and card.jitter_p99_ms > LIMITS["jitter"].value * period_ms
    ):
        yield _finding("jitter", name, -1, card.jitter_p99_ms, LIMITS["jitter"].value * period_ms, "ms")
    oldest = max(LIMITS["old"].value * period_ms, _LEAST_MS)
    if card.age_p99_ms > oldest:
        yield _finding("old", name, -1, card.age_p99_ms, oldest, "ms")
    if card.lost > LIMITS["lost"].value:
        yield _finding("lost", name, -1, card.lost)
    if card.frozen_s > LIMITS["frozen"].value:
        yield _finding("frozen", name, card.frozen_row, card.frozen_s)


def of_pictures(name: str, card: PictureCard) -> Iterator[Finding]:
    """Dark, overexposed, blurred."""
    if card.dark_run > 1:
        yield _finding("dark", name, card.darkest_row, card.darkest, unit="grey level")
    if card.overexposed_run > 1:
        yield _finding("overexposed", name, card.most_overexposed_row, card.most_overexposed)
    if card.blurred_run > 1:
        limit = max(BLURRED, BLURRED_AGAINST_OTHERS * card.sharpness)
        yield _finding("blurred", name, card.least_sharp_row, card.least_sharp, limit, "sharpness")


def of_arm(name: str, card: ArmCard) -> Iterator[Finding]:
    """Lag, tracking, clipping, limits, jerk, gripper."""
    if card.lag_ms is not None and card.lag_ms > LIMITS["lag"].value:
        yield _finding("lag", name, -1, card.lag_ms)
    for joint, rms in card.tracking_rms_rad.items():
        if rms > LIMITS["tracking"].value:
            yield _finding("tracking", joint, card.worst_row if joint == card.worst_joint else -1, rms)
    if card.clipped_s > LIMITS["clipped"].value:
        yield _finding("clipped", card.clipped_joint, card.clipped_row, card.clipped_s)
    if card.limit_s > LIMITS["limit"].value:
        yield _finding("limit", card.limit_joint, card.limit_row, card.limit_s)
    if card.jerk_rms_rad_s3 > LIMITS["jerk"].value:
        yield _finding("jerk", card.jerk_joint, -1, card.jerk_rms_rad_s3)
    if card.gripper_travel is not None and card.gripper_travel < LIMITS["gripper_still"].value:
        yield _finding("gripper_still", name, -1, card.gripper_travel)


def of_motion(card: MotionCard, rows: int) -> Iterator[Finding]:
    """Standing still."""
    if card.idle_head_s > LIMITS["idle_head"].value:
        yield _finding("idle_head", "", 0, card.idle_head_s)
    if card.idle_tail_s > LIMITS["idle_tail"].value and card.tail_row < rows:
        yield _finding("idle_tail", "", card.tail_row, card.idle_tail_s)
    if card.longest_pause_s > LIMITS["paused"].value:
        yield _finding("paused", "", card.longest_pause_row, card.longest_pause_s, unit="s")
    if card.held_s > LIMITS["held"].value:
        yield _finding("held", "", card.held_row, card.held_s)
    if card.stalls > LIMITS["stalled"].value:
        yield _finding("stalled", "", -1, card.stalls)


def of_check(check: CheckLink | None, simulated: bool) -> Iterator[Finding]:
    """The check before the session, and the calibrations in force. A simulated rig needs none."""
    if check is None:
        if not simulated:
            yield _finding("unchecked", "", -1, 1.0)
        return
    if check.verdict == "fail":
        yield _finding("check_failed", "", -1, 1.0)
    if check.age_h > LIMITS["check_old"].value:
        yield _finding("check_old", "", -1, check.age_h)
    for device, days in check.calibration_days.items():
        if days > LIMITS["calibration_old"].value:
            yield _finding("calibration_old", device, -1, days)


def _finding(name: str, on: str, row: int, value: float, limit: float | None = None, unit: str = "") -> Finding:
    known = LIMITS[name]
    return Finding(
        name, on, row, float(value), known.value if limit is None else limit, unit or known.unit, known.look_at
    )
