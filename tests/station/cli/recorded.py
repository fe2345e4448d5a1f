"""Recorded episodes, and `station episodes …` on them."""

import functools
import tempfile
from pathlib import Path

import h5py
import numpy as np
from typer.testing import CliRunner, Result

from station.cli.episodes import app
from station.episodes import naming
from station.episodes.finalise import finalise
from tests.station.episodes.recording import Recording, header, jpeg, write


def station(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def record(data: Path, number: int, rows: int = 5, task: str = "cube") -> Path:
    path = naming.episode_path(data / task, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_recorded(number, rows))
    naming.remember(path.parent, number)
    return path


@functools.cache
def _recorded(number: int, rows: int) -> bytes:
    """Through journal and builder, once for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        part = naming.journal_path(Path(folder), number)
        write(part, Recording(rows, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",), episode=number))
        return finalise(part).read_bytes()


def success_of(path: Path) -> int:
    with h5py.File(path) as file:
        assert file.attrs["success"].dtype == np.int8
        return int(file.attrs["success"])
