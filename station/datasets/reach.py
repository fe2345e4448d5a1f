"""Where arms' fingertips went in many episodes: forward kinematics of the poses that cards keep. Pure."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from station.datasets.stats import Path
from station.episodes.catalogue import Episode
from station.episodes.form import Form
from station.episodes.index import Measured
from station.kinematics.chains import fingertips

Ways = tuple[dict[str, list[Path]], dict[str, str]]
"""Per follower, the way of each episode through space; and arms without one, with the reason."""


def paths(found: Sequence[tuple[Episode, Measured | None]]) -> Ways:
    """Per follower, the way of each episode through space; and arms without one, with the reason."""
    ways: dict[str, list[Path]] = {}
    unknown: dict[str, str] = {}
    with_poses = [
        (episode, episode.form, each.poses)
        for episode, each in found
        if each is not None and episode.form is not None and len(each.poses)
    ]
    for arm in dict.fromkeys(arm for episode, _ in found if episode.form is not None for arm in episode.form.arms):
        here = [(episode, form, poses) for episode, form, poses in with_poses if arm in form.arms]
        if not here:
            unknown[arm] = "nothing was measured of it yet"
            continue
        forms = {id(form): form for _, form, _ in here}.values()  # thousands share one
        chain = here[0][1].chains.get(arm)
        if chain is None or any(form.chains.get(arm) != chain for form in forms):
            unknown[arm] = (
                "its driver described no geometry of it, or not the same in all (episodes before layout 3 have none)"
            )
            continue
        places = _places(here[0][1], arm)[: len(chain.hinges)]
        if len(places) != len(chain.hinges):
            unknown[arm] = f"its chain has {len(chain.hinges)} joints, the vector {len(places)} of it"
            continue
        joints = np.concatenate([poses for _, _, poses in here])[:, places].astype(np.float64)
        tips = fingertips(chain, joints)
        ends = accumulate(len(poses) for _, _, poses in here)
        ways[arm] = [
            Path(episode, tips[end - len(poses) : end]) for (episode, _, poses), end in zip(here, ends, strict=True)
        ]
    return ways, unknown


def _places(form: Form, arm: str) -> list[int]:
    side = arm.removeprefix("follower_")
    return [place for place, dim in enumerate(form.dims) if dim.startswith(f"{side}_")]
