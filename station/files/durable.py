"""Small files that are there whole, or as they were, whatever happens meanwhile."""

import os
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Write the file so that a reader, a kill and a power cut find the old one or the new one. Raises OSError."""
    fresh = path.with_name(f".{path.name.lstrip('.')}.{os.getpid()}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file's content, or the names in a folder, survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
