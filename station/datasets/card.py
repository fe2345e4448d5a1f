"""A dataset's card, README.md: what is in it, as people and the Hub read it. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import yaml

from station.datasets.conversion import Space, units_of
from station.datasets.formats.contract import Format
from station.datasets.frames import Representation
from station.datasets.plan import Plan
from station.datasets.record import Record
from station.datasets.statistics import QUANTILES
from station.datasets.video import ENCODERS, PICTURES

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_ACTIONS = {
    "asked": "what the source asked for at that moment (`/action`), before ramp and limits",
    "sent": "the goal that the arms were given (`/action_sent`), after ramp and limits",
    "human": "what the person asked for (`/human_action`)",
}
_SPACES: Mapping[Space, str] = {
    "joint": "State is what the followers measured at the frame's row.",
    "ee": (
        "State is where the fingertips were at the frame's row, by forward kinematics of the measured joints (chains and bases: "
        "`geometry` in station/dataset.json): position in the rig frame (x forward, y left, z up), and the rotation vector of the frame "
        "between the fingertips (x out of the gripper), which jumps where its angle passes π. Actions likewise, of the goals."
    ),
    "ee-6d": (
        "State is where the fingertips were at the frame's row, by forward kinematics of the measured joints (chains and bases: "
        "`geometry` in station/dataset.json): position in the rig frame (x forward, y left, z up), and the first two rows of the "
        "rotation matrix of the frame between the fingertips (x out of the gripper). Actions likewise, of the goals."
    ),
}
_REPRESENTATIONS: Mapping[Representation, str] = {
    "absolute": "absolute goals.",
    "step-delta": (
        "the step to the next frame's goal: differences of numbers, of rotations R' Rᵀ in the rig frame; of grippers the goal itself."
    ),
    "relative": "the goal as seen from the fingertips at the frame, T⁻¹ T_goal; of grippers the goal itself.",
}
_SQUEEZED = 3.0
"""Times the middle 98 % that a number's whole range may be: beyond, a few outliers squeeze what is normalised by min and max."""


def card(record: Record, fmt: Format, out: Path) -> str:
    """The file's text."""
    return "\n".join((*_front(record, fmt), *_body(record, fmt, out))) + "\n"


def _front(record: Record, fmt: Format) -> Iterator[str]:
    plan = record.plan
    size = next((name for most, name in _SIZES if plan.frames < most), "n>1M")
    about: dict[str, object] = {
        "license": "other", "task_categories": ["robotics"], "size_categories": [size],
        "tags": ["LeRobot", plan.format] if fmt.name.startswith("lerobot") else [plan.format],
    }  # fmt: skip
    if fmt.name.startswith("lerobot"):
        about["configs"] = [{"config_name": "default", "data_files": "data/*/*.parquet"}]
    yield "---"
    yield yaml.safe_dump(about, sort_keys=False).strip()
    yield "---"


def _body(record: Record, fmt: Format, out: Path) -> Iterator[str]:
    plan = record.plan
    yield f"\n# {out.name}\n"
    yield f"Made by the station {record.station_version} in the format `{plan.format}` ({fmt.consumers})."
    yield "No licence was chosen yet: say which before publishing.\n"
    yield f"- **robot**: {plan.robot}; arms: {_arms(plan)}"
    minutes = plan.frames / plan.rate_hz / 60
    yield f"- **episodes**: {len(plan.episodes)} of {len(plan.sources)} recordings, {plan.frames} frames, {minutes:.1f} minutes"
    yield f"- **rate**: {plan.rate_hz:g} frames a second of {_rates(plan)}"
    yield f"- **split**: {_split(plan)}"
    yield f"- **operators**: {_operators(plan)}"
    calibrated = sorted({name for source in plan.sources for name in source.calibrated})
    yield f"- **calibrated devices**: {', '.join(calibrated) or 'none'}"
    yield from _tasks(plan)
    yield from _numbers(record)
    yield from _pictures(plan)
    yield from _depths(plan)
    yield from _left_out(record)
    yield "\n## Training\n"
    yield from (f"- {note}" for note in fmt.notes(plan))
    yield f"\n```\n{fmt.training(plan, out)}\n```"
    yield "\n`station/dataset.json` has every source's sha256, every episode's rows, what was left out and why;"
    yield "`station/selection.yaml` is the selection."


def _split(plan: Plan) -> str:
    training = sum(not episode.validation for episode in plan.episodes)
    if training == len(plan.episodes):
        return "none held back"
    split = plan.selection.split
    held = f"{split.validation:.0%} by a hash of the {split.group_by}, seed {plan.selection.seed}"
    if not training:
        return f"all held back ({held})"
    return f"episodes 0 to {training - 1} for training, {training} to {len(plan.episodes) - 1} held back ({held})"


def _arms(plan: Plan) -> str:
    return ", ".join(f"{arm} {model}" for arm, model in sorted(plan.sources[0].arms.items())) or "not said"


def _rates(plan: Plan) -> str:
    return ", ".join(f"{rate:g} Hz" for rate in sorted({source.tick_hz for source in plan.sources}))


def _operators(plan: Plan) -> str:
    """As the record has them: names only where they were asked for."""
    counts = Counter(str(source.source.facts.get("operator") or "not said") for source in plan.sources)
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common())


