"""The recorded episodes that every consumer is given, bimanual and of a single arm, and which of them is which episode of a dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from station.datasets.plan import Plan
from tests.station.datasets.exported import export_to
from tests.station.datasets.recorded import BIMANUAL, SINGLE, Recorded, make

SIDES = (BIMANUAL, SINGLE)
TEXTS = ("hand it over", "put it back")
SHARD_S = 1.4
"""Of pictures in a file, instead of a thousand seconds: so that a set of seconds has several files of each kind."""


class Set(NamedTuple):
    """A dataset, and where it came from."""

    out: Path
    plan: Plan
    episodes: list[Path]
    """By the dataset's numbers."""


def record(folder: Path) -> dict[Sequence[str], list[Path]]:
    """Three episodes of a rig with these sides, in a data folder of their own; the second failed."""
    return {
        sides: [
            make(
                folder / "-".join(sides),
                Recorded(30 + 7 * k, sides, size=(320, 240), episode=k, instruction=TEXTS[k % 2], success=k != 1),
            )
            for k in range(3)
        ]
        for sides in SIDES
    }


def record_depth(folder: Path) -> list[Path]:
    """Two episodes of one arm, one of whose two cameras has depth."""
    return [
        make(
            folder,
            Recorded(
                20 + 5 * k, SINGLE, ("cam_high", "cam_low"), episode=k, depths=("cam_high",), instruction=TEXTS[k]
            ),
        )
        for k in range(2)
    ]


def exported(out: Path, episodes: list[Path], format_name: str, **asked: Any) -> Set:
    """All of them, in several shards."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("station.datasets.plan.SHARD_SECONDS", SHARD_S)
        plan = export_to(out, episodes[0].parents[1], format_name, **asked).plan
    numbers = [int(str(plan.sources[one.source].source.facts["episode"])) for one in plan.episodes]
    return Set(out, plan, [episodes[number] for number in numbers])
