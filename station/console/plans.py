"""A task's collection plan as a page sees it: what it says, how far it has come, what is next. Blocking; for a thread."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.borders.names import bad_task
from station.episodes import collection, collection_file
from station.episodes.collection import CollectionPlan
from station.errors import UsageError
from station.terminal.shown import shown

_decoder: Decoder[CollectionPlan] = Decoder("json", CollectionPlan)


def plan(data: Path, task: str) -> dict[str, Any]:
    """Of a task; `plan` is null where it has none. Raises UsageError for what is no task's name."""
    told: dict[str, Any] = {"task": task, "tasks": _tasks(data), "plan": None, "why": "", "text": ""}
    if not task:
        return told
    folder = _folder(data, task)
    try:
        found = collection_file.of_task(folder)
    except UsageError as error:
        return told | {"why": shown(str(error))}
    return told if found is None else told | _standing(found, folder)


def keep(data: Path, task: str, raw: bytes) -> str:
    """Make it the task's plan, or none where it is null; what was done. Raises UsageError."""
    folder = _folder(data, task)
    if raw == b"null":
        collection_file.remove(folder)
        return f"{task} has no plan any more"
    try:
        said = _decoder.decode(raw)
    except Undecodable as error:
        raise UsageError(f"the plan: {error}. Next: correct it, and keep it again") from error
    collection_file.keep(folder, collection_file.as_yaml(said))
    return f"{said.wanted} episodes of {task}"


def _standing(found: CollectionPlan, folder: Path) -> dict[str, Any]:
    episodes, uncounted = collection_file.counted(folder, sys.maxsize)
    tallies = collection.tallied(found, episodes)
    operators = found.operators or ("",)
    following = {operator: collection.following(found, tallies, operator) for operator in operators}
    return {
        "plan": msgspec.to_builtins(found), "text": collection_file.as_yaml(found), "uncounted": uncounted,
        "done": collection.done(found, tallies), "wanted": found.wanted,
        "rows": [{**one._asdict(), **tally._asdict()} for one, tally in tallies.items()],
        "next": [{"operator": operator, "staged": one._asdict() if one else None} for operator, one in following.items()],
    }  # fmt: skip


def _tasks(data: Path) -> list[dict[str, Any]]:
    """The folders of the data folder, and whether each has a plan."""
    folders = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    return [
        {"name": folder.name, "planned": (folder / collection_file.NAME).exists()}
        for folder in folders
        if not bad_task(folder.name)
    ]


def _folder(data: Path, task: str) -> Path:
    if why := bad_task(task):
        raise UsageError(why)
    return data / task
