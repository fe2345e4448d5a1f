"""Which episodes are somebody's training data: said by label and by cause, never assumed. Pure.

A label is what people said of an episode; a cause is why it may not be a demonstration from beginning to end, whatever they said.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from station.episodes.catalogue import Episode
from station.errors import UsageError

LABELS = ("success", "failure", "unlabelled")
CAUSES = ("early", "recovered", "damaged", "rollout")
"""early: it ended by itself (a hold, a lost device). recovered, damaged: its journal was cut off, or could not be read to its end.
rollout: a policy ran in it."""
ALL = "all"


def label_of(episode: Episode) -> str:
    """What people said of it."""
    return {True: "success", False: "failure", None: "unlabelled"}[episode.success]


def causes_of(episode: Episode) -> tuple[str, ...]:
    """Why it may be no whole demonstration; () for nothing."""
    cut = episode.recovered or bool(episode.damage)
    there = {
        "early": bool(episode.ended) and not cut, "recovered": episode.recovered, "damaged": bool(episode.damage),
        "rollout": bool(episode.policy),
    }  # fmt: skip
    return tuple(cause for cause in CAUSES if there[cause])


class Intake(NamedTuple):
    """What was asked for."""

    labels: frozenset[str]
    causes: frozenset[str]

    def takes(self, episode: Episode) -> bool:
        """Is its label among those, and each of its causes?"""
        return label_of(episode) in self.labels and self.causes.issuperset(causes_of(episode))


def asked_for(success: bool | None, include: Iterable[str]) -> Intake | None:
    """What a command line asks for; None if it asks for nothing.

    `success` takes every episode with that verdict, as it always did; `include` only what it names. Raises UsageError for both at
    once, an unknown word, or causes without a label.
    """
    words = [word.strip() for text in include for word in text.split(",") if word.strip()]
    if success is not None and words:
        raise UsageError("--include says everything: leave --success and --failure out, and name the label in it")
    if success is not None:
        return Intake(frozenset({"success" if success else "failure"}), frozenset(CAUSES))
    if unknown := [word for word in words if word not in (*LABELS, *CAUSES, ALL)]:
        raise UsageError(f"--include {unknown[0][:60]}: no label and no cause. Next: any of {_known()}")
    if not words:
        return None
    if ALL in words:
        return Intake(frozenset(LABELS), frozenset(CAUSES))
    intake = Intake(frozenset(words) & frozenset(LABELS), frozenset(words) & frozenset(CAUSES))
    if not intake.labels:
        raise UsageError(f"--include {','.join(words)} names no label, so nothing fits. Next: add any of {_known()}")
    return intake


def _known() -> str:
    return f"{', '.join(LABELS)}; with {', '.join(CAUSES)}; or {ALL}"


def groups(episodes: Iterable[Episode]) -> Mapping[str, list[Episode]]:
    """Episodes by what they are: `success`, `failure, recovered`; in the order of LABELS, what is whole first."""
    found: dict[str, list[Episode]] = {}
    for episode in episodes:
        found.setdefault(", ".join((label_of(episode), *causes_of(episode))), []).append(episode)

    def rank(what: str) -> tuple[int, int, str]:
        label, *causes = what.split(", ")
        return LABELS.index(label), len(causes), what

    return {what: found[what] for what in sorted(found, key=rank)}
