"""What an episode is made of: rate, vector, cameras, arms. A task's folder is one rig's, for a trainer takes all of it as one. Pure but for
reading the file.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from station.bus.messages.arms import Chain
from station.terminal.shown import ranges

if TYPE_CHECKING:
    import h5py

    from station.bus.messages import Description
    from station.rig.rig import Rig

_MOST = 256
"""Names of one kind; a rig has a tenth of it."""
_LETTERS = 60


class Form(msgspec.Struct, frozen=True):
    """One episode's, or what a rig's next one will have. What is not known yet is absent from the mappings and never differs."""

    rig: str
    """Its name: shown, not compared. Two rigs of the same make record into one folder."""
    simulated: bool
    tick_hz: float
    dims: tuple[str, ...]
    """Name and unit of each of the vector's numbers: `left_waist rad`; () where it is not known yet."""
    images: str
    """jpeg or raw."""
    cameras: tuple[str, ...]
    depths: tuple[str, ...] | None
    """Cameras with depth; None where it is not known yet."""
    sizes: Mapping[str, tuple[int, int]]
    """Per camera, width and height."""
    arms: Mapping[str, str]
    """Follower → model. Leaders are not compared: what they ask for is in the follower's own numbers."""
    chains: Mapping[str, Chain] = {}
    """Follower → its geometry, where its driver described it. Not compared: a model has one."""
    controls: Mapping[str, Mapping[str, int]] = {}
    """Camera → its controls (exposure, gain, white balance, focus, …) as they were read back. They make no mixture: they drift, and that
    is told (`drift`).
    """

    def in_words(self) -> str:
        """One line: `aloha · 50 Hz · 14 numbers · vx300s, vx300s · 4 cameras 640×480, jpeg`."""
        sizes = sorted({f"{width}×{height}" for width, height in self.sizes.values()})
        cameras = (
            " ".join((f"{len(self.cameras)} cameras", *sizes)) + f", {self.images}" if self.cameras else "no cameras"
        )
        parts = [self.rig, f"{self.tick_hz:g} Hz", f"{len(self.dims)} numbers", ", ".join(self.arms.values()), cameras]
        parts.append(f"depth of {len(self.depths)}" if self.depths else "")
        return " · ".join(filter(None, (*parts, "simulated" if self.simulated else "")))


def by_arm(names: Iterable[str]) -> str:
    """A vector's names, those of an arm together: `left waist, shoulder, …; right …`."""
    arms: dict[str, list[str]] = {}
    for name in names:
        arm, _, joint = name.partition("_")
        arms.setdefault(arm, []).append(joint)
    return "; ".join(f"{arm} {', '.join(joints)}" for arm, joints in arms.items())


def form_of_rig(rig: "Rig", descriptions: Mapping[str, "Description"]) -> Form:
    """What the next episode of this rig will have, as far as its devices have described themselves."""
    from station.episodes.journal import vector_dimensions  # here: whoever lists episodes needs no journal

    there = {node: about for node, about in descriptions.items() if node in {device.node for device in rig.devices}}
    known = all(follower in there for follower in rig.followers)
    dims = vector_dimensions(rig, there) if known else []
    cameras_known = all(camera in there for camera in rig.cameras)
    depths = tuple(node for node in rig.cameras if _has(there.get(node), "depth")) if cameras_known else None
    return Form(
        rig.name, rig.world is not None, rig.tick_hz, tuple(f"{name} {dimension.unit}" for name, dimension in dims), rig.images,
        rig.cameras, depths, _sizes(there, rig.cameras), _models(there, rig.followers), _chains(there, rig.followers),
        _controls(there, rig.cameras),
    )  # fmt: skip


def form_of(file: "h5py.File") -> Form:
    """What an episode has. Raises EpisodeError where the file does not say it."""
    from station.episodes.reading import attribute, group, tick_hz  # here, for it brings h5py: a list does not need it

    cameras = _texts(attribute(file, "camera_names"))
    names, units = _texts(attribute(file, "dim_names")), _texts(attribute(file, "units"))
    compress = bool(attribute(file, "compress"))
    devices = _devices(str(attribute(file, "devices")))
    followers = [node for node in devices if node.startswith("follower_")]
    sizes = _sizes(devices, cameras)
    if not compress:
        pictures = group(file, "/observations/images")
        sizes = {name: (found.shape[2], found.shape[1]) for name, found in pictures.items() if len(found.shape) == 4}
    return Form(
        str(attribute(file, "rig"))[:_LETTERS], bool(attribute(file, "sim")), tick_hz(file),
        tuple(f"{name} {unit}" for name, unit in zip(names, units, strict=False)), "jpeg" if compress else "raw", cameras,
        tuple(group(file, "/observations/depth"))[:_MOST], sizes, _models(devices, followers), _chains(devices, followers),
        _controls(devices, cameras),
    )  # fmt: skip


def differences(one: Form, other: Form) -> list[str]:
    """What differs, one sentence each, `one` first; empty if a trainer may take both as one data set."""
    found = [
        _unlike("rate", f"{one.tick_hz:g} Hz", f"{other.tick_hz:g} Hz"),
        _unlike("world", *("simulated" if form.simulated else "real" for form in (one, other))),
        _vectors(one.dims, other.dims) if one.dims and other.dims else "",
        _unlike("cameras", *(", ".join(form.cameras) or "none" for form in (one, other))),
        _unlike("pictures", one.images, other.images) if one.cameras and other.cameras else "",
    ]
    if one.depths is not None and other.depths is not None:
        found.append(
            _unlike("depth of", *(", ".join(sorted(depths)) or "none" for depths in (one.depths, other.depths)))
        )
    for camera in sorted(one.sizes.keys() & other.sizes.keys()):
        found.append(_unlike(camera, *("{}×{}".format(*form.sizes[camera]) for form in (one, other))))
    for arm in sorted(one.arms.keys() & other.arms.keys()):
        found.append(_unlike(arm, one.arms[arm], other.arms[arm]))
    return [sentence for sentence in found if sentence]


