"""Marks go along into the dataset's folder, on the frames that show their moment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from station.datasets.selection import Kept, Selection, Trim
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.faults import json_of, parquet, values
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


SUBTASKS, DATA = "meta/subtasks.parquet", "data/chunk-000/file-000.parquet"


@pytest.mark.parametrize("rate", [None, 10.0])
def test_lerobot_has_the_stretches_between_them_as_subtasks(rate: float | None, tmp_path: Path) -> None:
    marked(tmp_path / "data")
    selection = Selection(
        folders=(str(tmp_path / "data"),), trim=Trim(keep=(Kept("cube/episode_0.hdf5", 0.1, 0.8),))
    )  # what was marked before the beginning holds at it
    export_to(tmp_path / "set", tmp_path / "data", selection=selection, rate_hz=rate)
    names = pq.read_table(tmp_path / "set" / SUBTASKS).column("__index_level_0__").to_pylist()
    assert names == ["", "reach", "grasp", "place"]
    rows = pq.read_table(tmp_path / "set" / DATA, columns=["row", "subtask_index"]).to_pylist()
    for one in rows:
        newest = [name for name, row in SET if row <= one["row"]]
        assert names[one["subtask_index"]] == newest[-1]
    assert rows[0] == {"row": 5, "subtask_index": 1}
    assert findings(tmp_path / "set") == ()


def _no_feature(info: Any) -> None:
    del info["features"]["subtask_index"]


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (parquet(DATA, values("subtask_index", lambda found: [*found[:30], 1, *found[31:]])), "subtask_index is not"),
        (parquet(SUBTASKS, lambda table: table.take([0, 2, 1, 3])), "another subtask's text"),
        (parquet(SUBTASKS, values("__index_level_0__", lambda texts: ["", "grasp", "reach", "place"])), "marks' names"),
        (parquet(SUBTASKS, lambda table: table.replace_schema_metadata({})), "no pandas index"),
        (lambda folder: (folder / SUBTASKS).unlink(), "cannot be read"),
        (json_of("meta/info.json", _no_feature), "no feature subtask_index"),
    ],
)
def test_a_wrong_subtask_is_found(fault: Callable[[Path], None], what: str, tmp_path: Path) -> None:
    marked(tmp_path / "data")
    export_to(tmp_path / "set", tmp_path / "data", video="as-shot")
    fault(tmp_path / "set")
    assert any(what in finding for finding in findings(tmp_path / "set"))


EPISODES = "meta/episodes.jsonl"


def _lines(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / EPISODES).read_text().splitlines()]


def lines_of(change: Callable[[list[Any]], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        rows = _lines(folder)
        change(rows)
        (folder / EPISODES).write_text("".join(json.dumps(row) + "\n" for row in rows))

    return apply


def test_gr00t_has_them_in_the_episodes_line_of_2_1(tmp_path: Path) -> None:
    marked(tmp_path / "data")
    make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",), episode=1))
    selection = Selection(folders=(str(tmp_path / "data"),))
    export_to(tmp_path / "set", tmp_path / "data", "lerobot-v2.1", selection)
    first, second = _lines(tmp_path / "set")
    assert first["sub_tasks"] == [
        {"start": 4, "end": 20, "text": "reach"},
        {"start": 20, "end": 39, "text": "grasp"},
        {"start": 39, "end": 40, "text": "place"},
    ]
    assert second["sub_tasks"] == []  # its loader asks for the key of every episode
    assert "sub_tasks" in (tmp_path / "set" / "README.md").read_text()
    assert findings(tmp_path / "set") == ()


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (
            lines_of(lambda rows: rows[0]["sub_tasks"][0].update(end=21, start=3)),
            "subtask_index is not its source's in 1",
        ),
        (
            lines_of(lambda rows: rows[0]["sub_tasks"][0].update(text="grasp")),
            "subtask_index is not its source's in 16",
        ),
        (lines_of(lambda rows: rows[0]["sub_tasks"][0].update(text="wait")), "sub_tasks of episode 0: ValueError"),
        (lines_of(lambda rows: rows[0].pop("sub_tasks")), "episode 0 lacks sub_tasks"),
    ],
)
def test_a_wrong_stretch_is_found(fault: Callable[[Path], None], what: str, tmp_path: Path) -> None:
    marked(tmp_path / "data")
    export_to(tmp_path / "set", tmp_path / "data", "lerobot-v2.1", video="as-shot")
    fault(tmp_path / "set")
    assert any(what in finding for finding in findings(tmp_path / "set")), findings(tmp_path / "set")
