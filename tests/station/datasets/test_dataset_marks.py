"""Marks go along into the dataset's folder, on the frames that show their moment."""

from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from station.datasets.selection import Kept, Selection, Trim
from tests.station.datasets.exported import export_to
from tests.station.datasets.recorded import SINGLE, Recorded, make

SET = (("reach", 4), ("grasp", 20), ("grasp", 21), ("place", 39))


def marked(data: Path) -> Path:
    path = make(data, Recorded(40, SINGLE, ("cam_high",)))
    names = list(dict.fromkeys(name for name, _ in SET))
    with h5py.File(path, "r+") as file:
        ticks = file["/timestamps/tick"][:]
        del file["/marks"]
        file["/marks/time"] = np.array([ticks[row] for _, row in SET], np.int64)
        file["/marks/row"] = np.array([row for _, row in SET], np.int64)
        file["/marks/name"] = np.array([names.index(name) for name, _ in SET], np.uint8)
        file["/marks/name"].attrs["names"] = np.array(names, h5py.string_dtype())
    return path


def found(out: Path) -> list[tuple[Any, ...]]:
    said = msgspec.json.decode((out / "station" / "marks.json").read_bytes())
    return [(one["episode"], one["frame"], one["time_s"], one["name"]) for one in said]


@pytest.mark.parametrize("rate", [None, 10.0])
def test_each_is_on_its_frame(rate: float | None, tmp_path: Path) -> None:
    marked(tmp_path / "data")
    export_to(
        tmp_path / "set",
        tmp_path / "data",
        "plain",
        selection=Selection(folders=(str(tmp_path / "data"),)),
        rate_hz=rate,
    )
    step = 1 if rate is None else 5
    hz = 50 if rate is None else 10
    assert found(tmp_path / "set") == [(0, row // step, pytest.approx(row // step / hz), name) for name, row in SET]


def test_what_was_cut_off_goes_with_its_marks(tmp_path: Path) -> None:
    marked(tmp_path / "data")
    kept = (Kept("cube/episode_0.hdf5", 0.0, 0.2), Kept("cube/episode_0.hdf5", 0.41, 0.7))
    selection = Selection(folders=(str(tmp_path / "data"),), trim=Trim(keep=kept))
    export_to(tmp_path / "set", tmp_path / "data", "plain", selection=selection)
    assert [(episode, frame, name) for episode, frame, _, name in found(tmp_path / "set")] == [
        (0, 4, "reach"),
        (1, 0, "grasp"),
    ]


def test_without_marks_there_is_no_such_file(tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",)))
    export_to(tmp_path / "set", tmp_path / "data", "plain")
    assert not (tmp_path / "set" / "station" / "marks.json").exists()
