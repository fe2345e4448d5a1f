"""A task's collection plan: how many episodes of what, in which order, and what comes next. Pure: the episodes that are there in, what to
stage out.

    each: 5                              # episodes of every combination of the lists below
    scenes: [left, middle, right]
    objects: [red cube, blue cube]
    operators: [ada, ben]                # left out: whoever records
    seed: 7
    instruction: put the {object} into the bowl
    places: {left: {cam_high: [0.31, 0.62]}}     # where in a camera's picture, from its top left corner, as shares of its width and height

Nothing is kept of how far it has come: that is counted from the episodes each time. A failure is saved and does not count.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from station.borders.bounds import Text

MOST_EPISODES = 10_000
"""Of a plan: its order is a list of them."""
Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^\S(.*\S)?\Z")]
"""A scene, an object, an operator: one line."""
Words = Annotated[tuple[Word, ...], Meta(max_length=200)]
Share = Annotated[float, Meta(ge=0, le=1)]


class CollectionPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a task's `plan.yaml` says."""

    each: Annotated[int, Meta(ge=1, le=MOST_EPISODES)]
    scenes: Words = ()
    objects: Words = ()
    operators: Words = ()
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 0
    """Another one draws another order."""
    instruction: Text = ""
    """Of each episode, with {scene} and {object} put in; "": the sitting's."""
    places: dict[Word, dict[Word, tuple[Share, Share]]] = {}
    """By scene and camera: where in the picture the object goes, x and y."""

    def __post_init__(self) -> None:
        for name in ("scenes", "objects", "operators"):
            words = getattr(self, name)
            if twice := [word for word, times in Counter(words).items() if times > 1]:
                raise ValueError(f"{name}: {twice[0]!r} is there twice")
            if unseen := [word for word in words if not word.isprintable()]:
                raise ValueError(f"{name}: {unseen[0]!r} has characters that cannot be seen")
        if strange := [scene for scene in self.places if scene not in self.scenes]:
            raise ValueError(f"places: {strange[0]!r} is none of the scenes")
        if self.wanted > MOST_EPISODES:
            raise ValueError(f"{self.wanted} episodes; a plan has {MOST_EPISODES} at most")

    @property
    def wanted(self) -> int:
        """Episodes in all."""
        return self.each * len(combinations(self))


class Combination(NamedTuple):
    """What an episode is of; "" where the plan has no list of that kind."""

    scene: str
    object: str
    operator: str


class Collected(NamedTuple):
    """What is known of one episode that was saved, or is being saved."""

    number: int
    scene: str
    object: str
    operator: str
    success: bool | None


class Tally(NamedTuple):
    """The episodes of one combination."""

    counted: int = 0
    failures: int = 0
    """Saved, labelled a failure, and not counted."""


Tallies = Mapping[Combination, Tally]


def combinations(plan: CollectionPlan) -> list[Combination]:
    """Every one, in the file's order."""
    return list(map(Combination._make, product(plan.scenes or ("",), plan.objects or ("",), plan.operators or ("",))))


def order(plan: CollectionPlan) -> list[Combination]:
    """All episodes in the order in which they are staged: in blocks that have every combination once, each drawn anew from the seed.

    So a plan that is left half-way has about as many of each; light and wear drift for all of them alike.
    """
    drawn = random.Random(plan.seed)
    # by keys of random(), which every Python draws alike: shuffle() may change
    return [one for _ in range(plan.each) for _, one in sorted((drawn.random(), one) for one in combinations(plan))]


def tallied(plan: CollectionPlan, episodes: Iterable[Collected]) -> dict[Combination, Tally]:
    """How many there are of each combination; an episode of none of them is passed over."""
    found = dict.fromkeys(combinations(plan), Tally())
    for episode in episodes:
        of = Combination(
            episode.scene if plan.scenes else "",
            episode.object if plan.objects else "",
            episode.operator if plan.operators else "",
        )
        if of in found:
            counted, failures = found[of]
            failed = episode.success is False
            found[of] = Tally(counted + (not failed), failures + failed)
    return found


def following(plan: CollectionPlan, tallies: Tallies, operator: str) -> Combination | None:
    """What this operator stages next: the first place in the order that no episode fills; None where none is left."""
    filled = {one: tally.counted for one, tally in tallies.items()}
    for one in order(plan):
        if filled[one] > 0:
            filled[one] -= 1
        elif one.operator in ("", operator):
            return one
    return None


def done(plan: CollectionPlan, tallies: Tallies) -> int:
    """How many places of the order are filled: more of a combination than is wanted fills no other's."""
    return sum(min(plan.each, tally.counted) for tally in tallies.values())


def left(plan: CollectionPlan, tallies: Tallies, operator: str) -> int:
    """How many of them this operator has still to record."""
    return sum(max(0, plan.each - tally.counted) for one, tally in tallies.items() if one.operator in ("", operator))


def strange_operator(plan: CollectionPlan, operator: str) -> str:
    """Why nothing is staged for this operator, whom the plan does not name; "" if it does."""
    if not plan.operators or operator in plan.operators:
        return ""
    return f"the plan has nothing for {operator or 'an operator without a name'}: it names {', '.join(plan.operators)}"


def instruction(plan: CollectionPlan, of: Combination, otherwise: str) -> str:
    """What is written into an episode of it."""
    return plan.instruction.replace("{scene}", of.scene).replace("{object}", of.object) or otherwise
