"""What reads an episode computes with nothing, and draws nothing, that is not what the layout's table says."""

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from station.episodes import datasets
from station.episodes.cadence import read_cadence
from station.episodes.catalogue import read_episode
from station.episodes.picture import contact_sheet, joint_plot
from station.episodes.reading import reading
from station.episodes.verify import verify
from station.errors import EpisodeError
from tests.station.episodes.recording import jpeg
from tests.station.episodes.test_reading import record

IMAGES, ACTION, TICK, AGE = "/observations/images/cam_high", "/action", "/timestamps/tick", "/sync/age/cam_high"
ROWS = 6
PICTURES_S = 5.0
"""Of processor time for both pictures of an episode."""

Spoil = Callable[[h5py.File], object]


def put(path: str, data: Any) -> Spoil:
    def spoil(file: h5py.File) -> None:
        about = dict(file[path].attrs)
        del file[path]
        file[path] = data
        file[path].attrs.update(about)

    return spoil


def said(name: str, value: Any, on: str = "/") -> Spoil:
    return lambda file: file[on].attrs.__setitem__(name, value)


def cell(path: str, place: Any, value: Any) -> Spoil:
    return lambda file: file[path].__setitem__(place, value)


WORDS = {
    "a picture is text": (put(IMAGES, np.zeros((ROWS, 14), "S3")), IMAGES),
    "a picture for fewer rows": (put(IMAGES, np.zeros((ROWS - 1, 900), "u1")), IMAGES),
    "a picture of no width": (put(IMAGES, np.zeros((ROWS, 5, 0, 3), "u1")), IMAGES),
    "a picture of two colours": (put(IMAGES, np.zeros((ROWS, 5, 5, 2), "u1")), IMAGES),
    "a picture of floats": (put(IMAGES, np.zeros((ROWS, 900), "f4")), IMAGES),
    "setpoints are text": (put(ACTION, np.zeros((ROWS, 14), "S3")), ACTION),
    "setpoints are integers": (put(ACTION, np.zeros((ROWS, 14), "i8")), ACTION),
    "no numbers a row": (put(ACTION, np.zeros((ROWS, 0), "f4")), ACTION),
    "goals for fewer rows": (put("/action_sent", np.zeros((ROWS - 1, 14), "f4")), "/action_sent"),
    "fewer goals a row": (put("/action_sent", np.zeros((ROWS, 13), "f4")), "/action_sent"),
    "positions are one number": (put("/observations/qpos", 5), "/observations/qpos"),
    "ages for fewer rows": (put(AGE, np.zeros(ROWS - 1, "i8")), AGE),
    "ages are floats": (put(AGE, np.full(ROWS, np.nan)), AGE),
    "ages are a table": (put(AGE, np.zeros((ROWS, 2), "i8")), AGE),
    "an age of nothing known": (lambda file: file.create_dataset("/sync/age/x", data=np.zeros(ROWS, "i8")), "/sync/is_new/x"),
    "ages without a stream": (lambda file: file.__delitem__("/timestamps/cam_high"), "/timestamps/cam_high"),
    "sources are floats": (put("/control/source", np.zeros(ROWS)), "/control/source"),
    "a source without a name": (cell("/control/source", 2, 200), "/control/source"),
    "times run backwards": (lambda file: file[TICK].__setitem__(..., file[TICK][:][::-1]), TICK),
    "a time stands still": (lambda file: file[TICK].__setitem__(3, file[TICK][2]), TICK),
    "a time before all clocks": (cell(TICK, 0, -(2**63)), TICK),
    "a time after all clocks": (cell(TICK, ROWS - 1, 2**63 - 1), TICK),
    "times are floats": (put(TICK, np.full(ROWS, np.inf)), TICK),
    "times are 32 bits": (put(TICK, np.arange(ROWS, dtype="i4")), TICK),
    "more names than numbers": (said("dim_names", ["a"] * 15), "dim_names"),
    "fewer units than numbers": (said("units", ["rad", "1"]), "units"),
    "names are numbers": (said("dim_names", np.zeros(14)), "dim_names"),
    "names are a table": (said("dim_names", np.full((14, 1), "a", h5py.string_dtype())), "dim_names"),
    "a camera a thousand times": (said("camera_names", ["cam_high"] * 1000), "camera_names"),
    "a camera without pictures": (said("camera_names", ["cam_high", "cam_low"]), "camera_names"),
    "cameras are numbers": (said("camera_names", np.zeros(3)), "camera_names"),
    "what was lost is text": (said("lost", "many", "/timestamps/cam_high"), "/timestamps/cam_high"),
    "a task that is a number": (said("task", 3), "task"),
}  # fmt: skip


def through(path: Path, folder: Path) -> list[str]:
    """Every reader and both pictures: what each that failed said."""
    told = []
    for act in (
        lambda: read_cadence(path),
        lambda: joint_plot(path, folder / "joints.png"),
        lambda: contact_sheet(path, folder / "cameras.png"),
    ):
        try:
            act()
        except EpisodeError as error:
            told.append(str(error))
    return told


@pytest.mark.parametrize("what", WORDS)
def test_what_is_not_what_the_table_says_is_one_sentence_that_names_it(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "matplotlib.figure.Figure.savefig", lambda *_, **__: None
    )  # takes a second, and no part in this
    path = record(tmp_path, rows=ROWS)
    spoil, named = WORDS[what]
    with h5py.File(path, "r+") as file:
        spoil(file)
    told = through(path, tmp_path)
    assert told
    for one in told:
        assert one.startswith(f"{path}: ") and named in one and "\n" not in one, one
        assert one.endswith(f"Next: `station episodes verify {path}`"), one


