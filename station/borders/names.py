"""What people may call things: a task's name becomes a folder, other texts go into every file. Pure."""

from pathlib import Path

LONGEST_TASK_BYTES = 100
"""Ext4's names hold 255; a data set's, an archive's or an encrypted home's fewer."""
LONGEST_LINE, LONGEST_TEXT = 200, 4000
"""Characters of what stands in one line (operator, scene), and of what may be a paragraph (an instruction, a note)."""
_RESERVED = (".hdf5", ".deleted", ".json", ".part", ".mcap", ".damaged", ".tmp", ".new")
"""How the names of an episode's files end: a folder called like one would be taken for it."""
_EXAMPLE = "Next: a short name such as pick_cube"


def bad_task(task: str) -> str:
    """Why a task cannot be called that; "" if it can."""
    why = _bad_name(task)
    return f"a task cannot be called {task[:60]!a}: {why}. {_EXAMPLE}" if why else ""


def _bad_name(name: str) -> str:
    if not name.strip():
        return "it has no name"
    if not encodes(name):
        return "it has bytes that are no text (UTF-8)"
    if len(name.encode()) > LONGEST_TASK_BYTES:
        return f"it has {len(name.encode())} bytes, its folder's name may have {LONGEST_TASK_BYTES}"
    if "/" in name or "\\" in name:
        return "its episodes go to a folder of that name in the data folder, and a slash leads out of it"
    if not name.isprintable():
        return "it has characters that cannot be seen (a line's end, NUL, control characters)"
    if name != name.strip():
        return "it begins or ends with a space"
    if name[0] in ".-~":
        return f"a name that begins with {name[0]} is hidden, an option or somebody's home to other programs"
    if name.lower().endswith(_RESERVED):
        return f"names that end in {Path(name).suffix} are those of an episode's files"
    return ""


def bad_text(what: str, text: str, longest: int = LONGEST_LINE) -> str:
    """Why `text` cannot be kept as an operator, a scene, an instruction, a note; "" if it can."""
    if not encodes(text):
        return f"the {what} has bytes that are no text (UTF-8). Next: write it again"
    if len(text) > longest:
        return f"the {what} has {len(text)} characters, at most {longest} are kept. Next: shorten it"
    lines = text.split("\n") if longest == LONGEST_TEXT else [text]
    if not all(line.replace("\t", " ").isprintable() for line in lines):
        return f"the {what} has characters that cannot be seen. Next: write it without control characters"
    return ""


def encodes(text: str) -> bool:
    """Has it bytes that are text (UTF-8)?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
