"""Holds an episode file against the layout's table and its invariants, and says what is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from station.borders.jpeg import content_problem
from station.episodes import layout
from station.episodes.marks import marks_in, row_at
from station.episodes.picture_dataset import chunk_places
from station.episodes.reading import TYPES, attribute, group, is_rate, reading, rows_of, text
from station.errors import EpisodeError

_UNKNOWN = ("/observations/qvel", "/observations/effort", "/action_sent")
"""What others' recordings need not say."""
_JPEG_MAGIC = b"\xff\xd8\xff"


def verify(path: Path, decode: bool = False) -> list[str]:
    """What is wrong with the file, one sentence each; empty if it is a whole episode.

    `decode`: every picture too (about 1 ms each), to find what was lost inside one.
    """
    try:
        with reading(path) as file:
            version = int(attribute(file, "layout"))
            if version > layout.VERSION:
                return [
                    f"it is of layout {version}, this station reads up to {layout.VERSION}. Next: update the station"
                ]
            findings = [*_attributes(file, version), *_shape(file)]
            if not findings:
                findings = [*_numbers(file), *_times(file), *_marks(file), *_pictures(file, path, decode)]
    except EpisodeError as error:
        return [str(error).removeprefix(f"{path}: ").partition(" Next: `station episodes verify")[0]]
    return findings


def _attributes(file: h5py.File, version: int) -> Iterator[str]:
    for entry in layout.ATTRIBUTES:
        for on in _places(file, entry.on) if entry.since <= version else ():
            if entry.name not in file[on].attrs:
                yield f"{on}: attribute {entry.name} is missing"
                continue
            value = file[on].attrs[entry.name]
            if not isinstance(value, TYPES[entry.type]):
                yield f"{on}: attribute {entry.name} is {type(value).__name__}, not {entry.type}"
            elif isinstance(value, str) and value != text(value):
                yield f"{on}: attribute {entry.name} is no UTF-8"
    success = file.attrs.get("success")
    if isinstance(success, np.int8) and success not in (-1, 0, 1):
        yield f"/: attribute success is {success}, not −1, 0 or 1"
    rate = file.attrs.get("tick_hz")
    if isinstance(rate, np.float64) and not is_rate(float(rate)):
        yield f"/: attribute tick_hz is {rate:g}, no rate"


def _places(file: h5py.File, on: str) -> list[str]:
    """The paths in this file that a path of the table stands for."""
    if on == "/compress_len" and not file.attrs.get("compress", False):
        return []
    if "<stream>" not in on:
        return [on] if on in file else []
    folder = on.removesuffix("/<stream>")
    return [f"{folder}/{name}" for name in group(file, folder) if f"{folder}/{name}" != "/timestamps/tick"]


def plan_of(file: h5py.File) -> layout.Plan:
    """The plan an episode was written to, as the file itself tells it. Raises EpisodeError or LookupError where it does not."""
    rows_of(file)
    cameras = tuple(text(str(name)) for name in file.attrs["camera_names"])
    rows, dimensions = file["/action"].shape
    jpeg = bool(file.attrs["compress"])
    pictures = group(file, "/observations/images")
    images = {camera: pictures[camera].shape for camera in cameras}
    depths = {name: dataset.shape for name, dataset in group(file, "/observations/depth").items()}
    return layout.Plan(
        rows=rows,
        dimensions=dimensions,
        jpeg=jpeg,
        padded=max((shape[1] for shape in images.values()), default=0) if jpeg else 0,
        cameras=cameras,
        pictures={} if jpeg else {camera: shape[1:3] for camera, shape in images.items()},
        depths={name: shape[1:3] for name, shape in depths.items()},
        extras={name: dataset.shape[1] for name, dataset in group(file, "/observations/extra").items()},
        streams=tuple(name for name in group(file, "/timestamps") if name != "tick"),
        marks=len(file["/marks/time"]) if "/marks/time" in file else 0,
        version=int(attribute(file, "layout")),
    )


def _shape(file: h5py.File) -> Iterator[str]:
    try:
        wanted = {entry.path: entry for entry in layout.expected(plan_of(file))}
    except (KeyError, ValueError, IndexError) as error:
        yield f"what the layout demands is missing: {error}"
        return
    present: dict[str, Any] = {}
    file.visititems(lambda name, item: present.update({f"/{name}": item}) if isinstance(item, h5py.Dataset) else None)
    for path, entry in wanted.items():
        if path not in present:
            yield f"{path} is missing"
        elif present[path].dtype != np.dtype(entry.dtype) or present[path].shape != entry.shape:
            found = present[path]
            yield f"{path} is {found.dtype} {found.shape}, not {entry.dtype} {entry.shape}"
    if any(file.attrs[name].shape != (file["/action"].shape[1],) for name in ("dim_names", "units")):
        yield "dim_names or units do not name every number of /action"
    if file["/action"].shape[0] == 0:
        yield "no rows"
    for path in sorted(present.keys() - wanted.keys()):
        yield f"{path} is not in the layout"


