"""What reading LeRobot's formats 2.1 and 3.0 back has in common."""

from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from station.datasets.formats import lerobot_tables as tables
from station.errors import EpisodeError


def array(table: Any, name: str) -> NDArray[Any]:
    """A column as it was written: (N,) or (N, D)."""
    column = table.column(name).combine_chunks()
    if not hasattr(column.type, "list_size"):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat).reshape(-1, column.type.list_size)


def checked_numbers(table: Any, episode: int, first: int, fps: float) -> dict[str, NDArray[Any]]:
    """An episode's numbers by our fields, out of its rows, whose `index` is to begin at `first`. Raises EpisodeError where they do
    not count.
    """
    named = {**tables.VECTORS, **{name: field for name, (field, _) in tables.OWN.items()}}
    found = {field: array(table, name) for name, field in named.items()}
    count = len(table)
    for name, begin in (("frame_index", 0), ("index", first)):
        if not np.array_equal(array(table, name), np.arange(count) + begin):
            raise EpisodeError(f"episode {episode}: {name} does not count its rows. Next: export again")
    if not (array(table, "episode_index") == episode).all():
        raise EpisodeError(f"episode {episode}: its rows are of another episode_index. Next: export again")
    found["timestamp"] = array(table, "timestamp")
    if not np.array_equal(found["timestamp"], (np.arange(count) / fps).astype(np.float32)):
        raise EpisodeError(f"episode {episode}: timestamp is not frame_index / fps. Next: export again")
    return found


def split_problems(said: Mapping[str, str], episodes: int) -> Iterator[str]:
    """Do the splits of info.json cover all episodes, one behind the other?"""
    ends = [int(end) for span in said.values() for end in span.split(":")]
    if ends[0] != 0 or ends[-1] != episodes or ends[1:-1:2] != ends[2::2]:
        yield f"meta/info.json: splits {said} do not cover {episodes} episodes"


def held_back(said: Mapping[str, str], episode: int) -> bool:
    """Is it in the split `val`?"""
    first, _, end = said.get("val", "0:0").partition(":")
    return int(first) <= episode < int(end or 0)


def file_problems(folder: Path, named: Set[Path]) -> Iterator[str]:
    """Which files of data and videos are missing, and which are there that no episode has."""
    there = {*folder.glob("data/*/*"), *folder.glob("videos/*/*/*")}
    for path in sorted(named - there):
        yield f"{path.relative_to(folder)} is missing"
    for path in sorted(there - named):
        yield f"{path.relative_to(folder)} belongs to no episode"


def data_problems(folder: Path, path: Path, columns: Set[str], rows: int) -> Iterator[str]:
    """Has a Parquet file these columns and so many rows?"""
    try:
        file = pq.ParquetFile(path)
    except (OSError, ValueError) as error:
        yield f"{path.relative_to(folder)} cannot be read: {error}"
        return
    if set(file.schema_arrow.names) != columns:
        yield f"{path.relative_to(folder)}: its columns are not the features of meta/info.json"
    if file.metadata.num_rows != rows:
        yield f"{path.relative_to(folder)} has {file.metadata.num_rows} rows, its episodes have {rows}"
