"""What a sitting may be asked for. Pure. The bus bounds every number; here is what only the session knows to be absurd."""

from pathlib import Path

from station.bounds import LONGEST_S
from station.bus.requests import OpenSession

_LONGEST_NAME_BYTES = 200
"""A file's name holds 255 on Linux's file systems; the episodes' own names are shorter."""


def absurd_length(seconds: float | None, tick_hz: float) -> str:
    """Why an episode cannot be so long; "" if it can."""
    if seconds is None or 1 / tick_hz <= seconds <= LONGEST_S:  # NaN is neither
        return ""
    if seconds < 1 / tick_hz:
        return f"{seconds} s is less than one tick"
    return f"an episode of {seconds:g} s cannot be. Next: one tick ({1 / tick_hz:g} s) to {LONGEST_S:g} s, or without a length"


def absurd_sitting(asked: OpenSession) -> str:
    """Why no sitting can be like this; "" if one can."""
    if not 0 <= asked.reset_s <= LONGEST_S:
        return f"{asked.reset_s:g} s between two episodes cannot be. Next: 0 to {LONGEST_S:g} s"
    if asked.episodes < 0:
        return f"{asked.episodes} episodes cannot be. Next: how many, or 0 for no limit"
    if why := no_folder_name(asked.task):
        return why
    try:
        data_folder(asked.data)
    except RuntimeError as error:  # what pathlib raises for a user that is not there
        return f"{asked.data!r} is no folder: {error}. Next: name one with --data"
    return ""


def no_folder_name(task: str) -> str:
    """Why a task cannot be called that: its episodes are in a folder of its name. "" if it can."""
    readable = task.isprintable() and bool(task.strip())
    if readable and "/" not in task and task not in (".", "..") and len(task.encode()) <= _LONGEST_NAME_BYTES:
        return ""
    return (
        f"a task cannot be called {task[:50]!r}: its episodes go to a folder of that name. Next: a short name without "
        "slashes and control characters, such as pick_cube"
    )


def data_folder(data: str) -> Path:
    """The folder somebody named, `~` understood. Raises RuntimeError for a `~user` who is not there."""
    return Path(data).expanduser()