def _numbers(file: h5py.File) -> Iterator[str]:
    """What the table says of a row's numbers and marks, and how often they are so."""
    imported = bool(file.attrs.get("imported"))
    for entry in layout.DATASETS:
        if entry.per != "always" or entry.path not in file:
            continue
        values = file[entry.path][:]
        unknown = imported and entry.path in _UNKNOWN
        if entry.dtype.startswith("float") and not entry.optional and not unknown:
            wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
            if wrong.size:
                yield f"{entry.path}: row {wrong[0]} is not a number throughout ({wrong.size} rows)"
        if entry.names and (values >= len(entry.names)).any():
            yield f"{entry.path} has numbers without a name"
        if entry.counted is not None and _counted(values, entry.counted) != file.attrs[entry.counted.attribute]:
            rows = "rows" if entry.counted.of == "rows" else "runs of rows"
            yield f"{entry.counted.attribute} is not the number of {rows} marked {entry.name}"


def _counted(marked: Any, count: layout.Count) -> int:
    return int(marked.sum() if count.of == "rows" else (np.diff(marked.astype(np.int8), prepend=0) == 1).sum())


def _times(file: h5py.File) -> Iterator[str]:
    ticks = file["/timestamps/tick"][:]
    period = 1e9 / file.attrs["tick_hz"]
    ideal = ticks[0] + np.rint((ticks - ticks[0]) / period) * period
    if ticks.size > 1 and (np.diff(ticks) <= 0).any():
        yield "/timestamps/tick does not rise"
    if (np.abs(ticks - ideal) > 2).any():
        yield "/timestamps/tick leaves the grid"
    for stream in group(file, "/timestamps"):
        if stream == "tick":
            continue
        captured, new = file[f"/timestamps/{stream}"][:], file[f"/sync/is_new/{stream}"][:]
        if (captured > ticks).any():
            yield f"/timestamps/{stream}: row {np.flatnonzero(captured > ticks)[0]} is later than its tick"
        if (ticks - captured != file[f"/sync/age/{stream}"][:]).any():
            yield f"/sync/age/{stream} is not the tick's time minus the sample's"
        if (np.diff(captured)[~new[1:]] != 0).any():
            yield f"/sync/is_new/{stream}: a row that repeats a sample has another time than the row before"


def _marks(file: h5py.File) -> Iterator[str]:
    ticks = file["/timestamps/tick"][:]
    for mark in marks_in(file):
        if mark.row != row_at(mark.at_ns, ticks):
            yield f"/marks/row: {mark.name[:60]} at {mark.seconds:.3f} s is in row {row_at(mark.at_ns, ticks)}, not {mark.row}"
            return


def _pictures(file: h5py.File, path: Path, decode: bool) -> Iterator[str]:
    places = {}
    for folder in ("/observations/images", "/observations/depth"):
        for dataset in group(file, folder).values():
            places[dataset.name] = kept = chunk_places(dataset)
            if len(kept) != len(dataset):
                yield f"{dataset.name}: {len(kept)} pictures, not {len(dataset)}"
                return
    if decode:
        yield from _depths(file)
    if not file.attrs["compress"]:
        return
    lengths = file["/compress_len"][:]
    fd = os.open(path, os.O_RDONLY)
    try:
        for row, camera in enumerate(file["/compress_len"].attrs["camera_names"]):
            name = f"/observations/images/{camera}"
            yield from _jpegs(fd, name, places[name], lengths[row], decode)
    finally:
        os.close(fd)


def _depths(file: h5py.File) -> Iterator[str]:
    for name, dataset in group(file, "/observations/depth").items():
        for row in range(len(dataset)):
            try:
                dataset[row]
            except OSError as error:
                yield f"/observations/depth/{name}: row {row} cannot be read: {error}"
                break


def _jpegs(fd: int, name: str, places: list[list[tuple[int, int]]], lengths: Any, decode: bool) -> Iterator[str]:
    last, problem = b"", ""
    torn: list[tuple[int, str]] = []
    for row, pieces in enumerate(places):
        size = sum(size for _, size in pieces)
        if not 0 < lengths[row] <= size:
            yield f"{name}: row {row} is {lengths[row]:g} bytes long, what is kept of it {size}"
            return
        if os.pread(fd, len(_JPEG_MAGIC), pieces[0][0]) != _JPEG_MAGIC:
            yield f"{name}: row {row} is no JPEG"
            return
        if decode:
            data = b"".join(os.pread(fd, size, at) for at, size in pieces)[: int(lengths[row])]
            if data != last:  # rows repeat a picture until there is a new one
                last, problem = data, content_problem(data)
            if problem:
                torn.append((row, problem))
    if torn:
        yield f"{name}: {len(torn)} of {len(places)} pictures are not all there, the first in row {torn[0][0]}: {torn[0][1]}"
