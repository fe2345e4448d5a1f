"""What GR00T wants beside a LeRobot 2.1 dataset: meta/modality.json, and meta/stats.json with six keys. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from station.datasets.formats import lerobot_tables as tables
from station.datasets.plan import Plan
from station.datasets.statistics import QUANTILES, Statistics

_TASK = "human.action.task_description"
"""Its name of an episode's text."""
_KEYS = ("mean", "std", "min", "max", "q01", "q99")
"""No other: it cuts each of them by an arm's numbers."""


def modality(plan: Plan) -> dict[str, Any]:
    """meta/modality.json: which numbers of the vectors are which arm, `end` exclusive; what the cameras and the text are called."""
    groups = {name: {"start": start, "end": end} for name, (start, end) in _groups(plan).items()}
    return {
        "state": {name: {**where, "original_key": "observation.state"} for name, where in groups.items()},
        "action": {name: {**where, "original_key": "action"} for name, where in groups.items()},
        "video": {camera: {"original_key": tables.camera_key(camera)} for camera in plan.cameras},
        "annotation": {_TASK: {"original_key": "task_index"}},
    }


def _groups(plan: Plan) -> dict[str, tuple[int, int]]:
    """`left_arm`, `left_gripper`, …: numbers beside each other of one side, gripper or not."""
    found: dict[str, tuple[int, int]] = {}
    for place, (name, unit) in enumerate(zip(plan.dim_names, plan.units, strict=True)):
        group = f"{name.partition('_')[0]}_{'gripper' if unit == '1' else 'arm'}"
        start, end = found.get(group, (place, place))
        if end != place:
            group, start = name, place  # a second run of the same kind has the name of its own number
        found[group] = start, place + 1
    return found


def stats(found: Statistics) -> dict[str, list[float]]:
    """Of a vector, for meta/stats.json."""
    low, high = (found.quantiles[QUANTILES.index(share)] for share in (0.01, 0.99))
    return dict(zip(_KEYS, (found.mean, found.std, found.min, found.max, low, high), strict=True))


def problems(said: Mapping[str, Any], stats: Mapping[str, Any], features: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with meta/modality.json and the keys of meta/stats.json. Raises KeyError for what is missing."""
    for kind, column in (("state", "observation.state"), ("action", "action")):
        yield from _group_problems(kind, said[kind], column, features[column])
    cameras = {name for name, feature in features.items() if feature["dtype"] == "video"}
    named = {name: one["original_key"] for name, one in said["video"].items()}
    if set(named.values()) != cameras:
        yield "meta/modality.json: its cameras are not those of meta/info.json"
    for name in sorted(name for name, key in named.items() if key != tables.camera_key(name)):
        yield f"meta/modality.json: {name} is another camera's pictures"
    if any(one["original_key"] != "task_index" for one in said["annotation"].values()):
        yield "meta/modality.json: the task's text is not of task_index"
    for name, values in stats.items():
        if set(values) != set(_KEYS):
            yield f"meta/stats.json: {name} has {', '.join(sorted(values))}; GR00T takes {', '.join(_KEYS)}"


def _group_problems(kind: str, groups: Mapping[str, Any], column: str, feature: Mapping[str, Any]) -> Iterator[str]:
    """Do the groups cover each number once, under the name of its side?"""
    names, width = feature["names"], feature["shape"][0]
    spans = sorted((one["start"], one["end"], name) for name, one in groups.items())
    ends = [0, *(end for _, end, _ in spans)]
    if [start for start, _, _ in spans] != ends[:-1] or ends[-1] != width:
        yield f"meta/modality.json: the groups of {kind} do not cover its {width} numbers"
    for start, end, name in spans:
        if not all(str(one).startswith(name.partition("_")[0]) for one in names[start:end]):
            yield f"meta/modality.json: {kind} {name} is {', '.join(names[start:end])}"
    if any(one["original_key"] != column for one in groups.values()):
        yield f"meta/modality.json: {kind} is not of {column}"
