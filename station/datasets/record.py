"""What a dataset says of itself, in its folder `station/`: whatever its format, and whatever its own files can hold.

dataset.json     the plan: every source with its sha256, every episode with its rows, the conversion; what was left out and why
selection.yaml   the selection that was exported
marks.json       what was marked while it was recorded: episode, frame, time, name; no such file where nothing was
parts.json       what each file of pictures was made of, and its statistics: a later export with more episodes links those that stay
SHA256SUMS       every file's but this one's, run.json's and README.md's (`checksums.py`)
run.json         when, where, with how many workers, and where the sources lay: the one file that two exports of the same differ in

Operators are people: without being asked for, neither their names nor what somebody noted about an episode leaves with the dataset.
"""

from collections import Counter
from pathlib import Path

import msgspec

from station.borders.regular_file import read_regular, reason
from station.datasets.choosing import Left
from station.datasets.conversion import Conversion
from station.datasets.formats.contract import Totals
from station.datasets.marks import marked_frames
from station.datasets.plan import Plan
from station.datasets.selection import as_yaml
from station.datasets.source_files import Source
from station.errors import EpisodeError
from station.files import durable
from station.version import station_version

FOLDER = "station"
VERSION = 1
_LARGEST = 1 << 30


class LeftOut(msgspec.Struct, frozen=True):
    """An episode that is not in the dataset."""

    episode: str
    kind: str
    reason: str


class Record(msgspec.Struct, frozen=True):
    """dataset.json."""

    version: int
    station_version: str
    plan: Plan
    left_out: tuple[LeftOut, ...]
    statistics: Totals


class Run(msgspec.Struct, frozen=True):
    """run.json."""

    made_wall_ns: int
    host: str
    workers: int
    seconds: float
    sources: tuple[tuple[str, int], ...]
    """(path, modified_ns) of each."""


def to_be_given_away(plan: Plan) -> Plan:
    """The plan without this computer's paths and, unless they were asked for, without names of operators and without notes."""
    counts = Counter(str(source.source.facts.get("operator") or "") for source in plan.sources)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    names = {name: name if plan.conversion.operators else f"operator {place}" for place, name in enumerate(ranked, 1)}

    def shown(source: Source) -> Source:
        facts = dict(source.facts)
        if not plan.conversion.operators:
            facts["note"] = ""
        facts["operator"] = names[str(facts.get("operator") or "")]
        return msgspec.structs.replace(source, path=source.name, modified_ns=0, facts=facts)

    sources = tuple(msgspec.structs.replace(one, source=shown(one.source)) for one in plan.sources)
    where = dict(plan.selection.where)
    if "operator" in where and not plan.conversion.operators:
        asked = where["operator"]
        where["operator"] = tuple(
            names.get(str(name), "another") for name in (asked if isinstance(asked, tuple) else (asked,))
        )
    return msgspec.structs.replace(
        plan, sources=sources, selection=msgspec.structs.replace(plan.selection, where=where)
    )


def left_out(left: tuple[Left, ...], conversion: Conversion) -> tuple[LeftOut, ...]:
    """As the record has it: without this computer's paths, and without an operator's name that was not asked for."""
    found = []
    for one in left:
        kind, why = one.kind, one.detail.replace(one.source.path, one.source.name)
        if kind.startswith("operator ") and not conversion.operators:
            kind, why = "another operator", ""
        found.append(LeftOut(one.source.name, kind, why))
    return tuple(found)


def write_record(folder: Path, record: Record) -> None:
    """Write dataset.json, selection.yaml and, if there are any, marks.json. Raises OSError."""
    (folder / FOLDER).mkdir(exist_ok=True)
    durable.replace(folder / FOLDER / "dataset.json", msgspec.json.format(msgspec.json.encode(record)) + b"\n")
    durable.replace(folder / FOLDER / "selection.yaml", as_yaml(record.plan.selection).encode())
    if marks := list(marked_frames(record.plan)):
        durable.replace(folder / FOLDER / "marks.json", msgspec.json.format(msgspec.json.encode(marks)) + b"\n")


def write_run(folder: Path, run: Run) -> None:
    """Write run.json. Raises OSError."""
    durable.replace(folder / FOLDER / "run.json", msgspec.json.format(msgspec.json.encode(run)) + b"\n")


def holds(folder: Path, plan: Plan) -> bool:
    """Was the dataset made by this very plan, by this version? Raises EpisodeError, OSError."""
    path = folder / FOLDER / "dataset.json"
    record = read_record(folder)  # which says what is wrong with the file
    then = msgspec.json.decode(read_regular(path, _LARGEST), type=Record).plan
    same = msgspec.json.encode(then) == msgspec.json.encode(to_be_given_away(plan))
    return same and record.station_version == station_version()


def read_record(folder: Path) -> Record:
    """dataset.json. Raises EpisodeError."""
    path = folder / FOLDER / "dataset.json"
    try:
        record = msgspec.json.decode(read_regular(path, _LARGEST), type=Record)
    except (OSError, msgspec.MsgspecError) as error:
        raise EpisodeError(
            f"{path}: not the record of a dataset that was exported here: {reason(error)}. "
            "Next: name the folder that `station dataset export` made"
        ) from error
    run = folder / FOLDER / "run.json"
    at: tuple[tuple[str, int], ...] = ()
    try:
        at = msgspec.json.decode(read_regular(run, _LARGEST), type=Run).sources
    except FileNotFoundError:
        pass  # it was given away without
    except (OSError, msgspec.MsgspecError) as error:
        raise EpisodeError(f"{run}: cannot be read: {reason(error)}. Next: move it away") from error
    if record.version > VERSION:
        raise EpisodeError(
            f"{path} is of version {record.version}, this station reads up to {VERSION}. Next: update the station"
        )
    if len(at) != len(record.plan.sources):
        return record
    sources = tuple(
        msgspec.structs.replace(one, source=msgspec.structs.replace(one.source, path=path, modified_ns=modified_ns))
        for one, (path, modified_ns) in zip(record.plan.sources, at, strict=True)
    )
    return msgspec.structs.replace(record, plan=msgspec.structs.replace(record.plan, sources=sources))
