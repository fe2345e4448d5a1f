"""An export from beginning to end: survey, plan, parts, tables, card, verify, and only then the name.

It is built in `.<name>.building` beside the place where it goes. Whatever dies, the same command finds there what was finished and goes
on; the dataset's own name appears in one rename, when it has been read back. Where a dataset has that name already, it stays until then.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from station.datasets import card, checksums, earlier
from station.datasets.choosing import Choice, Left, named_by
from station.datasets.conversion import Conversion
from station.datasets.engines.work import work
from station.datasets.formats.contract import Format, Made
from station.datasets.parts import PLAN_FILE, SCRATCH, PartFailed, format_named, formats, make_part, place_in
from station.datasets.plan import Plan, make_plan
from station.datasets.record import VERSION, Record, Run, holds, left_out, to_be_given_away, write_record, write_run
from station.datasets.selection import Selection
from station.datasets.source_files import Source
from station.datasets.survey import Surveyed, survey
from station.datasets.totals import totals
from station.datasets.verifying import pieces, verify_piece, verify_statistics, verify_structure
from station.errors import EpisodeError, UsageError
from station.files import durable
from station.version import station_version

Told = Callable[[str, int, int, int], None]
"""(what is being done, done, of how many, bytes of what is done; 0 where there is nothing to say)."""


class Engine(NamedTuple):
    """Where the work is done."""

    executors: Callable[[], Executor]
    workers: int


class Exported(NamedTuple):
    """What came of it."""

    plan: Plan
    left: tuple[Left, ...]
    linked: int = 0
    """Files of the dataset that was there already."""
    is_new: bool = True
    """Or nothing has come to what was there."""


class Surveying(NamedTuple):
    """One survey to make; a worker is given it."""

    folder: Path
    source: Source
    selection: Selection
    conversion: Conversion


def export(
    format_name: str,
    out: Path,
    selection: Selection,
    choice: Choice,
    conversion: Conversion,
    engine: Engine,
    told: Told,
) -> Exported:
    """Make the dataset `out`, go on making it, or add episodes to it. Raises UsageError for what cannot be, EpisodeError if it does not
    read back.
    """
    fmt = format_named(format_name)
    out = out.absolute()
    _check_held(fmt, conversion)
    began_s = time.monotonic()
    with _building(out) as building:
        before = earlier.record_of(out)
        known = earlier.surveys_of(before, selection, conversion.action)
        surveyed = _surveys(building, selection, conversion, choice.taken, known, engine, told)
        while True:
            plan = make_plan(format_name, selection, conversion, surveyed, fmt.by_episode)
            fmt.refuse(plan)
            if before is not None:
                earlier.refuse_another(out, before, plan)
                if holds(out, plan):
                    shutil.rmtree(building)
                    return Exported(plan, _left(choice, surveyed), is_new=False)
            folder = _begun(building, plan)
            made, failed = _parts(folder, out if before else None, fmt, plan, engine, told)
            if not failed:
                break  # else: plan anew without them, for every number behind theirs is another one
            failed_of = {plan.sources[place].source.path: why for place, why in failed.items()}
            surveyed = [
                msgspec.structs.replace(one, problem=failed_of[one.source.path])
                if one.source.path in failed_of
                else one
                for one in surveyed
            ]
        left = _left(choice, surveyed)
        _finish(folder, fmt, plan, made, left, out)
        at = tuple((one.source.path, one.source.modified_ns) for one in plan.sources)
        seconds = time.monotonic() - began_s
        write_run(folder / "out", Run(time.time_ns(), socket.gethostname(), engine.workers, seconds, at))
        findings = read_back(folder / "out", plan, engine, told)
        if findings:
            raise EpisodeError(
                f"{folder / 'out'} does not read back as its sources are: {findings[0]}"
                + (f" (and {len(findings) - 1} more)" if len(findings) > 1 else "")
                + ". Next: where it is pictures that video cannot hold, --video as-shot keeps them as they are; else report it. "
                "Nothing has the name of a dataset"
            )
        checksums.write(folder / "out", _sums(folder / "out", engine, told))
        linked = earlier.linked(folder / "out")
        earlier.put_in_place(folder / "out", out, building)
    shutil.rmtree(building)
    return Exported(plan, left, linked)


def _left(choice: Choice, surveyed: Sequence[Surveyed]) -> tuple[Left, ...]:
    """Those that were not chosen, and those that cannot be used."""
    return (*choice.left, *(Left(one.source, "cannot be used", one.problem) for one in surveyed if one.problem))


def _check_held(fmt: Format, conversion: Conversion) -> None:
    """Can the format hold such pictures and such numbers at all? Raises UsageError."""
    for option, asked, held in (("--video", conversion.video, fmt.videos), ("--space", conversion.space, fmt.spaces)):
        if asked not in held:
            raise UsageError(f"{fmt.name} does not hold {asked}. Next: {option} {' or '.join(held)}")
    if conversion.depth and not fmt.depth:
        holding = " or ".join(sorted(name for name, one in formats().items() if one.depth))
        raise UsageError(f"{fmt.name} does not hold depth without loss. Next: leave --depth out, or take {holding}")


def verify(folder: Path, plan: Plan, engine: Engine, told: Told) -> tuple[str, ...]:
    """Hold a dataset against its checksums and against the episodes: what is wrong with it, one sentence each."""
    changed = checksums.differences(folder, _sums(folder, engine, told))
    return tuple(dict.fromkeys([*changed, *read_back(folder, plan, engine, told)]))


def _sums(folder: Path, engine: Engine, told: Told) -> dict[str, str]:
    """Of every file. Raises EpisodeError."""
    found: dict[str, str] = {}
    items = checksums.batches(folder)
    size = 0
    for done, outcome in enumerate(work(engine.executors, engine.workers, checksums.sums_of, items), 1):
        if outcome.result is None:
            raise outcome.error or EpisodeError(f"{folder}: not hashed")
        size += sum((folder / name).stat().st_size for name, digest in outcome.result.items() if digest)
        told("hashing", done, len(items), size)
        found |= outcome.result
    return found


def read_back(folder: Path, plan: Plan, engine: Engine, told: Told) -> tuple[str, ...]:
    """Hold what a dataset's files say against the episodes: what is wrong with it, one sentence each."""
    findings = list(verify_structure(folder))
    verified = []
    items = pieces(folder, plan, engine.workers)
    for done, outcome in enumerate(work(engine.executors, engine.workers, verify_piece, items), 1):
        told("verifying", done, len(items), 0)
        if outcome.result is None:
            findings.append(str(outcome.error))
        else:
            verified.append(outcome.result)
            findings += outcome.result.findings
    return tuple(dict.fromkeys([*findings, *verify_statistics(folder, verified)]))


