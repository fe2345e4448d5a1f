"""Do the chosen episodes go together? What differs is refused by name, with how to say which of them to take. Pure."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from station.datasets import end_effectors
from station.datasets.conversion import Conversion
from station.datasets.depth_streams import SUFFIX
from station.datasets.survey import Camera, Surveyed
from station.errors import UsageError
from station.rig.geometry import ArmGeometry

_SHOWN = 4


class Common(NamedTuple):
    """What all episodes share."""

    rate_hz: float
    dim_names: tuple[str, ...]
    """Of the exported vectors."""
    units: tuple[str, ...]
    cameras: dict[str, Camera]
    depths: dict[str, tuple[int, int]]
    """(width, height) by stream; none where depth is not asked for."""
    robot: str


def common(surveyed: Sequence[Surveyed], conversion: Conversion) -> Common:
    """Raises UsageError: what differs, in which episodes, and what to say about it."""
    rate_hz = _rate(surveyed, conversion)
    _same(surveyed, "names of the vector", lambda found: ", ".join(found.dim_names), "where: rig")
    _same(surveyed, "units", lambda found: ", ".join(found.units), "where: rig")
    _same(surveyed, "units of effort", lambda found: ", ".join(found.effort_units), "where: rig")
    _same(surveyed, "arms' models", lambda found: ", ".join(map(" ".join, sorted(found.arms.items()))), "where: rig")
    if not conversion.cameras:
        _same(
            surveyed,
            "cameras",
            lambda found: ", ".join(sorted(found.cameras)) or "none",
            "--camera, for those that all have",
        )
    cameras = {name: _camera(name, surveyed, conversion) for name in conversion.cameras or surveyed[0].cameras}
    for name in conversion.crop.keys() - {"", *cameras}:
        raise UsageError(
            f"--crop {name}: the cameras that are exported are {', '.join(cameras) or 'none'}. Next: name one of these"
        )
    first = surveyed[0]
    names, units = first.dim_names, first.units
    if conversion.space != "joint":
        names, units = _end_effectors(surveyed, conversion)
    rigs = sorted({str(found.source.facts.get("rig", "")) for found in surveyed})
    depths = _depths(surveyed, cameras) if conversion.depth else {}
    return Common(rate_hz, names, units, cameras, depths, ", ".join(rigs))


def _depths(surveyed: Sequence[Surveyed], cameras: Mapping[str, Camera]) -> dict[str, tuple[int, int]]:
    def sizes(found: Surveyed) -> dict[str, tuple[int, int]]:
        return {name: size for name, size in found.depth_sizes.items() if name in cameras}

    def told(found: Surveyed) -> str:
        return ", ".join(f"{name} {width} × {height}" for name, (width, height) in sizes(found).items()) or "none"

    _same(surveyed, "depth", told, "--no-depth, or --camera")
    if not sizes(surveyed[0]):
        raise UsageError("no camera that is exported has depth. Next: leave --depth out")
    return {f"{name}{SUFFIX}": size for name, size in sizes(surveyed[0]).items()}


def _end_effectors(surveyed: Sequence[Surveyed], conversion: Conversion) -> tuple[tuple[str, ...], tuple[str, ...]]:
    for found in surveyed:
        unknown = sorted(found.arms.keys() - found.geometry.keys())
        if unknown:
            raise UsageError(
                f"{found.source.name}: the geometry of {', '.join(unknown)} is not in it, fingertips cannot be computed. "
                "Next: --space joint, or leave the episode out"
            )
    _same(surveyed, "arms' geometry", lambda found: _mark(found.geometry), "where: rig")
    return end_effectors.named(surveyed[0].dim_names, surveyed[0].units, surveyed[0].geometry, conversion.space)


def _mark(geometry: Mapping[str, ArmGeometry]) -> str:
    """Short, and another for another geometry."""
    return hashlib.sha256(msgspec.json.encode(geometry)).hexdigest()[:8]


def _rate(surveyed: Sequence[Surveyed], conversion: Conversion) -> float:
    if conversion.rate_hz is None:
        _same(
            surveyed,
            "rows a second",
            lambda found: f"{found.tick_hz:g} Hz",
            "where: tick_hz, or --rate for one that all can be brought to",
        )
        return surveyed[0].tick_hz
    slower = [found for found in surveyed if found.tick_hz < conversion.rate_hz]
    if slower:
        raise UsageError(
            f"{slower[0].source.name} has {slower[0].tick_hz:g} rows a second, {conversion.rate_hz:g} frames cannot be made of them. "
            "Next: take a lower --rate"
        )
    return conversion.rate_hz


def _camera(name: str, surveyed: Sequence[Surveyed], conversion: Conversion) -> Camera:
    without = [found for found in surveyed if name not in found.cameras]
    if without:
        raise UsageError(
            f"{without[0].source.name} has no camera {name}; it has {', '.join(without[0].cameras) or 'none'}. Next: correct --camera"
        )
    crop = conversion.crop_of(name)
    if conversion.size is None or crop is not None:
        _same(
            surveyed,
            f"{name}'s pictures",
            lambda found: f"{found.cameras[name].width} × {found.cameras[name].height}",
            "--size for one that all are brought to, without --crop, which is in pixels as they were shot",
        )
    if crop is not None:
        crop.corner(surveyed[0].cameras[name].width, surveyed[0].cameras[name].height)
    kind = "JPEG" if surveyed[0].cameras[name].jpeg else "raw"
    if conversion.video == "as-shot" and not all(found.cameras[name].jpeg for found in surveyed):
        raise UsageError(
            f"{name}'s pictures are {kind}, not all JPEG: there is nothing to take as shot. Next: take another --video"
        )
    return surveyed[0].cameras[name]


def _same(surveyed: Sequence[Surveyed], what: str, of: Callable[[Surveyed], str], how: str) -> None:
    groups: dict[str, list[str]] = {}
    for found in surveyed:
        groups.setdefault(of(found), []).append(found.source.name)
    if len(groups) < 2:
        return
    told = "; ".join(
        f"{value} in {len(names)} ({', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''})"
        for value, names in groups.items()
    )
    raise UsageError(f"the episodes differ in their {what}: {told}. Next: say which to take ({how})")
