"""How many pictures a second each viewer gets: what it wants, less where all together would fill the network. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

BYTES_PER_S = 60e6 / 8
"""Of everybody together: more of it has taken leaders on the same bridge their packets."""
LEAST_FPS = 1.0


class Wish(NamedTuple):
    """What one viewer wants, and what that costs."""

    fps: float
    bytes_a_picture: float
    """Of all its cameras together."""
    holds: bool
    """It holds control: it is the last to get less."""


def paces(wishes: Mapping[int, Wish], most: float = BYTES_PER_S) -> dict[int, float]:
    """Pictures a second for each."""
    holders = {key: wish for key, wish in wishes.items() if wish.holds}
    others = {key: wish for key, wish in wishes.items() if not wish.holds}
    found = _shared(holders, most)
    left = most - sum(found[key] * wish.bytes_a_picture for key, wish in holders.items())
    return {**found, **_shared(others, max(0.0, left))}


def _shared(wishes: Mapping[int, Wish], most: float) -> dict[int, float]:
    wanted = sum(wish.fps * wish.bytes_a_picture for wish in wishes.values())
    part = min(1.0, most / wanted) if wanted > 0 else 1.0
    return {key: max(LEAST_FPS, wish.fps * part) for key, wish in wishes.items()}
