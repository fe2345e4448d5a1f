"""One episode before it is exported: its hash, what it holds, and which of its rows are data. A pure function of the file."""

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import msgspec

from station.datasets.episode_numbers import read_numbers
from station.datasets.picture_rows import DepthRows, PictureRows
from station.datasets.rows_kept import ActionOf, Stretch, rows_kept
from station.datasets.selection import Selection
from station.datasets.source_files import Source
from station.episodes import datasets
from station.episodes.marks import marks_in
from station.episodes.reading import attribute, group, reading, wrong
from station.errors import EpisodeError
from station.rig.geometry import ArmGeometry

_BLOCK = 1 << 20


class Camera(msgspec.Struct, frozen=True):
    """One camera's pictures in an episode."""

    width: int
    height: int
    jpeg: bool
    rate_hz: float
    """As its driver declared; 0 where it did not."""
    mean_bytes: float
    """Of a picture as it is stored."""


class Surveyed(msgspec.Struct, frozen=True):
    """What an export has to know of an episode."""

    source: Source
    sha256: str = ""
    tick_hz: float = 0.0
    dim_names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    effort_units: tuple[str, ...] = ()
    cameras: dict[str, Camera] = {}
    depths: tuple[str, ...] = ()
    arms: dict[str, str] = {}
    """Follower → model."""
    geometry: dict[str, ArmGeometry] = {}
    """Follower → its joints, its chain and where it stands, where its driver described them (from layout 3 on)."""
    calibrated: tuple[str, ...] = ()
    """Devices with a calibration file in force."""
    stretches: tuple[tuple[int, int], ...] = ()
    left_out: dict[str, int] = {}
    problem: str = ""
    """Why it is not exported after all."""
    marks: tuple[tuple[str, int], ...] = ()
    """Name and row of each mark."""
    depth_sizes: dict[str, tuple[int, int]] = {}
    """(width, height) of each camera that has depth."""


def survey(source: Source, selection: Selection, which: ActionOf, by_hand: tuple[tuple[float, float], ...]) -> Surveyed:
    """Read everything but the pictures. What is wrong with the file is in `problem`; it never raises for what is in it."""
    path = Path(source.path)
    try:
        at = path.stat()
        if (at.st_size, at.st_mtime_ns) != (source.size_bytes, source.modified_ns):
            return Surveyed(source, problem="it was changed while it was being exported. Next: export again")
        digest = _sha256(path)
        with reading(path) as file:
            found = _of(file, source, digest, selection, which, by_hand)
            marks = tuple((mark.name, mark.row) for mark in marks_in(file))
            sizes = {name: (rows.width, rows.height) for name in found.depths if (rows := DepthRows(file, name))}
            return msgspec.structs.replace(found, marks=marks, depth_sizes=sizes)
    except (EpisodeError, OSError) as error:
        return Surveyed(source, problem=str(error))


def _of(
    file: h5py.File,
    source: Source,
    digest: str,
    selection: Selection,
    which: ActionOf,
    by_hand: tuple[tuple[float, float], ...],
) -> Surveyed:
    numbers = read_numbers(file)
    if not len(numbers.ticks_ns):
        raise wrong(file, "no rows")
    kept = rows_kept(numbers, selection.sources, which, selection.trim, by_hand, selection.shortest_s)
    return Surveyed(
        source,
        digest,
        numbers.tick_hz,
        numbers.dim_names,
        numbers.units,
        _effort_units(file, len(numbers.units)),
        cameras_in(file),
        tuple(sorted(group(file, "/observations/depth"))),
        {node: str(about.get("model", "")) for node, about in _devices(file).items() if node.startswith("follower")},
        _geometry(file),
        tuple(sorted(_json(file, "calibration"))),
        tuple((first, end) for first, end in kept.stretches),
        kept.left_out,
    )


def _geometry(file: h5py.File) -> dict[str, ArmGeometry]:
    if "kinematics" not in file.attrs:
        return {}
    try:
        return msgspec.json.decode(attribute(file, "kinematics"), type=dict[str, ArmGeometry])
    except msgspec.MsgspecError as error:
        raise wrong(file, f"attribute kinematics: {error}") from error


def _effort_units(file: h5py.File, dimensions: int) -> tuple[str, ...]:
    """Before layout 3 all were currents."""
    if "effort_units" not in file.attrs:
        return ("mA",) * dimensions
    return tuple(str(unit) for unit in attribute(file, "effort_units"))


def stretches_of(surveyed: Surveyed) -> tuple[Stretch, ...]:
    """Its stretches of data."""
    return tuple(Stretch(first, end) for first, end in surveyed.stretches)


def cameras_in(file: h5py.File) -> dict[str, Camera]:
    """The cameras of an episode, in the rig's order. Raises EpisodeError."""
    devices = _devices(file)
    return {name: _camera(file, name, devices) for name in datasets.cameras(file)}


def _camera(file: h5py.File, name: str, devices: dict[str, dict[str, Any]]) -> Camera:
    rows = PictureRows(file, name)
    rates = [
        stream.get("rate_hz", 0) for stream in devices.get(name, {}).get("streams", ()) if stream.get("kind") == "frame"
    ]
    return Camera(rows.width, rows.height, rows.jpeg, float(rates[0]) if rates else 0.0, rows.mean_bytes)


def _devices(file: h5py.File) -> dict[str, dict[str, Any]]:
    return {node: about for node, about in _json(file, "devices").items() if isinstance(about, dict)}


def _json(file: h5py.File, name: str) -> dict[str, Any]:
    try:
        found = json.loads(attribute(file, name) or "{}")
    except ValueError as error:
        raise wrong(file, f"attribute {name} is no JSON") from error
    if not isinstance(found, dict):
        raise wrong(file, f"attribute {name} is no JSON object")
    return found


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(_BLOCK)
        while size := file.readinto(buffer):
            digest.update(memoryview(buffer)[:size])
    return digest.hexdigest()
