"""What a policy, a checkpoint or an episode says of itself, held against the rig before anything moves. Pure.

A claim is names, order, width, units, rate, ranges, cameras: whatever is said. What is not said cannot be wrong, so a
policy without `dim_names` passes as far as the rest goes. Ranges come from the statistics (mean ± std, or min … max) or
from the numbers themselves: a joint whose range lies well beyond its limits was measured in another unit, and which one is
told by how large the numbers are. The same judgement looks at every live answer (`beyond`), for policies that say nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf, isfinite, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.bus.messages import Description
from station.episodes.form import by_arm
from station.errors import PolicyError
from station.policy.folder import Policy, PolicyFile
from station.policy.statistics import Statistics
from station.rig.rig import Rig

Array = NDArray[np.float64]
_FARTHEST_RAD = 1.0
"""Beyond a joint's limit a range is another unit's; an arm's own zero may be off by less, a leader's reach by some tenths."""
_TURN_RAD = 2 * pi
"""Taken for the limit of a joint that has none."""
_ANY_RAD = 4 * pi
"""No arm's joint goes farther from its zero than two turns."""
_WORDS = {
    "rad": ("rad", "radian", "radians"),
    "deg": ("deg", "degree", "degrees", "°"),
    "1": ("1", "", "-", "normalised", "normalized", "none"),
    "mrad": ("mrad", "milliradian", "milliradians"),
    "%": ("%", "percent"),
    "ticks": ("ticks", "tick", "steps", "counts"),
    "m": ("m", "metre", "metres", "meter", "meters"),
    "mm": ("mm",),
}
_CONVERT = "convert it (joints in rad, grippers 0 closed to 1 open)"
_UNITS = {word: unit for unit, words in _WORDS.items() for word in words}


class Span(NamedTuple):
    """Where a vector's numbers lie, (D,) each."""

    low: Array
    high: Array


class Claim(NamedTuple):
    """What something says of itself."""

    of: object
    """The file that says so."""
    widths: Mapping[str, int]
    """Key → how many numbers."""
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    spans: Mapping[str, Span] = {}
    """Key of the statistics → where the numbers lie."""
    cameras: tuple[str, ...] = ()
    when: str = "at training"
    fix: str = (
        "convert it, statistics and all, or train on the station's units: joints in rad, grippers 0 closed to 1 open"
    )
    """Of a range that is no arm's."""


class Vector(NamedTuple):
    """The rig's vector as its arms describe it, in its order."""

    rig: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    limits: Span
    cameras: tuple[str, ...]
    tick_hz: float


def rig_vector(rig: Rig, descriptions: Mapping[str, Description]) -> Vector:
    """Of a rig whose followers have all said what they are. KeyError for one that has not."""
    dimensions = [
        (f"{side.name}_{dimension.name}", dimension)
        for side in rig.sides
        if side.follower
        for stream in descriptions[side.follower].streams
        if stream.kind == "arm_state"
        for dimension in stream.dimensions
    ]
    limits = Span(np.array([d.lower for _, d in dimensions]), np.array([d.upper for _, d in dimensions]))
    names, units = tuple(name for name, _ in dimensions), tuple(d.unit for _, d in dimensions)
    return Vector(rig.name, names, units, limits, rig.cameras, rig.tick_hz)


def of_policy(policy: PolicyFile, of: object) -> Claim:
    """What policy.yaml says (`of`: the file)."""
    widths = {"state_dim": policy.state_dim, "action_dim": policy.action_dim}
    given = {"state": policy.normalization.state, "action": policy.normalization.action}
    spans = {f"normalization.{name}": span for name, one in given.items() if (span := span_of(one)) is not None}
    return Claim(of, widths, policy.dim_names, policy.units, spans, policy.cameras)


def span_of(statistics: Statistics | None) -> Span | None:
    """Where numbers of these statistics lie; None where they say nothing (mean 0, std 1: the graph normalises by itself)."""
    if statistics is None:
        return None
    if statistics.mean:
        mean, std = np.array(statistics.mean), np.array(statistics.std)
        return None if not mean.any() and (std == 1).all() else Span(mean - std, mean + std)
    return Span(np.array(statistics.min), np.array(statistics.max))


class Point(NamedTuple):
    """One thing that a claim says, beside what the rig has."""

    key: str
    says: str
    has: str
    found: str = ""
    """What is wrong, whole; "" where it fits."""
    fix: str = ""


def refuse_policy(policy: Policy, vector: Vector) -> None:
    """Does a policy fit this rig, by all that it says of itself? Raises PolicyError with the first thing that does not."""
    _refuse(policy.folder / "policy.yaml", policy_points(policy, vector))


def policy_points(policy: Policy, vector: Vector) -> Iterator[Point]:
    """All that a policy says of itself, beside the rig's vector."""
    yield from points(of_policy(policy, policy.folder / "policy.yaml"), vector)
    lasts_ticks = policy.chunk / policy.rate_hz * vector.tick_hz + policy.action_offset_ticks
    says, has = f"{policy.chunk} rows at {policy.rate_hz:g} Hz", f"ticks at {vector.tick_hz:g} Hz"
    found = "" if lasts_ticks > 1 else f"{says} are over before an answer can reach the next tick"
    yield Point("chunk", says, has, found, "export a policy that predicts further ahead")


