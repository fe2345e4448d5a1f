"""What is known of an episode under one name each: what people said, what its file says of itself, what its quality card measured."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from station.clock import NS_PER_S
from station.episodes import layout
from station.episodes.catalogue import Episode
from station.episodes.intake import causes_of
from station.episodes.quality.facts import FACTS

Fact = bool | int | float | str | None


class Field(NamedTuple):
    """Something that episodes can be asked for by."""

    name: str
    type: str
    """bool, number, text or day."""
    what: str
    measured: bool = False
    """It is in the quality card."""


_HIDDEN = (
    "success",
    "rig_yaml",
    "devices",
    "calibration",
    "check_result",
    "kinematics",
    "quality",
    "compress",
    "clock",
    "start_ns",
    "start_wall_ns",
    "imported",
)
"""Attributes that are said otherwise (success: the labels file wins) or are no single value."""
_KINDS = {"bool": "bool", "int8": "number", "int64": "number", "float64": "number", "string": "text"}

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("success", "bool", "did it do the task, as the labels say; true, false or unset"),
        Field("note", "text", "what somebody wrote about it (the labels file)"),
        Field("rows", "number", "rows (ticks)"),
        Field("length_s", "number", "length, s"),
        Field("size_mb", "number", "size of the file, MB"),
        Field("day", "day", "the day it was recorded, UTC"),
        Field("early", "bool", "it ended by itself: a hold, a lost device"),
        Field("damaged", "bool", "its journal could not be read to its end"),
        Field("rollout", "bool", "a policy ran in it"),
        *(
            Field(entry.name, _KINDS[entry.type], entry.what)
            for entry in layout.ATTRIBUTES
            if entry.on == "/" and entry.type in _KINDS and entry.name not in _HIDDEN
        ),
        *(Field(name, "number", f"{fact.what} (its card)", True) for name, fact in FACTS.items()),
    )
}


def facts_of(episode: Episode) -> dict[str, Fact]:
    """Every field but those of the card; what nobody measured or said is left out. Task and instruction are what people said last."""
    causes = causes_of(episode)
    return {name: value for name, value in episode.attributes.items() if name in FIELDS} | {
        "success": episode.success, "note": episode.note, "rows": episode.rows, "length_s": episode.seconds,
        "size_mb": episode.size_bytes / 1e6, "day": _day(episode.recorded_ns) if episode.recorded_ns else "",
        "task": episode.task, "instruction": episode.instruction, "episode": episode.number,
        "early": "early" in causes, "damaged": "damaged" in causes, "rollout": "rollout" in causes,
    }  # fmt: skip


def _day(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).date().isoformat()
