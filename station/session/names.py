"""What a sitting may be called, and where its episodes may go. Pure.

Checked once, at the session's border, for every client; the command line says the same sentence before it starts a station.
"""

from pathlib import Path

from station.borders.names import LONGEST_TEXT, bad_task, bad_text, encodes
from station.bus.requests import OpenSession

LONGEST_PATH_BYTES = 1024


def bad_data(data: str) -> str:
    """Why that cannot be the data folder; "" if it can, or none is named."""
    if not data:
        return ""
    if not encodes(data) or not data.isprintable() or len(data.encode()) > LONGEST_PATH_BYTES:
        why = "it has characters that cannot be seen, bytes that are no text, or more than a path may have"
    else:
        try:
            path = Path(data).expanduser()
        except RuntimeError as error:  # ~nosuchuser
            return f"{data[:60]!a} cannot be the data folder: {error}. Next: name another with --data"
        if path.is_absolute():
            return ""
        why = "it does not begin with /, and the station runs in a folder of its own"
    return f"{data[:60]!a} cannot be the data folder: {why}. Next: name another with --data"


def bad_sitting(asked: OpenSession) -> str:
    """Why no sitting can have these names and texts; "" if one can."""
    return (
        bad_task(asked.task)
        or bad_data(asked.data)
        or bad_text("operator", asked.operator)
        or bad_text("scene", asked.scene)
        or bad_text("override", asked.override)
        or bad_text("instruction", asked.instruction, LONGEST_TEXT)
    )