@pytest.mark.slow
def test_a_whole_episode_is_handed_out_as_it_is(tmp_path: Path) -> None:
    path = record(tmp_path, rows=ROWS)
    assert through(path, tmp_path) == []
    with reading(path) as file:
        assert np.diff(datasets.ticks_ns(file)).tolist() == [20_000_000] * (ROWS - 1)
        assert datasets.table(file, ACTION).shape == (ROWS, 14)
        assert datasets.dataset(file, IMAGES).shape[0] == ROWS
        assert datasets.cameras(file) == ("cam_high",)
        assert [len(each) for each in datasets.dimensions(file)] == [14, 14]


def huge_jpeg() -> bytes:
    """A JPEG of some thousand bytes that says it is 65,500 pixels wide and high."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def rows_wide(file: h5py.File, width: int) -> None:
    """Every row has so many numbers."""
    for path in (ACTION, "/action_sent", "/observations/qpos"):
        put(path, np.random.default_rng(1).random((ROWS, width), "f4"))(file)
    file.attrs["dim_names"] = [f"joint {number}" for number in range(width)]
    file.attrs["units"] = ["rad"] * width


def many_rows(file: h5py.File, rows: int = 400_000) -> None:
    """More than two hours of them."""
    for name in ("action", "action_sent", "observations/qpos"):
        put(f"/{name}", np.zeros((rows, 14), "f4"))(file)
    put(TICK, np.arange(rows) * 20_000_000)(file)
    for name in ("/control/late", "/control/source"):
        put(name, np.zeros(rows, file[name].dtype))(file)
    for stream in file["/sync/age"]:
        put(f"/sync/age/{stream}", np.zeros(rows, "i8"))(file)
        put(f"/sync/is_new/{stream}", np.ones(rows, bool))(file)


def many_streams(file: h5py.File) -> None:
    """Links to one and the same stream."""
    for number in range(200):
        for folder in ("/sync/age", "/sync/is_new", "/timestamps"):
            file[f"{folder}/s{number}"] = file[f"{folder}/cam_high"]


ENDLESS: dict[str, Spoil] = {
    "a long task": said("task", "x" * 60_000),
    "long names": said("dim_names", ["x" * 4000] * 14),
    "long names with marks": said("dim_names", ["\x1b$\n" * 1000] * 14),
    "numbers as large as they come": lambda file: file[ACTION].__setitem__(..., 3.4e38),
    "numbers that are none": lambda file: file[ACTION].__setitem__(..., np.nan),
    "ages as large as they come": lambda file: file[AGE].__setitem__(..., 2**63 - 1),
    "a time in a hundred years": cell(TICK, ROWS - 1, 2**61),
    "a tall picture": put(IMAGES, np.zeros((ROWS, 1_000_000, 1, 3), "u1")),
    "a picture larger than any camera's": put(IMAGES, np.frombuffer(huge_jpeg() * ROWS, "u1").reshape(ROWS, -1)),
    "no streams": lambda file: [file["/sync"].__delitem__("age"), file.create_group("/sync/age")],
    "many numbers": lambda file: rows_wide(file, 250),
    "more numbers than any rig": lambda file: rows_wide(file, 3000),
    "many rows": many_rows,
    "many streams": many_streams,
    "no rows": lambda file: many_rows(file, 0),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", ENDLESS)
def test_no_picture_is_endless(tmp_path: Path, what: str) -> None:
    path = record(tmp_path, rows=ROWS)
    with h5py.File(path, "r+") as file:
        ENDLESS[what](file)
    began_s = time.process_time()
    told = through(path, tmp_path)
    assert time.process_time() - began_s < PICTURES_S
    assert all("\n" not in one and "Next: " in one for one in told), told
    for drawn in tmp_path.glob("*.png"):
        assert drawn.stat().st_size < 4 << 20


def test_verify_decodes_no_picture_that_no_camera_makes(tmp_path: Path) -> None:
    path = record(tmp_path, rows=ROWS)
    with h5py.File(path, "r+") as file:
        data = np.frombuffer(huge_jpeg(), "u1")
        for row in range(ROWS):
            file[IMAGES][row, : len(data)] = data
            file[IMAGES][row, len(data) - 20] = row  # each another one
    began_s = time.process_time()
    (finding,) = verify(path, decode=True)
    assert time.process_time() - began_s < PICTURES_S
    assert "it says it has 4290250000 pixels" in finding


def test_of_many_rows_a_line_keeps_its_shortest_spike(tmp_path: Path) -> None:
    from station.episodes.picture import _points

    values = np.zeros(400_000)
    values[123_456], values[300_001], values[5:9] = 7, -7, np.nan
    seconds, drawn = _points(np.arange(400_000) / 50, values)
    assert len(seconds) == len(drawn) <= 10_000
    assert (np.nanmax(drawn), np.nanmin(drawn)) == (7, -7)
    assert abs(seconds[int(np.nanargmax(drawn))] - 123_456 / 50) < 2
    few = _points(np.arange(5), np.arange(5))
    assert few[1].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rate", [1e-300, 0.0, -50.0, 1e9, np.inf, np.nan])
def test_a_rate_that_no_rig_has_is_none(tmp_path: Path, rate: float) -> None:
    path = record(tmp_path)
    with h5py.File(path, "r+") as file:
        file.attrs["tick_hz"] = np.float64(rate)
    assert "no rate" in read_episode(path).problem


@pytest.mark.slow
def test_a_crowd_of_datasets_is_no_episode(tmp_path: Path) -> None:
    path = record(tmp_path)
    with h5py.File(path, "r+") as file:
        crowd = file.create_group("/observations/extra")
        for number in range(10_000):
            crowd[str(number)] = file[ACTION]
    with pytest.raises(EpisodeError, match="more than 10000 things"), reading(path):
        pass
