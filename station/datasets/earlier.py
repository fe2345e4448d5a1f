"""A dataset that is there already, and is exported again with more episodes: what of it stays, and how the new one takes its place.

A file of pictures that would come out the same is a hard link to the one that is there (station/parts.json says what each was made of);
everything else is made as always. So the dataset is byte for byte that of an export of all its episodes at once. Formats whose files hold
more than pictures, or one file of everything, are made anew.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from station.borders.regular_file import read_regular
from station.datasets.formats.contract import Made, Part
from station.datasets.plan import Plan
from station.datasets.record import FOLDER, Record, read_record
from station.datasets.selection import Selection
from station.datasets.source_files import Source
from station.datasets.survey import Surveyed
from station.errors import UsageError
from station.files import durable
from station.files.exchange import exchange
from station.version import station_version

_PARTS = Path(FOLDER) / "parts.json"
_OUT = "out/"
"""Where a dataset's own files are while it is built."""
_AWAY = "before"
_LARGEST = 1 << 30
_SHOWN = 3


def record_of(out: Path) -> Record | None:
    """Of the dataset in that place; None where nothing is. Raises UsageError where something else is there."""
    if not os.path.lexists(out):
        return None
    if not (out / FOLDER / "dataset.json").exists():
        raise UsageError(f"{out} is there already, and is no dataset that was exported here. Next: name a new folder")
    return read_record(out)


def refuse_another(out: Path, before: Record, plan: Plan) -> None:
    """Raises UsageError where the plan is not what is there and more of it."""
    now, then = ({"format": one.format, **msgspec.to_builtins(one.conversion)} for one in (plan, before.plan))
    other = [f"{name} {then[name]} instead of {now[name]}" for name in now if now[name] != then[name]]
    if other:
        raise UsageError(f"{out} is there already, with {', '.join(other)}. Next: name a new folder")
    chosen = {source.source.identity for source in plan.sources}
    away = [one.source.name for one in before.plan.sources if one.source.identity not in chosen]
    if away:
        names = f"{', '.join(away[:_SHOWN])}{', …' if len(away) > _SHOWN else ''}"
        raise UsageError(
            f"{out} is there already, and has {len(away)} recordings that are not chosen now: {names}. "
            "Next: choose them too (--from may be given again), or name a new folder"
        )


def surveys_of(before: Record | None, selection: Selection, action: str) -> Mapping[tuple[str, int, int], Surveyed]:
    """What is known of the files that are as they were, by path, size and time: they are neither read nor hashed again."""
    if before is None or before.station_version != station_version():
        return {}
    then = before.plan.selection
    asked = (selection.sources, selection.trim, selection.shortest_s, action)
    if (then.sources, then.trim, then.shortest_s, before.plan.conversion.action) != asked:
        return {}
    return {state_of(one.source): one for one in before.plan.sources}


def state_of(source: Source) -> tuple[str, int, int]:
    """A file as it is."""
    return source.path, source.size_bytes, source.modified_ns


def write_parts(folder: Path, plan: Plan, made: Sequence[Made]) -> None:
    """Note what the files of pictures were made of. Raises OSError."""
    kept = {made_of(plan, one.part): one for one in made if _can_stay(one)}
    if kept:
        durable.replace(folder / _PARTS, msgspec.json.encode(kept))


def _can_stay(made: Made) -> bool:
    return made.part.kind == "pictures" and all(name.startswith(_OUT) for name in made.files)


def made_of(plan: Plan, part: Part) -> str:
    """A digest of all that a file of pictures depends on."""
    size, conversion = plan.size_of(part.camera), plan.conversion
    rows = [
        (plan.sources[one.source].sha256, plan.sources[one.source].tick_hz, one.index, one.first, one.end, one.length)
        for one in plan.of(part.shard)
    ]
    whole = (
        station_version(), plan.format, part, tuple(plan.cameras), conversion.crop_of(part.camera), size, conversion.video,
        conversion.action_at, plan.rate_hz, rows,
    )  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(whole)).hexdigest()


def found(before: Path, plan: Plan, part: Part) -> Made | None:
    """The part, if the dataset that is there has it as it would come out now."""
    if part.kind != "pictures" or not (before / _PARTS).is_file():
        return None
    made = _parts(before / _PARTS, (before / _PARTS).stat().st_mtime_ns).get(made_of(plan, part))
    if made is None:
        return None
    same = all(_size(before / name.removeprefix(_OUT)) == size for name, size in made.files.items())
    return made if same else None


def link(before: Path, made: Made, building: Path) -> bool:
    """Link its files into the dataset that is built. False where the file system has no such links: nothing is there then."""
    try:
        for name in made.files:
            (building / name).parent.mkdir(parents=True, exist_ok=True)
            (building / name).hardlink_to(before / name.removeprefix(_OUT))
            durable.sync((building / name).parent)
    except OSError:
        unlink(made, building)
        return False
    return True


def unlink(made: Made, building: Path) -> None:
    """Before a part is made again: its files may be those of another dataset, and nobody writes into these."""
    for name in made.files:
        (building / name).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() and not path.is_symlink() else -1


@lru_cache(maxsize=1)
def _parts(path: Path, modified_ns: int) -> dict[str, Made]:  # noqa: ARG001 (one that was written anew is read anew)
    try:
        return msgspec.json.decode(read_regular(path, _LARGEST), type=dict[str, Made])
    except (OSError, msgspec.MsgspecError):
        return {}  # then all is made anew


def linked(folder: Path) -> int:
    """How many of a dataset's files are another's as well."""
    return sum(path.stat().st_nlink > 1 for path in folder.rglob("*") if path.is_file())


def put_in_place(fresh: Path, out: Path, building: Path) -> None:
    """Give the finished dataset its name; what had it is in `building` then. Raises OSError.

    In one step where the file system can, so that one of the two has the name at any moment. Elsewhere nothing has it between two
    renames: killed there, `recover` brings back what was there, and the same command gives it to the new one again.
    """
    if os.path.lexists(out):
        if exchange(fresh, out):
            durable.sync(out.parent)
            durable.sync(fresh.parent)
            return
        out.rename(building / _AWAY)
        durable.sync(building)
    fresh.rename(out)
    durable.sync(out.parent)


def recover(out: Path, building: Path) -> None:
    """What was put away, and not followed by another. Raises OSError."""
    away = building / _AWAY
    if away.exists() and not os.path.lexists(out):
        away.rename(out)
        durable.sync(out.parent)
    elif away.exists():
        shutil.rmtree(away)
