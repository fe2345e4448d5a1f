"""`python -m tests.station.episodes.pictures_once`: what it would cost and save to store a picture once.

A camera of 15 or 30 fps shows each picture in several of the 50 rows a second, and an episode holds it in each. Here the same pictures are
written both ways: in every row, as episodes have them, and once, with an HDF5 virtual dataset in the place of the rows. Both are read as
loaders read: the whole (openpi), a random row of an open file, and a file opened for one row of every camera (ACT, ACT++, per sample).
Prints the table of decision 27.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np
import numpy.typing as npt

from tests.station.episodes import loaders

TICK_HZ = 50
CAMERAS = ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist")
_SIZE = (480, 640)


class Pictures(NamedTuple):
    """What one camera gave."""

    jpegs: list[npt.NDArray[np.uint8]]
    shown: npt.NDArray[np.int64]
    """Per row the picture that stands in it. (T,)"""


class Measured(NamedTuple):
    """One way of storing."""

    megabytes: float
    open_and_row_ms: float
    """As ACT reads a sample: the file opened, one row of each camera, closed."""
    random_row_ms: float
    whole_s: float
    read_by: tuple[str, ...]


def pictures(fps: float, rows: int, seed: int) -> Pictures:
    """Pictures that differ as a camera's do: of about 30 kB each."""
    chance = np.random.default_rng(seed)
    shown = np.floor(np.arange(rows) * min(fps, TICK_HZ) / TICK_HZ).astype(np.int64)
    jpegs = []
    for number in range(int(shown[-1]) + 1):
        coarse = chance.integers(0, 255, (_SIZE[0] // 8, _SIZE[1] // 8, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, _SIZE[::-1], interpolation=cv2.INTER_LINEAR)
        cv2.putText(picture, str(number), (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
        jpegs.append(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 80))[1].ravel())
    return Pictures(jpegs, shown)


def every_row(file: h5py.File, name: str, given: Pictures) -> None:
    """As episodes have it: a chunk a row."""
    width = max(map(len, given.jpegs))
    found = file.create_dataset(name, (len(given.shown), width), "u1", chunks=(1, width))
    for row, number in enumerate(given.shown):
        found[row, : len(given.jpegs[number])] = given.jpegs[number]


def once(file: h5py.File, name: str, given: Pictures) -> None:
    """Each once beside, and a virtual dataset that puts them into rows: a mapping a row."""
    width = max(map(len, given.jpegs))
    beside = f"/pictures/{name.rpartition('/')[2]}"
    stored = file.create_dataset(beside, (len(given.jpegs), width), "u1", chunks=(1, width))
    for number, jpeg in enumerate(given.jpegs):
        stored[number, : len(jpeg)] = jpeg
    rows = h5py.VirtualLayout((len(given.shown), width), "u1")
    source = h5py.VirtualSource(".", beside, stored.shape)
    for row, number in enumerate(given.shown):
        rows[row] = source[int(number)]
    file.create_virtual_dataset(name, rows)


def write(path: Path, all_given: list[Pictures], how: Callable[[h5py.File, str, Pictures], None]) -> None:
    """An episode that ALOHA's loaders take: pictures as asked, numbers of a rig of 14."""
    rows = len(all_given[0].shown)
    with h5py.File(path, "w") as file:
        file.attrs["sim"], file.attrs["compress"] = False, True
        for name in ("/observations/qpos", "/observations/qvel", "/observations/effort", "/action"):
            file[name] = np.zeros((rows, 14), np.float32)
        lengths = [[len(given.jpegs[number]) for number in given.shown] for given in all_given]
        file["/compress_len"] = np.array(lengths, np.float32)
        for camera, given in zip(CAMERAS, all_given, strict=True):
            how(file, f"/observations/images/{camera}", given)


def measure(path: Path, all_given: list[Pictures], samples: int) -> Measured:
    """Size, times, and who reads it right."""
    chance, rows = np.random.default_rng(1), len(all_given[0].shown)
    began = time.perf_counter()
    for row in chance.integers(0, rows, samples):
        with h5py.File(path) as file:
            _ = [file[f"/observations/images/{camera}"][int(row)] for camera in CAMERAS]
    open_and_row = (time.perf_counter() - began) / samples
    with h5py.File(path) as file:
        found = [file[f"/observations/images/{camera}"] for camera in CAMERAS]
        began = time.perf_counter()
        for row in chance.integers(0, rows, samples):
            _ = [one[int(row)] for one in found]
        random_row = (time.perf_counter() - began) / samples
        began = time.perf_counter()
        right = all(_same(one[()], given) for one, given in zip(found, all_given, strict=True))
        whole = time.perf_counter() - began
    read_by = ("h5py",) * right
    for name, read in (
        ("ACT++", lambda: loaders.act_plus_plus(path, list(CAMERAS), rows // 2)),
        ("openpi", lambda: loaders.openpi(path)),
    ):
        try:
            read()
            read_by += (name,)
        except (OSError, KeyError, ValueError):
            continue
    return Measured(path.stat().st_size / 1e6, 1e3 * open_and_row, 1e3 * random_row, whole, read_by)


def _same(rows: npt.NDArray[np.uint8], given: Pictures) -> bool:
    return all(
        np.array_equal(row[: len(given.jpegs[n])], given.jpegs[n]) for row, n in zip(rows, given.shown, strict=True)
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the episode")
    parser.add_argument("--samples", type=int, default=20, help="reads of each kind")
    parser.add_argument("--fps", type=float, nargs="+", default=[15.0, 30.0, 60.0])
    asked = parser.parse_args()
    rows = round(asked.seconds * TICK_HZ)
    print(
        "| fps | stored | MB per second | open + one row of four cameras, ms | a random row, ms | whole, s | read by |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for fps in asked.fps:
            given = [pictures(fps, rows, seed) for seed in range(len(CAMERAS))]
            for name, how in (("in every row", every_row), ("once", once)):
                path = Path(folder) / "episode_0.hdf5"
                write(path, given, how)
                m = measure(path, given, asked.samples)
                print(
                    f"| {fps:g} | {name} | {m.megabytes / asked.seconds:.1f} | {m.open_and_row_ms:.1f} | {m.random_row_ms:.2f} "
                    f"| {m.whole_s:.2f} | {', '.join(m.read_by)} |",
                    flush=True,
                )
                path.unlink()


if __name__ == "__main__":
    main()
