"""Pictures of any length go in, in one pass, and come out as the layout says: (T, P), padded with zeros."""

from pathlib import Path

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.episodes import layout
from station.episodes.layout import Expected
from station.episodes.picture_dataset import PictureDataset

NAME = "/observations/images/cam"


def expected(rows: int, longest: int) -> Expected:
    (entry, _) = layout.entries_of(NAME)
    return Expected(NAME, "u1", (rows, longest), picture=True, gzip=False, entry=entry, name="cam")


def written(path: Path, rows: list[bytes]) -> None:
    with h5py.File(path, "w") as file:
        dataset = PictureDataset(file, expected(1, len(rows[0])), len(rows[0]))
        for row in rows:
            dataset.add(dataset.cut(row))
        dataset.finish((len(rows), max(map(len, rows))))
        assert dataset.wrong == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=4000), min_size=1, max_size=12))
def test_every_row_is_there_whole_and_padded_with_zeros(tmp_path: Path, rows: list[bytes]) -> None:
    path = tmp_path / "pictures.hdf5"
    written(path, rows)
    with h5py.File(path) as file:
        found = file[NAME][:]
    longest = max(map(len, rows))
    assert found.shape == (len(rows), longest)
    assert [row.tobytes() for row in found] == [row.ljust(longest, b"\0") for row in rows]


@pytest.mark.parametrize("first", [30_000, 20_000], ids=["the first is the longest", "a later one is longer"])
def test_the_end_does_not_write_the_pictures_again(tmp_path: Path, first: int) -> None:
    pictures = [bytes(first), *(bytes(25_000 + place) for place in range(100))]
    with h5py.File(tmp_path / "pictures.hdf5", "w") as file:
        dataset = PictureDataset(file, expected(1, first), first)
        for picture in pictures:
            dataset.add(dataset.cut(picture))
        before = bytes_written()
        dataset.finish((len(pictures), max(map(len, pictures))))
        file.flush()
        assert bytes_written() - before < 0.1 * sum(map(len, pictures))


def bytes_written() -> int:
    """By this process so far, whatever the kernel keeps of it."""
    return int(Path("/proc/self/io").read_text().split("wchar: ")[1].split()[0])
