"""Recorded episodes as a training set takes them: vectors, and every picture once, at the size the policy will see it.

Pictures are decoded and resized by the code that does it at run time (`station.policy.frames.prepare`), so that training
and running cannot differ, and stay as uint8: 15 pictures a second and camera instead of 50 rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.bus.messages import Frame
from station.episodes import datasets, layout
from station.episodes.catalogue import episodes
from station.episodes.reading import reading
from station.errors import EpisodeError
from station.policy.folder import Image
from station.policy.frames import Picture, prepare

_TAKEN = layout.taken_by("station")
"""What of an episode a training set takes: the layout's table says so."""
_MOVES = 0.005
"""A setpoint this far from the first (or last) one, rad or gripper units, is motion: above a servo's reading, 0.0015 rad."""
_REST_S = 1.0
"""Kept after the last motion: a policy has to learn that it is done."""
_OPENS, _CLOSES = 0.5, 0.05
"""A gripper asked this far open was opened; asked this much less than its widest, it closes."""


class Demonstration(NamedTuple):
    """One episode, from its first motion to a moment after its last."""

    path: Path
    tick_hz: float
    dim_names: tuple[str, ...]
    state: NDArray[np.float32]
    """(T, D): /observations/qpos."""
    action: NDArray[np.float32]
    """(T, D): /action, as it was asked."""
    pictures: tuple[NDArray[np.uint8], ...]
    """Per camera (N, height, width, 3)."""
    shown: NDArray[np.int32]
    """(cameras, T): which picture each row has."""
    grasp: int
    """The row in which the first gripper begins to close on something; 0 where none does."""


def demonstrations(data: Path, task: str, cameras: Sequence[str], image: Image) -> list[Demonstration]:
    """Every episode of the task that is whole and no failure, by number. Raises EpisodeError where none is, or one does not fit."""
    recorded = episodes(data, task)
    whole = [one for one in recorded if not one.problem and not one.ended and one.success is not False]
    if not whole:
        reasons = "; ".join(f"{one.path.name}: {one.problem or one.ended or 'a failure'}" for one in recorded[:3])
        raise EpisodeError(
            f"{data}: no whole episode of task {task or '(any)'} that is no failure ({reasons or 'none at all'}). "
            "Next: `station record --task …`"
        )
    found = [read_demonstration(one.path, cameras, image) for one in whole]
    for other in found[1:]:
        if (other.dim_names, other.tick_hz) != (found[0].dim_names, found[0].tick_hz):
            raise EpisodeError(
                f"{other.path} is of another rig than {found[0].path}: other dimensions or another rate. "
                "Next: keep each rig's episodes in a folder of their own"
            )
    return found


def read_demonstration(path: Path, cameras: Sequence[str], image: Image) -> Demonstration:
    """One episode. Raises EpisodeError: a camera is missing, a picture is none, nothing moves."""
    with reading(path) as file:
        action = datasets.table(file, _TAKEN["action"])
        names = tuple(str(name) for name in file.attrs["dim_names"])
        tick_hz = float(file.attrs["tick_hz"])
        rows = _moving(path, action, tick_hz)
        seen = [_pictures(path, file, camera, rows, image) for camera in cameras]
        state = datasets.table(file, _TAKEN["qpos"])[rows]
    action = action[rows]
    shown = np.array([which for _, which in seen], np.int32).reshape(len(cameras), len(action))
    pictures = tuple(pictures for pictures, _ in seen)
    return Demonstration(path, tick_hz, names, state, action, pictures, shown, first_grasp(action, names))


def first_grasp(action: NDArray[np.float32], names: Sequence[str]) -> int:
    """The row of `action` (T, D) in which the first of the grippers, having been opened, begins to close; 0 where none does."""
    rows = [_closes(action[:, i]) for i, name in enumerate(names) if name.endswith("gripper")]
    return min((row for row in rows if row), default=0)


def _closes(gripper: NDArray[np.float32]) -> int:
    opened = np.flatnonzero(gripper > _OPENS)
    if not opened.size:
        return 0
    begin = int(opened[0])
    widest = np.maximum.accumulate(gripper[begin:])
    closing = np.flatnonzero(gripper[begin:] < widest - _CLOSES)
    return begin + int(closing[0]) if closing.size else 0


def _moving(path: Path, action: NDArray[np.float32], tick_hz: float) -> slice:
    """Rows from the first motion to a moment after the last: who waits teaches waiting."""
    moves = np.flatnonzero(np.abs(action - action[0]).max(1) > _MOVES)
    stirs = np.flatnonzero(np.abs(action - action[-1]).max(1) > _MOVES)
    if not moves.size:
        raise EpisodeError(f"{path}: nothing moves in it. Next: `station episodes delete`, or label it a failure")
    return slice(max(0, int(moves[0]) - 1), min(len(action), int(stirs[-1]) + 1 + round(_REST_S * tick_hz)))


def _pictures(
    path: Path, file: Any, camera: str, rows: slice, image: Image
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """What the camera saw in these rows, each picture once, and which of them each row has."""
    where = _TAKEN["images"].replace("<camera>", camera)
    if where not in file:
        raise EpisodeError(
            f"{path} has no camera {camera} (it has {', '.join(datasets.cameras(file))}). Next: correct --cameras"
        )
    stored = datasets.dataset(file, where)
    lengths = _lengths(file, camera) if stored.ndim == 2 else None
    pictures: list[Picture] = []
    shown: list[int] = []
    last = b""
    for row in range(rows.start, rows.stop):
        raw = stored[row]
        payload = raw.tobytes() if lengths is None else raw[: lengths[row]].tobytes()
        if payload != last:
            pictures.append(_prepared(path, camera, row, payload, raw.shape, image))
            last = payload
        shown.append(len(pictures) - 1)
    return np.stack(pictures), np.array(shown, np.int32)


def _lengths(file: Any, camera: str) -> NDArray[np.int64]:
    lengths = datasets.dataset(file, _TAKEN["compress_len"])
    place = [str(name) for name in lengths.attrs["camera_names"]].index(camera)
    return np.asarray(lengths[place], np.int64)


def _prepared(path: Path, camera: str, row: int, payload: bytes, shape: tuple[int, ...], image: Image) -> Picture:
    frame = Frame("jpeg", 0, 0, "arrival") if len(shape) == 1 else Frame("rgb8", shape[1], shape[0], "arrival")
    picture = prepare(frame, payload, image)
    if picture is None:
        raise EpisodeError(f"{path}: {camera} has no picture in row {row}. Next: `station episodes verify {path}`")
    return picture