def refuse(claim: Claim, vector: Vector) -> None:
    """Raises PolicyError with the first thing that does not fit this rig."""
    _refuse(claim.of, points(claim, vector))


def points(claim: Claim, vector: Vector) -> Iterator[Point]:
    """All that is claimed, beside the rig's vector."""
    yield from _cameras(claim, vector.rig, vector.cameras)
    for key, count in claim.widths.items():
        fits = count == len(vector.names)
        wants = f"it wants {by_arm(claim.names)}" if claim.names else "which joints it wants it does not say"
        has = f"{len(vector.names)} dimensions: {wants}; {vector.rig} has {by_arm(vector.names)}"
        found = "" if fits else f"{count}, but the vector of rig {vector.rig} has {has}"
        fix = f"use a rig of {count} dimensions, or what was trained or recorded on this one"
        yield Point(key, str(count), str(len(vector.names)), found, fix)
    for i, (ours, theirs) in enumerate(zip(claim.names, vector.names, strict=False)):
        found = "" if ours == theirs else f"{ours} {claim.when}, {theirs} on rig {vector.rig}"
        fix = "put the rig file's sides in the order of training, or use the rig it was trained or recorded on"
        yield Point(f"dim_names[{i}]", ours, theirs, found, fix)
    for i, (ours, theirs) in enumerate(zip(claim.units, vector.units, strict=False)):
        fits = _UNITS.get(ours.strip().lower(), ours) == _UNITS.get(theirs, theirs)
        found = f"{vector.names[i]} was in {ours or 'nothing'} {claim.when}, and is in {theirs} on rig {vector.rig}"
        yield Point(f"units[{i}]", ours, theirs, "" if fits else found, _CONVERT)
    yield from _spans(claim, vector.names, vector.units, vector.limits, f"on rig {vector.rig}")


def refuse_unseen(claim: Claim, rig: Rig) -> None:
    """What can be said before anything is started, from the rig file alone. Raises PolicyError."""
    _refuse(claim.of, points_unseen(claim, rig))


def points_unseen(claim: Claim, rig: Rig) -> Iterator[Point]:
    """What is claimed, beside what the rig file alone says."""
    yield from _cameras(claim, rig.name, rig.cameras)
    yield from _anywhere(claim)
    sides = [side.name for side in rig.sides if side.follower]
    claimed = [next((s for s in sides if name.startswith(f"{s}_")), "") for name in claim.names]
    strangers = [name for name, side in zip(claim.names, claimed, strict=True) if not side]
    found = ""
    if strangers:
        found = (
            f"{strangers[0]} {claim.when}, which is of none of rig {rig.name}'s sides ({', '.join(sides) or 'none'})"
        )
    elif claim.names and list(dict.fromkeys(claimed)) != sides:
        found = f"sides {', '.join(dict.fromkeys(claimed))} {claim.when}, {', '.join(sides)} on rig {rig.name}"
    if claim.names:
        fix = "use the rig it was trained or recorded on, or put the rig file's sides in that order"
        says = strangers[0] if strangers else ", ".join(dict.fromkeys(claimed))
        yield Point("dim_names", says, ", ".join(sides), found, fix)


def refuse_anywhere(claim: Claim) -> None:
    """What fits no rig: ranges and units of no arm of the station's. Raises PolicyError."""
    _refuse(claim.of, _anywhere(claim))


def _refuse(of: object, compared: Iterable[Point]) -> None:
    for point in compared:
        if point.found:
            raise PolicyError(of, point.key, point.found, point.fix)


def _anywhere(claim: Claim) -> Iterator[Point]:
    for i, unit in enumerate(claim.units):
        name = claim.names[i] if i < len(claim.names) else f"dimension {i}"
        known = _UNITS.get(unit.strip().lower(), unit) in ("rad", "1", "m")
        yield Point(f"units[{i}]", unit, "rad, 1 or m", "" if known else f"{name} was in {unit} {claim.when}", _CONVERT)
    dims = max(claim.widths.values(), default=0)
    names = claim.names if len(claim.names) == dims else tuple(f"dimension {i}" for i in range(dims))
    units = tuple(_UNITS.get(unit.strip().lower(), unit) for unit in claim.units)
    if len(units) != dims:
        units = tuple("1" if name.endswith("gripper") else "rad" for name in names)
    low = np.array([-_ANY_RAD if unit == "rad" else 0.0 for unit in units])
    high = np.array([_ANY_RAD if unit == "rad" else 1.0 for unit in units])
    yield from _spans(claim, names, units, Span(low, high), "on any rig")


def beyond(values: NDArray[np.floating], limits: Span) -> NDArray[np.intp]:
    """The dimensions, in ascending order, of (…, D) `values` that lie where no number of that unit can. NaN is not looked for."""
    rows = values.reshape(-1, values.shape[-1])
    return _outside(Span(rows.min(axis=0), rows.max(axis=0)), limits)