def _tasks(plan: Plan) -> Iterator[str]:
    yield "\n## Tasks\n\n| task | episodes | frames | success | failure | not said | weight |\n|---|---|---|---|---|---|---|"
    for index, text in enumerate(plan.tasks):
        mine = [episode for episode in plan.episodes if episode.task_index == index]
        said = Counter(episode.success for episode in mine)
        weights = sorted({episode.weight for episode in mine})
        told = ", ".join(f"{weight:g}" for weight in weights)
        frames = sum(one.length for one in mine)
        yield f"| {text} | {len(mine)} | {frames} | {said[True]} | {said[False]} | {said[None]} | {told} |"


def _numbers(record: Record) -> Iterator[str]:
    plan, conversion = record.plan, record.plan.conversion
    yield "\n## State and action\n"
    yield _SPACES[conversion.space]
    if conversion.space != "joint" and _one_place(plan):
        yield "**The rig file does not say where the arms' bases stand: each arm's poses are in the frame of its own base.**"
    yield (
        f"Action is {_ACTIONS[conversion.action]}, of the {conversion.action_at} row of those up to the next frame; "
        + _REPRESENTATIONS[conversion.representation]
    )
    yield "Frames are the newest rows at or before their time; nothing looks ahead and nothing is interpolated."
    yield "Rows of a short stall stay and are flagged (`stalled`).\n"
    yield "| number | unit | state min … max | action min … max | action q01 … q99 | |\n|---|---|---|---|---|---|"
    state, action = record.statistics.numbers["state"], record.statistics.numbers["action"]
    low, high = (np.asarray(action.quantiles[QUANTILES.index(share)]) for share in (0.01, 0.99))
    for place, (name, unit) in enumerate(zip(plan.dim_names, units_of(plan.units, conversion.gripper), strict=True)):
        ranges = (state.min[place], state.max[place]), (action.min[place], action.max[place]), (low[place], high[place])
        told = " | ".join(f"{first:.3f} … {last:.3f}" for first, last in ranges)
        yield f"| {name} | {unit} | {told} | {_remark(ranges[1], ranges[2])} |"


def _one_place(plan: Plan) -> bool:
    """Do several arms stand on one spot? Then nobody said where they stand."""
    bases = [arm.base for arm in plan.sources[0].geometry.values()]
    return len(bases) > 1 and all(base == bases[0] for base in bases)


def _remark(whole: tuple[float, float], middle: tuple[float, float]) -> str:
    """What normalising by these numbers would suffer from."""
    width, inner = whole[1] - whole[0], middle[1] - middle[0]
    if width == 0:
        return "constant"
    if width <= _SQUEEZED * inner:
        return ""
    return f"outliers: {width / inner:.1f} × its middle 98 %" if inner else "outliers only"


def _pictures(plan: Plan) -> Iterator[str]:
    if not plan.cameras:
        return
    yield "\n## Pictures\n"
    encoder = ENCODERS.get(plan.conversion.video)
    yield f"{encoder.described() if encoder else PICTURES[plan.conversion.video]}."
    yield "A frame's picture is the newest that was captured at or before its row's tick.\n"
    yield "| camera | recorded | exported | camera's rate |\n|---|---|---|---|"
    crops: dict[str, str] = {}
    for name, camera in plan.cameras.items():
        width, height = plan.size_of(name)
        recorded = f"{camera.width} × {camera.height} {'JPEG' if camera.jpeg else 'raw'}"
        crop = plan.conversion.crop_of(name)
        left, top = crop.corner(camera.width, camera.height) if crop else (0, 0)
        part = f"{crop.width} × {crop.height} from column {left}, row {top}, at " if crop else ""
        if crop:
            crops[name] = f"{{width: {crop.width}, height: {crop.height}, left: {left}, top: {top}}}"
        yield f"| {name} | {recorded} | {part}{width} × {height} | {camera.rate_hz:g} Hz |"
    if crops:
        told = ", ".join(f"{name}: {crop}" for name, crop in crops.items())
        yield f"\nA policy that learns from this sees the same part by its `policy.yaml`: `image: {{…, crop: {{{told}}}}}`."


def _depths(plan: Plan) -> Iterator[str]:
    if not plan.depths:
        return
    yield "\nDepth is as recorded, uint16 millimetres, bit for bit, at its own size whatever that of the pictures is:"
    yield ", ".join(f"{stream} {width} × {height}" for stream, (width, height) in plan.depths.items()) + "."


def _left_out(record: Record) -> Iterator[str]:
    rows: Counter[str] = Counter()
    for source in record.plan.sources:
        rows.update(source.left_out)
    yield "\n## Left out\n"
    yield (
        "Rows that are no data end an episode: "
        + (", ".join(f"{count} {why}" for why, count in sorted(rows.items())) or "none")
        + "."
    )
    if record.left_out:
        yield "\n| recording | why | |\n|---|---|---|"
        for one in record.left_out:
            yield f"| {one.episode} | {one.kind} | {one.reason.splitlines()[0] if one.reason else ''} |"
    depths = sorted({name for source in record.plan.sources for name in source.depths})
    if depths and not record.plan.depths:
        yield f"\nDepth ({', '.join(depths)}) is not in it: `--depth` asks for it, in a format that can hold it."
