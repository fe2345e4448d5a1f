"""The table of an episode's rows, and what derives from it: each column is true of real files and real structs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from station.bus.messages import Chosen, Row, Tick
from station.episodes import layout, naming
from station.episodes.datasets import marked
from station.episodes.finalise import finalise
from station.episodes.reading import reading
from station.episodes.rows import Marked
from station.episodes.verify import verify
from station.errors import EpisodeError
from station.policy.folder import Image
from station.training.learning.demonstrations import read_demonstration
from tests.station.episodes import loaders
from tests.station.episodes.recording import CAMERAS, Recording, header, jpeg, write

LOADERS: dict[str, Callable[[Path], object]] = {
    "ACT": lambda path: loaders.act(path, list(CAMERAS), 1),
    "ACT++": lambda path: loaders.act_plus_plus(path, list(CAMERAS), 1),
    "openpi": loaders.openpi,
    "station": lambda path: read_demonstration(path, list(CAMERAS), Image(64, 48)),
}
STRUCTS = {"tick": Tick, "row": Row, "chosen": Chosen, "mark": Marked}


def episode(folder: Path, images: str) -> Path:
    """A whole one of ten rows."""
    part = naming.journal_path(folder, 0)
    picture = jpeg() if images == "jpeg" else bytes(640 * 480 * 3)
    write(part, Recording(10, [picture], frame_encoding="jpeg" if images == "jpeg" else "bgr8"), header(images=images))
    return finalise(part)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An episode, by how it keeps pictures."""
    return {images: episode(tmp_path_factory.mktemp(images), images) for images in ("jpeg", "raw")}


def entries(path: Path) -> dict[str, layout.Dataset]:
    """Dataset → its row of the table, of a file."""
    found: dict[str, layout.Dataset] = {}
    with reading(path) as file:

        def note(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                rows = layout.entries_of(f"/{name}")
                found[f"/{name}"] = next(row for row in rows if len(row.shape) == item.ndim)

        file.visititems(note)
    return found


def without(path: Path, dropped: set[str], folder: Path) -> Path:
    """A copy that lacks these datasets."""
    copy = folder / f"{len(list(folder.iterdir()))}_{path.name}"
    kept = set(entries(path)) - dropped
    with h5py.File(path) as there, h5py.File(copy, "w") as here:
        here.attrs.update(there.attrs)
        for name in kept:
            there.copy(there[name], here, name)
    return copy


@pytest.mark.parametrize(
    ("trainer", "images"),
    [(trainer, images) for trainer in LOADERS for images in ("jpeg", "raw") if (trainer, images) != ("ACT", "jpeg")],
)
def test_a_trainer_can_do_without_whatever_the_table_does_not_say_it_needs(
    recorded: dict[str, Path], trainer: str, images: str, tmp_path: Path
) -> None:
    """(ACT reads arrays only.)"""
    path = recorded[images]
    needed = {name for name, entry in entries(path).items() if trainer in entry.trainers}
    assert {"/action", "/observations/qpos"} <= needed
    LOADERS[trainer](without(path, set(entries(path)) - needed, tmp_path))
    for name in sorted(needed):
        with pytest.raises((KeyError, EpisodeError)):
            LOADERS[trainer](without(path, {name}, tmp_path))


def test_every_value_is_a_field_that_there_is() -> None:
    for entry in layout.DATASETS:
        of, _, field = entry.value.partition(".")
        assert entry.value == "sample" or field in STRUCTS[of].__struct_fields__, entry.path
        assert (of == "chosen") == (entry.per == "stream")
        assert entry.unit or entry.dtype in ("bool", "uint8"), f"{entry.path} has a unit, or is a mark"


def test_every_number_of_a_row_is_in_the_file() -> None:
    """A field of the row that nobody writes would be lost without a word."""
    written = {entry.value.partition(".")[2] for entry in layout.DATASETS if entry.value.startswith("row.")}
    assert set(Row.__struct_fields__) - written == {"tick", "row"}


def test_marks_are_counted_as_the_table_says(recorded: dict[str, Path], tmp_path: Path) -> None:
    with reading(recorded["jpeg"]) as file:
        assert set(marked(file)) >= {"intervention", "late", "stalled"}
    wrong = without(recorded["jpeg"], set(), tmp_path)
    with h5py.File(wrong, "a") as file:
        for entry in layout.DATASETS:
            if entry.counted is not None:
                file[entry.path][[1, 2, 5]] = ~file[entry.path][[1, 2, 5]]
        assert marked(file)["stalled"] == 3
    assert [found for found in verify(wrong) if "is not the number of" in found] == [
        "late_ticks is not the number of rows marked late",
        "stalls is not the number of runs of rows marked stalled",
    ]


def test_a_number_that_must_be_one_is_and_an_optional_one_need_not(recorded: dict[str, Path], tmp_path: Path) -> None:
    wrong = without(recorded["jpeg"], set(), tmp_path)
    floats = [entry for entry in layout.DATASETS if entry.shape == ("T", "D")]
    with h5py.File(wrong, "a") as file:
        for entry in floats:
            file[entry.path][3, 0] = np.nan
    told = [found.partition(":")[0] for found in verify(wrong) if "row 3 is not a number" in found]
    assert told == [entry.path for entry in floats if not entry.optional]
    assert {entry.path for entry in floats if entry.optional} == {"/policy_action", "/human_action"}


def test_a_dataset_is_found_in_the_table_by_its_path_and_a_stranger_is_not() -> None:
    assert [entry.value for entry in layout.entries_of("/timestamps/tick")] == ["tick.t_ns"]
    assert [entry.value for entry in layout.entries_of("/timestamps/cam_high")] == ["chosen.captured_at_ns"]
    assert [entry.per for entry in layout.entries_of("/observations/images/cam_high")] == ["camera jpeg", "camera raw"]
    assert layout.entries_of("/observations/none") == layout.entries_of("/control/x/y") == []
    assert layout.taken_by("station") == {
        "qpos": "/observations/qpos", "images": "/observations/images/<camera>", "action": "/action",
        "compress_len": "/compress_len",
    }  # fmt: skip