def live(what: str, values: NDArray[np.floating], vector: Vector) -> str:
    """What is wrong with (…, D) live numbers that lie far outside the arms' limits, in words; "" if nothing is."""
    bad = beyond(values, vector.limits)
    if not len(bad):
        return ""
    rows = values.reshape(-1, values.shape[-1])
    span, i = Span(rows.min(axis=0), rows.max(axis=0)), int(bad[0])
    worst = span.high[i] if span.high[i] - vector.limits.high[i] >= vector.limits.low[i] - span.low[i] else span.low[i]
    unit = likely_unit(span, vector.units, vector.limits)
    return (
        f"{what} {vector.names[i]} = {worst:.4g}, whose limits are {_limits(vector.limits, i, vector.units[i])}{unit}"
    )


def _cameras(claim: Claim, rig: str, cameras: Sequence[str]) -> Iterator[Point]:
    has = ", ".join(cameras) or "no camera"
    for camera in claim.cameras:
        found = f"the policy sees {camera}, which rig {rig} does not have (it has {has})"
        fix = "run it on the rig it was trained on, or name the camera alike in the rig file"
        there = camera in cameras
        yield Point("cameras", camera, camera if there else has, "" if there else found, fix)


def _spans(claim: Claim, names: Sequence[str], units: Sequence[str], limits: Span, where: str) -> Iterator[Point]:
    for key, span in claim.spans.items():
        if len(span.low) != len(names):
            continue  # the width is refused, or is nobody's to judge without a rig
        if ((span.low == -1) & (span.high == 1)).all() and len(names) > 1:
            found = "every dimension goes from −1 to 1 exactly: normalised numbers, as LeRobot's −1…1, and no arm's"
            fix = "give the training set's own min and max; if the graph normalises by itself, mean 0 and std 1"
            yield Point(key, "−1 to 1", "rad, grippers 0 to 1", found, fix)
            continue
        bad = set(_outside(span, limits).tolist())
        for i, name in enumerate(names):
            says, has = f"{name} {span.low[i]:.4g} to {span.high[i]:.4g}", _limits(limits, i, units[i])
            found = f"{name} goes from {span.low[i]:.4g} to {span.high[i]:.4g}, but its limits {where} are {has}"
            yield Point(key, says, has, found + likely_unit(span, units, limits) if i in bad else "", claim.fix)


def _limits(limits: Span, i: int, unit: str) -> str:
    return f"{limits.low[i]:.4g} to {limits.high[i]:.4g}{f' {unit}' if unit != '1' else ''}"


def _outside(span: Span, limits: Span) -> NDArray[np.intp]:
    low = np.where(np.isfinite(limits.low), limits.low, -_TURN_RAD)
    high = np.where(np.isfinite(limits.high), limits.high, _TURN_RAD)
    margin = np.minimum((high - low) / 2, _FARTHEST_RAD)
    return np.flatnonzero((span.low < low - margin) | (span.high > high + margin))


def likely_unit(span: Span, units: Sequence[str], limits: Span) -> str:
    """`: these look like degrees`, or what else numbers that lie so may be; "" where nothing is likely."""
    joint = np.array([unit == "rad" for unit in units])
    if not joint.any():
        return ""
    low, high = span.low[joint], span.high[joint]
    far = float(np.maximum(np.abs(low), np.abs(high)).max())
    grippers = span.low[~joint]
    if far <= 1.01 and len(grippers) and grippers.min() < -0.5:
        return ": these look normalised, −1…1"
    if not len(_outside(Span(low, high), Span(limits.low[joint], limits.high[joint]))):
        top = span.high[~joint].max(initial=-inf)
        return ": the gripper looks like percent (0…100)" if 2 < top <= 110 else ""
    if low.min() >= -1 and 400 < far <= 4200:
        return ": these look like servo ticks (4096 a turn)"
    ends = np.concatenate([np.abs(low), np.abs(high)])
    if far <= 101 and (np.abs(ends - 100) < 1).mean() >= 0.5:
        return ": these look normalised, LeRobot's −100…100"
    if far <= 400:
        return ": these look like degrees" + (", or LeRobot's −100…100" if far <= 101 else "")
    within = not len(_outside(Span(low / 1000, high / 1000), Span(limits.low[joint], limits.high[joint])))
    return ": these look like milliradians" if within else ": these are no unit of an angle that is known"


def resampled(actions: NDArray[np.floating], from_hz: float, to_hz: float) -> NDArray[np.float32]:
    """(T, D) rows recorded at `from_hz` as rows at `to_hz`, for the same time: linear between neighbours."""
    last_s = (len(actions) - 1) / from_hz
    at = np.arange(int(last_s * to_hz + 1e-6) + 1) * (from_hz / to_hz)
    below = np.arange(len(actions))
    return np.stack([np.interp(at, below, column) for column in actions.T], axis=1).astype(np.float32)


def checked_rate(rate_hz: float) -> float | None:
    """A rate as a file says it; None where it is none that a rig can have."""
    return rate_hz if isfinite(rate_hz) and 0.1 <= rate_hz <= 1000 else None