@contextmanager
def _building(out: Path) -> Iterator[Path]:
    """The folder that the dataset is built in, held against a second export to the same place."""
    building = out.with_name(f".{out.name}.building")
    try:
        building.mkdir(parents=True, exist_ok=True)
        fd = os.open(building, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{building}: {error.strerror}. Next: name a folder that can be written to") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        earlier.recover(out, building)
        yield building
    except BlockingIOError:
        raise UsageError(
            f"{out} is being exported by another process. Next: wait for it, or name another folder"
        ) from None
    finally:
        os.close(fd)


def _surveys(
    building: Path,
    selection: Selection,
    conversion: Conversion,
    sources: Sequence[Source],
    known: Mapping[tuple[str, int, int], Surveyed],
    engine: Engine,
    told: Told,
) -> list[Surveyed]:
    folder = building / "surveys"
    folder.mkdir(exist_ok=True)
    found = {
        source.path: msgspec.structs.replace(known[state], source=source)
        for source in sources
        if (state := earlier.state_of(source)) in known
    }
    items = [Surveying(folder, source, selection, conversion) for source in sources if source.path not in found]
    size = 0
    for done, outcome in enumerate(work(engine.executors, engine.workers, _survey, items), 1):
        size += outcome.item.source.size_bytes
        told("reading episodes", done, len(items), size)
        problem = Surveyed(outcome.item.source, problem=str(outcome.error))
        found[outcome.item.source.path] = problem if outcome.result is None else outcome.result
    return [found[source.path] for source in sources]


def _survey(item: Surveying) -> Surveyed:
    """Made once for a file as it is, and for what is asked of it."""
    selection = msgspec.structs.replace(
        item.selection, folders=("",), where={}, exclude=(), weights={}, split=type(item.selection.split)()
    )
    by_hand = tuple(
        (kept.from_s, kept.to_s) for kept in item.selection.trim.keep if named_by(item.source, kept.episode)
    )
    asked = msgspec.json.encode((item.source, selection, item.conversion.action, station_version()))
    kept_at = item.folder / f"{hashlib.sha256(asked).hexdigest()[:32]}.json"
    if kept_at.exists():
        return msgspec.json.decode(kept_at.read_bytes(), type=Surveyed)
    found = survey(item.source, selection, item.conversion.action, by_hand)
    if not found.problem:
        durable.replace(kept_at, msgspec.json.encode(found))
    return found


def _begun(building: Path, plan: Plan) -> Path:
    """The folder of this plan, and of no other: another selection or conversion begins anew."""
    content = msgspec.json.encode(plan)
    folder = building / hashlib.sha256(content + station_version().encode()).hexdigest()[:16]
    for other in building.iterdir():
        if other.name != "surveys" and other != folder:
            shutil.rmtree(other)
    for inner in (folder / SCRATCH, *place_in(folder)):
        inner.mkdir(parents=True, exist_ok=True)
    if not (folder / PLAN_FILE).exists():
        durable.replace(folder / PLAN_FILE, content)
    return folder


def _parts(
    folder: Path, before: Path | None, fmt: Format, plan: Plan, engine: Engine, told: Told
) -> tuple[list[Made], dict[int, str]]:
    """The parts in the plan's order, and the sources that cannot be exported with the reason."""
    items = list(fmt.parts(plan))
    made: dict[str, Made] = {}
    failed: dict[int, str] = {}
    make, size = partial(make_part, folder, before), 0
    for done, outcome in enumerate(work(engine.executors, engine.workers, make, items), 1):
        size += sum(outcome.result.files.values()) if outcome.result is not None else 0
        told("writing", done, len(items), size)
        if isinstance(outcome.error, PartFailed):
            failed[outcome.error.source] = str(outcome.error)
        elif outcome.error is not None:
            raise outcome.error
        elif outcome.result is not None:
            made[outcome.item.name] = outcome.result
    return ([] if failed else [made[item.name] for item in items]), failed


def _finish(folder: Path, fmt: Format, plan: Plan, made: Sequence[Made], left: tuple[Left, ...], out: Path) -> None:
    found = totals(plan, made, folder / SCRATCH)
    fmt.finish(plan, made, found, place_in(folder))
    record = Record(VERSION, station_version(), to_be_given_away(plan), left_out(left, plan.conversion), found)
    write_record(folder / "out", record)
    earlier.write_parts(folder / "out", plan, made)
    durable.replace(folder / "out" / "README.md", card.card(record, fmt, out).encode())
