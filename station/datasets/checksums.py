"""The SHA-256 of every file of a dataset, as `sha256sum -c station/SHA256SUMS` in its folder reads them.

What is read back and held against the episodes proves what was written; a copy, a disk or a hand can change it afterwards where no
loader looks: these sums tell, without the episodes too. Left out are run.json, in which two exports of the same differ, and README.md,
which people go on writing.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from station.borders.regular_file import read_regular, reason
from station.datasets.record import FOLDER
from station.errors import EpisodeError
from station.files import durable

SUMS = f"{FOLDER}/SHA256SUMS"
_NOT_SUMMED = ("README.md", f"{FOLDER}/run.json", SUMS)
_BATCH_BYTES = 32 << 20
_BATCH_FILES = 500
_LARGEST = 1 << 30


class Batch(NamedTuple):
    """Files for one worker."""

    folder: Path
    names: tuple[str, ...]


def batches(folder: Path) -> list[Batch]:
    """All that is summed, in an order that does not depend on the disk. Raises EpisodeError, OSError."""
    found: list[Batch] = []
    names: list[str] = []
    size = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name in _NOT_SUMMED:
            continue
        names.append(name)
        size += path.stat().st_size
        if size >= _BATCH_BYTES or len(names) == _BATCH_FILES:
            found.append(Batch(folder, tuple(names)))
            names, size = [], 0
    return [*found, Batch(folder, tuple(names))] if names else found


def sums_of(batch: Batch) -> dict[str, str]:
    """File → SHA-256. Raises EpisodeError."""
    found = {}
    for name in batch.names:
        path = batch.folder / name
        if path.is_symlink() or not path.is_file():
            found[name] = ""  # a pipe would be waited for
            continue
        try:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise EpisodeError(f"{path}: {reason(error)}. Next: look at the disk") from error
    return found


def write(folder: Path, sums: Mapping[str, str]) -> None:
    """Raises OSError."""
    durable.replace(folder / SUMS, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode())


def differences(folder: Path, found: Mapping[str, str]) -> Iterator[str]:
    """Between what is there, `found`, and what was exported; a sentence each."""
    try:
        lines = read_regular(folder / SUMS, _LARGEST).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        yield f"{SUMS} cannot be read: {error if isinstance(error, UnicodeDecodeError) else reason(error)}"
        return
    written = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in sorted(written.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in written:
            yield f"{name} was not exported"
        elif found[name] != written[name]:
            yield f"{name} is not what was exported, by its SHA-256"
