"""The numbers of a card by which episodes are compared and chosen: a name with its unit, one number each. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from station.episodes.quality.card import ArmCard, Card, PictureCard, StreamCard


class Fact(NamedTuple):
    """One of them."""

    what: str
    of: Callable[[Card], float | None]
    matters: float | None = None
    """The difference from which on one of a task's episodes can be unlike the others; None: it is not compared."""


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _streams(of: Callable[[StreamCard], float | None], kind: str = "") -> Callable[[Card], float | None]:
    return lambda card: _worst(of(each) for each in card.streams.values() if not kind or each.kind == kind)


def _arms(of: Callable[[ArmCard], float | None]) -> Callable[[Card], float | None]:
    return lambda card: _worst(of(each) for each in card.arms.values())


def _pictures(of: Callable[[PictureCard], float]) -> Callable[[Card], float | None]:
    return lambda card: _worst(of(each) for each in card.pictures.values())


def _least(of: Callable[[PictureCard], float]) -> Callable[[Card], float | None]:
    return lambda card: min((of(each) for each in card.pictures.values()), default=None)


FACTS: Mapping[str, Fact] = {
    "findings": Fact("how many things to look at its card has", lambda card: float(len(card.findings))),
    "idle_head_s": Fact("still at its beginning, s", lambda card: card.motion.idle_head_s, 0.5),
    "idle_tail_s": Fact("still at its end, s", lambda card: card.motion.idle_tail_s, 0.5),
    "paused_s": Fact("still in between, for half a second and more, s", lambda card: card.motion.paused_s, 1.0),
    "held_s": Fact("in hold, s", lambda card: card.motion.held_s, 0.1),
    "longest_gap_ms": Fact("the longest gap of any stream, ms", _streams(lambda each: each.longest_gap_ms), 30.0),
    "age_p99_ms": Fact("p99 age of the oldest stream, ms", _streams(lambda each: each.age_p99_ms), 20.0),
    "frozen_s": Fact("the longest time that a stream repeated itself, s", _streams(lambda each: each.frozen_s), 0.3),
    "dark_pictures": Fact("dark ones of the pictures looked at, of the darkest camera", _pictures(lambda each: each.dark)),
    "overexposed_pictures": Fact("the same, overexposed", _pictures(lambda each: each.overexposed)),
    "blurred_pictures": Fact("the same, blurred", _pictures(lambda each: each.blurred)),
    "brightness": Fact("median grey level of the darkest camera", _least(lambda each: each.brightness), 8.0),
    "sharpness": Fact("median sharpness of the least sharp camera", _least(lambda each: each.sharpness), 0.01),
    "lag_ms": Fact("lag of the slowest arm behind its goal, ms", _arms(lambda each: each.lag_ms), 20.0),
    "tracking_rms_rad": Fact("what is left beside the lag, rms of the worst joint, rad",
                             _arms(lambda each: max(each.tracking_rms_rad.values(), default=None)), 0.01),
    "clipped_s": Fact("the goal was not what was asked for, s", _arms(lambda each: each.clipped_s), 0.5),
    "limit_s": Fact("a joint at its limit, s", _arms(lambda each: each.limit_s), 0.3),
    "jerk_rms_rad_s3": Fact("of the joint that jerks most, rad/s³", _arms(lambda each: each.jerk_rms_rad_s3), 30.0),
    "speed_rad_s": Fact("mean speed of the faster arm, rad/s", _arms(lambda each: each.speed_rad_s), 0.05),
    "gripper_travel": Fact("of the gripper that travelled most, 0 to 1", _arms(lambda each: each.gripper_travel), 0.1),
}  # fmt: skip


def facts_of(card: Card) -> dict[str, float | None]:
    """All of them; None where it was not measured."""
    return {name: fact.of(card) for name, fact in FACTS.items()}
