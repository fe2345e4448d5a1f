"""Writes a foreign recording as an episode: the same layout, the same verifying, the same way to its name.

Unknown stays unknown: no stream has times or ages, velocity, effort and what was sent are NaN where nobody said them, and the instant it
was recorded is 0. Rows are one nominal period apart.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from station.bus.messages import SOURCES
from station.clock import NS_PER_S
from station.datasets.importing.foreign import Foreign
from station.episodes import layout, naming
from station.episodes.labels import set_success
from station.episodes.verify import verify
from station.errors import EpisodeError
from station.files import durable
from station.version import station_version

_QUALITY = 95
CLOCK = "none: rows are one nominal period apart, and when they were is not known"


def write(foreign: Foreign, folder: Path, task: str, operator: str) -> Path:
    """Save it under the folder's next number. Raises EpisodeError."""
    number = naming.next_number(folder) if folder.is_dir() else 0
    temporary, target = naming.temporary_path(folder, number), naming.episode_path(folder, number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with h5py.File(temporary, "w") as file:
            _write(file, foreign, task, operator, number)
        findings = verify(temporary)
        if findings:
            raise EpisodeError(
                f"{foreign.origin}: what became of it is no whole episode: {'; '.join(findings[:3])}. Next: report it"
            )
        durable.sync(temporary)
        target.hardlink_to(temporary)
        temporary.unlink()
        naming.remember(folder, number)
        durable.sync(folder)
    except OSError as error:
        raise EpisodeError(f"{target}: cannot be written: {error}. Next: check the folder and the disk") from error
    finally:
        temporary.unlink(missing_ok=True)
    if foreign.success is not None:
        set_success(target, foreign.success)
    return target


def _write(file: h5py.File, foreign: Foreign, task: str, operator: str, number: int) -> None:
    rows, dimensions = foreign.state.shape
    pictures = {camera: _stored(foreign, each()) for camera, each in foreign.cameras.items()}
    lengths, sizes, padded = _write_pictures(file, foreign, pictures, rows)
    cameras = tuple(foreign.cameras)
    plan = layout.Plan(rows, dimensions, foreign.jpeg, padded, cameras, sizes, {}, {}, ())
    unknown = np.full((rows, dimensions), np.nan, np.float32)
    values: dict[str, Any] = {
        "/observations/qpos": foreign.state, "/action": foreign.action,
        "/observations/qvel": unknown if foreign.velocity is None else foreign.velocity,
        "/observations/effort": unknown if foreign.effort is None else foreign.effort,
        "/action_sent": unknown, "/policy_action": unknown, "/human_action": unknown,
        "/control/source": np.full(rows, SOURCES.index("leader"), np.uint8),
        "/timestamps/tick": np.rint(np.arange(rows) * (NS_PER_S / foreign.tick_hz)).astype(np.int64),
    }  # fmt: skip
    if cameras and foreign.jpeg:
        values["/compress_len"] = np.array([lengths[camera] for camera in cameras], np.float32)
    for entry in layout.expected(plan):
        if not entry.picture:
            file.create_dataset(
                entry.path, data=values.get(entry.path, np.zeros(entry.shape, entry.dtype)), dtype=entry.dtype
            )
    _attributes(file, foreign, task, operator, number)


def _stored(foreign: Foreign, each: Iterator[bytes | NDArray[np.uint8]]) -> Iterator[Any]:
    """As they are kept: JPEGs as they came, decoded ones encoded again where JPEG was chosen."""
    for picture in each:
        if foreign.jpeg and not isinstance(picture, bytes):
            done, data = cv2.imencode(".jpg", picture[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
            if not done:
                raise EpisodeError(f"{foreign.origin}: a picture cannot be encoded. Next: --images raw")
            yield bytes(data.tobytes())
        else:
            yield picture


def _write_pictures(
    file: h5py.File, foreign: Foreign, pictures: dict[str, Iterator[Any]], rows: int
) -> tuple[dict[str, list[int]], dict[str, tuple[int, int]], int]:
    lengths: dict[str, list[int]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    if not foreign.jpeg:
        for camera, each in pictures.items():
            first = next(each)
            sizes[camera] = first.shape[:2]
            made = file.create_dataset(
                f"/observations/images/{camera}", (rows, *first.shape), np.uint8, chunks=(1, *first.shape)
            )
            _fill(made, first, each, foreign, camera)
        return lengths, sizes, 0
    whole = {camera: list(each) for camera, each in pictures.items()}  # P is the longest of all cameras'
    padded = max((len(data) for each in whole.values() for data in each), default=0)
    for camera, shots in whole.items():
        if len(shots) != rows:
            raise EpisodeError(
                f"{foreign.origin}: {camera} has {len(shots)} pictures for {rows} rows. Next: leave it out"
            )
        lengths[camera] = [len(data) for data in shots]
        made = file.create_dataset(f"/observations/images/{camera}", (rows, padded), np.uint8, chunks=(1, padded))
        for row, data in enumerate(shots):
            made.id.write_direct_chunk((row, 0), data.ljust(padded, b"\0"))
    return lengths, sizes, padded


def _fill(made: Any, first: NDArray[np.uint8], rest: Iterator[Any], foreign: Foreign, camera: str) -> None:
    made[0] = first
    row = 0
    for row, picture in enumerate(rest, 1):
        if row == len(made) or picture.shape != first.shape:
            raise EpisodeError(
                f"{foreign.origin}: {camera} has more pictures than rows, or another size. Next: leave it out"
            )
        made[row] = picture
    if row + 1 != len(made):
        raise EpisodeError(
            f"{foreign.origin}: {camera} has {row + 1} pictures for {len(made)} rows. Next: leave it out"
        )


def _attributes(file: h5py.File, foreign: Foreign, task: str, operator: str, number: int) -> None:
    words = h5py.string_dtype()
    said: dict[str, Any] = {
        "sim": np.bool_(foreign.simulated), "compress": np.bool_(foreign.jpeg), "task": task, "episode": np.int64(number),
        "instruction": foreign.instruction, "operator": operator, "policy_delay_p95_ms": np.float64("nan"), "success": np.int8(-1),
        "camera_names": np.array(tuple(foreign.cameras), words), "dim_names": np.array(foreign.dim_names, words),
        "units": np.array(foreign.units, words), "effort_units": np.array(("",) * len(foreign.units), words),
        "action_space": "joint_position", "rig": "imported", "devices": "{}", "kinematics": "{}", "calibration": "{}",
        "station_version": station_version(), "tick_hz": np.float64(foreign.tick_hz), "clock": CLOCK, "layout": np.int64(layout.VERSION),
        "imported": msgspec.json.encode({"from": foreign.origin, "sha256": foreign.sha256}).decode(),
    }  # fmt: skip
    empty = {
        "string": "",
        "int64": np.int64(0),
        "bool": np.bool_(False),
        "strings": np.array((), words),
        "float64": np.float64(0),
    }
    for entry in layout.ATTRIBUTES:
        if entry.on == "/":
            file.attrs[entry.name] = said.get(entry.name, empty.get(entry.type))
    file["/control/source"].attrs["names"] = np.array(SOURCES, words)
    file["/marks/name"].attrs["names"] = np.array((), words)
    if foreign.jpeg and "/compress_len" in file:
        file["/compress_len"].attrs["camera_names"] = np.array(tuple(foreign.cameras), words)
