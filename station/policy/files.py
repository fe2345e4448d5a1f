"""The files of a policy folder: that they are in it, that they are what they seem, and one fingerprint of all of them.

A policy folder comes from somebody else. A name in it may say no more than which file of the folder is meant: none outside,
by whatever way (an absolute path, `..`, a symlink).
"""

import hashlib
import os
from pathlib import Path

from station.errors import PolicyError

_POINTER = b"version https://git-lfs.github.com/spec/"
_LISTED = 16
"""Files of a folder that are named one by one; of more there is one sum."""
_MOST_FILES = 10_000


def inside(folder: Path, key: str, name: str) -> Path:
    """The file `name` of `folder`, which need not be there. Raises PolicyError where it leads out of the folder."""
    fix = "put the file beside policy.yaml and give its name"
    if "\0" in name or len(name) > 1000:
        raise PolicyError(folder / "policy.yaml", key, "is no file's name", fix)
    path, home = folder / name, folder.resolve()
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise PolicyError(folder / "policy.yaml", key, f"{name!r} is outside the policy's folder", fix)
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:
        raise PolicyError(folder / "policy.yaml", key, f"{name!r} leads nowhere: {error}", fix) from error
    if real != home and home not in real.parents:
        raise PolicyError(folder / "policy.yaml", key, f"{name!r} is a link out of the policy's folder, to {real}", fix)
    return path


def refuse_pointer(path: Path, key: str) -> None:
    """Raises PolicyError where `path` holds what Git LFS leaves in a file's place; anything else is somebody else's to judge."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
    except OSError:
        return
    if start == _POINTER:
        what = f"is a Git LFS pointer of {path.stat().st_size} bytes, not the file itself"
        raise PolicyError(path, key, what, "fetch it: `git lfs pull` in its repository, or download it anew")


def fingerprint(folder: Path, besides: tuple[str, ...] = ()) -> list[str]:
    """`NAME sha256:…` of every file below `folder` but policy.yaml, hidden ones and `besides`: weights, their external data,
    statistics, prompts, whatever a backend may read. Raises PolicyError where one cannot be read or leads out.
    """
    left = {"policy.yaml", *besides}
    names = [name for name in _names(folder) if name not in left]
    sums = [f"{name} sha256:{sha256(inside(folder, name, name))}" for name in names]
    if len(sums) <= _LISTED:
        return sums
    rest = hashlib.sha256("\n".join(sums).encode()).hexdigest()
    return [f"{len(sums)} files sha256:{rest}"]


def _names(folder: Path) -> list[str]:
    found: list[str] = []
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        found += [str((Path(base) / name).relative_to(folder)) for name in files if not name.startswith(".")]
        if len(found) > _MOST_FILES:
            fix = "leave the weights and what they need in a folder of their own"
            raise PolicyError(folder, "folder", f"has more than {_MOST_FILES} files", fix)
    return sorted(found)


def sha256(path: Path) -> str:
    """Of a file. Raises PolicyError where it cannot be read."""
    try:
        if not path.is_file():  # a pipe would never end
            raise PolicyError(path, "file", "is no plain file", "take it out of the policy's folder")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PolicyError(path, "weights", f"cannot be read: {error}", "look at the file's permissions") from error
