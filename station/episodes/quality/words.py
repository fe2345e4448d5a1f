"""A quality card in words and tables, for a terminal and for a page. Pure."""

from collections.abc import Sequence

from station.episodes.quality.card import Card, Finding

STREAMS = ("stream", "Hz / of", "gap", "jit", "p50", "p99", "lost", "again")
PICTURES = ("camera", "seen", "dark", "white", "blurred", "grey", "sharp")
ARMS = ("arm", "lag", "mrad", "clip", "limit", "jerk", "sparc", "grip")
LEGEND = (
    "of: declared rate · gap: the longest, ms · jit: p99 of an interval's distance from the median one, ms · p50, p99: age of the sample "
    "in its row, ms · again: samples that brought the same as the one before · seen: pictures looked at · grey: median brightness, "
    "0–255 · lag: ms · mrad: rms of what is left between goal and pose when the lag is taken off, worst joint · clip, limit: s · "
    "jerk: rad/s³ rms, worst joint · sparc: smoothness, −1.4 is one smooth move · grip: its travel, 0–1"
)


def headline(card: Card) -> str:
    """How many findings, and how it was measured."""
    count = len(card.findings)
    how = "while it was built, from every sample" if card.native else "later, from the rows of the file"
    words = "nothing to look at" if not count else "1 thing to look at" if count == 1 else f"{count} things to look at"
    return f"{words}; measured {how}"


def sentence(finding: Finding, tick_hz: float) -> str:
    """One finding: where, what, how much, against which limit, what to look at."""
    where = f"row {finding.row} ({finding.row / tick_hz:.1f} s): " if finding.row >= 0 else ""
    what = f"{finding.name.replace('_', ' ')}{f' {finding.on}' if finding.on else ''}"
    return f"{where}{what}, {number(finding.value)} (limit {number(finding.limit)} {finding.unit}). Look at: {finding.look_at}"


def number(value: float | None, digits: int = 3) -> str:
    """Short: `0.53`, `1180`, `–`."""
    return "–" if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.{digits}g}"


def streams(card: Card) -> list[Sequence[str]]:
    """Rows of STREAMS."""
    return [
        (name, f"{number(each.rate_hz)} / {each.declared_hz:g}", number(each.longest_gap_ms, 2), number(each.jitter_p99_ms, 2),
         f"{each.age_p50_ms:.0f}", f"{each.age_p99_ms:.0f}", str(each.lost), str(each.repeats))
        for name, each in card.streams.items()
    ]  # fmt: skip


def pictures(card: Card) -> list[Sequence[str]]:
    """Rows of PICTURES."""
    return [
        (name, str(each.sampled), str(each.dark), str(each.overexposed), str(each.blurred), f"{each.brightness:.0f}",
         number(each.sharpness, 2))
        for name, each in card.pictures.items()
    ]  # fmt: skip


def arms(card: Card) -> list[Sequence[str]]:
    """Rows of ARMS."""
    return [
        (name, number(each.lag_ms), number(1000 * max(each.tracking_rms_rad.values(), default=0.0)), number(each.clipped_s, 2),
         number(each.limit_s, 2), number(each.jerk_rms_rad_s3), number(each.sparc, 2), number(each.gripper_travel, 2))
        for name, each in card.arms.items()
    ]  # fmt: skip


def stillness(card: Card) -> str:
    """When nothing moved."""
    motion = card.motion
    parts = [f"still for {motion.idle_head_s:.1f} s at the beginning, {motion.idle_tail_s:.1f} s at the end"]
    parts += [f"{motion.pauses} pauses, {motion.paused_s:.1f} s"] if motion.pauses else []
    parts += [f"{motion.holds} holds, {motion.held_s:.1f} s"] if motion.holds else []
    parts += [f"{motion.stalls} stalls"] if motion.stalls else []
    return ", ".join(parts)


def checked(card: Card) -> str:
    """The check before it, and how old calibrations were."""
    check = card.check
    if check is None:
        return "none"
    words = [f"{check.verdict}, {check.age_h:.1f} h before", f"overridden: {check.override}" if check.override else ""]
    oldest = max(check.calibration_days.items(), key=lambda each: each[1], default=None)
    words += [f"oldest calibration {oldest[1]} days ({oldest[0]})"] if oldest is not None else []
    return "; ".join(filter(None, words))