def mixed(forms: Iterable[tuple[str, Form]]) -> list[tuple[list[str], list[str]]]:
    """Named forms → groups of those that are alike, largest first: (names, how the group differs from the first one)."""
    groups: list[tuple[Form, list[str]]] = []
    for name, form in forms:
        for like, names in groups:
            if like is form or not differences(like, form):
                names.append(name)
                break
        else:
            groups.append((form, [name]))
    groups.sort(key=lambda each: -len(each[1]))
    return [(names, differences(groups[0][0], form)) for form, names in groups]


def another_rigs(folder: Path, rig: Form, there: Iterable[tuple[int, Form]]) -> str:
    """Why a rig may not record into a task's folder: what differs from the episodes there (number, form), and the ways on; "" if
    it may.
    """
    found = list(there)
    unlike = [(number, why) for number, form in found if (why := differences(rig, form))]
    if not unlike:
        return ""
    which = ranges(sorted(number for number, _ in unlike))
    return (
        f"{folder} holds episodes of another make than this rig's: {len(unlike)} of {len(found)} ({which}), first "
        f"(this rig / those): {'; '.join(unlike[0][1])}. Next: name another task or data folder, record with the rig file "
        f"that made those, or move them out of {folder.name}"
    )


_SET_BY = {"exposure_auto": ("exposure", "gain"), "white_balance_auto": ("white_balance",), "focus_auto": ("focus",)}
"""An automatic one, and the controls that it sets: they drift by nature while it is on."""


def drift(before: Form, now: Form) -> list[str]:
    """Which controls of which camera are others than before: `cam_high: exposure is 120, was 157`. What the camera itself sets by an
    automatic that was and is on is left out, and so is what one of the two does not know.
    """
    found = []
    for camera in sorted(before.controls.keys() & now.controls.keys()):
        was, is_now = before.controls[camera], now.controls[camera]
        by_itself = {
            name for auto, names in _SET_BY.items() if was.get(auto) == is_now.get(auto) == 1 for name in names
        }
        moved = [
            f"{name} is {is_now[name]}, was {was[name]}"
            for name in sorted(was.keys() & is_now.keys())
            if was[name] != is_now[name] and name not in by_itself
        ]
        found += [f"{camera}: {', '.join(moved)}"] if moved else []
    return found


def drifted(number: int, before: Form, now: Form) -> str:
    """The same for an operator who is about to record after episode `number`: device, expected, found, next act; "" where nothing is."""
    moved = drift(before, now)
    if not moved:
        return ""
    return (
        f"camera controls are others than in episode {number}: {'; '.join(moved)}. A policy trained under one does not survive the other. "
        "Next: fix them by `controls:` in the rig file and restart the station, or record into another task"
    )


def _unlike(what: str, one: str, other: str) -> str:
    return "" if one == other else f"{what}: {one[:200]} / {other[:200]}"


def _vectors(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    if len(one) != len(other):
        return f"vector: {len(one)} numbers / {len(other)} numbers"
    apart = next(((place, pair) for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), None)
    return "" if apart is None else f"vector, number {apart[0]}: {apart[1][0][:_LETTERS]} / {apart[1][1][:_LETTERS]}"


class _Stream(msgspec.Struct, frozen=True):
    """Of a description, as old files have it too."""

    kind: str = ""
    width: int = 0
    height: int = 0


class _Device(msgspec.Struct, frozen=True):
    model: str = ""
    settings: dict[str, int] = {}
    chain: Chain | None = None
    streams: tuple[_Stream, ...] = ()


def _devices(document: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(document, type=dict[str, _Device])
    except (msgspec.MsgspecError, RecursionError, ValueError):  # what its devices were stays unknown
        return {}


def _has(about: Any, kind: str) -> bool:
    return any(stream.kind == kind for stream in about.streams)


def _sizes(devices: Mapping[str, Any], cameras: Iterable[str]) -> dict[str, tuple[int, int]]:
    return {
        camera: (stream.width, stream.height)
        for camera in cameras if camera in devices
        for stream in devices[camera].streams
        if stream.kind == "frame" and stream.width and stream.height
    }  # fmt: skip


def _models(devices: Mapping[str, Any], arms: Collection[str]) -> dict[str, str]:
    return {arm: devices[arm].model[:_LETTERS] for arm in arms if arm in devices and devices[arm].model}


def _controls(devices: Mapping[str, Any], cameras: Collection[str]) -> dict[str, dict[str, int]]:
    return {
        camera: {name[:_LETTERS]: value for name, value in list(devices[camera].settings.items())[:_MOST]}
        for camera in cameras if camera in devices and devices[camera].settings
    }  # fmt: skip


def _chains(devices: Mapping[str, Any], arms: Collection[str]) -> dict[str, Chain]:
    return {arm: devices[arm].chain for arm in arms if arm in devices and devices[arm].chain is not None}


def _texts(values: Any) -> tuple[str, ...]:
    from station.episodes.reading import text

    return tuple(text(str(value))[:_LETTERS] for value in values.ravel()[:_MOST])
