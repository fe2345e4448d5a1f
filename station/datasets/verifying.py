"""Reads a dataset back and holds it against its sources, as a stranger would read it: findings, one sentence each.

Everything is compared: totals and positions, each row's numbers bit for bit, each row's task text, statistics. Of pictures, of each
episode and camera: the first, the last, that of the fastest motion and some in between where the picture changes. A picture must be
nearest to its own row's of all pictures around, so that one that is shifted by a frame is found however good it looks; where no single
picture tells it from its neighbours, the sum over many may (`alignment`).
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from station.datasets.alignment import shifts
from station.datasets.conversion import Video
from station.datasets.converted import converted, opened
from station.datasets.depth_streams import camera_of
from station.datasets.formats.contract import ReadBack
from station.datasets.marks import subtask_of_frames
from station.datasets.parts import format_named
from station.datasets.picture_distance import decibels, mean_square, means
from station.datasets.picture_rows import RGB, DepthRows, PictureRows
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.record import FOLDER, read_record
from station.datasets.statistics import QUANTILES, Statistics, columns
from station.errors import EpisodeError

WORST_DB = 30.0
"""A picture that is further from its source is told; of a picture that is right, H.264 as it is set here leaves 36 and more."""
_LOSSLESS: Sequence[Video] = ("as-shot", "raw")
_PICTURES = 4
"""Looked at in each episode and camera, besides that of the fastest motion."""
_PIECES_A_WORKER = 4
"""Of a small dataset, that all of them have something to do to the end."""
_AROUND = 3
"""Different pictures before and after, which must be further away."""
_ALIKE = 1.0
"""Mean square, of grey levels, between two pictures that are one, coded twice: what was imported from a video has such rows."""
_OTHERS = 0.5
"""Share of what two rows' pictures are apart. A frame that shows the other row's, coded, is further from its own by all of that; one that
shows its own is nearer to it by as much, or further by a little where an encoder puts off part of a small change until its next key frame
(0.2 was seen, at 40 dB).
"""
_COLOUR_LEVELS = 6.0
"""By so much the mean of a channel may differ."""


class PieceToVerify(NamedTuple):
    """One piece of the work: consecutive episodes."""

    folder: Path
    first: int
    end: int


class PieceVerified(NamedTuple):
    """What was found, and sums that the whole set's statistics are held against."""

    findings: tuple[str, ...]
    sums: dict[str, "Sums"]
    levels: dict[str, tuple[float, int]]
    """Camera → sum of the mean levels (0…1) of the pictures looked at, and how many."""


class Sums(NamedTuple):
    """Of one feature's values (N, D): they add up over pieces."""

    frames: int
    low: list[float]
    high: list[float]
    total: list[float]
    squares: list[float]
    """About `centre`."""
    below: list[list[int]]
    """Values at or under each claimed quantile, and strictly under it: by quantile, (D,) each, one behind the other."""


def verify_structure(folder: Path) -> tuple[str, ...]:
    """What is wrong with the files by themselves, and with the record beside them."""
    findings: list[str] = []
    try:
        plan = read_record(folder).plan
        read = format_named(plan.format).open(folder)
        findings.extend(read.structure())
        lengths = [episode.length for episode in plan.episodes]
        if list(read.lengths()) != lengths:
            findings.append(f"its episodes have {_short(read.lengths())} frames, by the record {_short(lengths)}")
    except EpisodeError as error:
        findings.append(str(error))
    return tuple(findings)


def pieces(folder: Path, plan: Plan, workers: int) -> list[PieceToVerify]:
    """The work: a shard each, and where these are few more of them, so that no worker waits for the last one long."""
    longest = max(1, -(-len(plan.episodes) // max(1, _PIECES_A_WORKER * workers)))
    return [
        PieceToVerify(folder, first, min(first + longest, shard.end))
        for shard in plan.shards
        for first in range(shard.first, shard.end, longest)
    ]


def verify_piece(work: PieceToVerify) -> PieceVerified:
    """Hold its episodes against their sources."""
    plan = _plan(work.folder, (work.folder / FOLDER / "dataset.json").stat().st_mtime_ns)
    try:
        read = format_named(plan.format).open(work.folder)
        stats = read.statistics()
    except EpisodeError as error:
        return PieceVerified((str(error),), {}, {})
    findings: list[str] = []
    numbers: dict[str, list[NDArray[Any]]] = {}
    levels: dict[str, tuple[float, int]] = {}
    for episode in plan.episodes[work.first : work.end]:
        try:
            findings += _episode(plan, read, episode, numbers, levels)
        except EpisodeError as error:
            findings.append(f"episode {episode.index}: {error}")
    sums = {name: _sums(np.concatenate(values), stats[name]) for name, values in numbers.items() if name in stats}
    return PieceVerified(tuple(findings), sums, levels)


@lru_cache(maxsize=1)
def _plan(folder: Path, modified_ns: int) -> Plan:  # noqa: ARG001 (a record that was written anew is read anew)
    return read_record(folder).plan


def verify_statistics(folder: Path, verified: Sequence[PieceVerified]) -> tuple[str, ...]:
    """Hold the format's own statistics against what was read."""
    try:
        stats = format_named(read_record(folder).plan.format).open(folder).statistics()
    except EpisodeError as error:
        return (str(error),)
    findings: list[str] = []
    for name in {name for piece in verified for name in piece.sums}:
        findings += _hold(name, stats[name], [piece.sums[name] for piece in verified if name in piece.sums])
    for camera in {name for piece in verified for name in piece.levels}:
        total, count = (
            sum(piece.levels[camera][place] for piece in verified if camera in piece.levels) for place in (0, 1)
        )
        claimed = float(np.mean(stats[camera].mean)) if camera in stats else None
        if claimed is not None and not abs(claimed - total / count) < 0.15:
            findings.append(
                f"statistics of {camera}: the mean is said to be {claimed:.3f}, pictures looked at have {total / count:.3f}"
            )
    return tuple(sorted(findings))


def _episode(
    plan: Plan,
    read: ReadBack,
    episode: PlannedEpisode,
    numbers: dict[str, list[NDArray[Any]]],
    levels: dict[str, tuple[float, int]],
) -> Iterator[str]:
    _check_source(plan, episode)
    with opened(plan, episode) as file:
        expected = converted(plan, episode, file)._asdict()
        if plan.subtasks:
            expected["subtask_index"] = subtask_of_frames(plan, episode)
        for name, values in read.numbers(episode.index).items():
            numbers.setdefault(name, []).append(values)
            if name in expected and not _same(values, expected[name]):
                yield f"episode {episode.index}: {name} is not its source's{_where(values, expected[name])}"
        texts = set(read.instructions(episode.index))
        if texts - {episode.instruction}:
            wrong = sorted(texts - {episode.instruction})[0]
            yield f"episode {episode.index}: the task's text is {wrong!r}, its source's is {episode.instruction!r}"
        right = {"validation": episode.validation, "success": episode.success is True}
        for name, value in read.said(episode.index).items():
            if value != right[name]:
                yield f"episode {episode.index}: {name} is {value}, by the record it is {right[name]}"
        for what, told in _pictures(plan, read, episode, file, expected["state"], levels):
            yield f"episode {episode.index}: {what}: {told}"


def _pictures(
    plan: Plan,
    read: ReadBack,
    episode: PlannedEpisode,
    file: h5py.File,
    state: NDArray[np.float32],
    levels: dict[str, tuple[float, int]],
) -> Iterator[tuple[str, str]]:
    """Which of its pictures, and what is wrong with it."""
    rows = plan.frames_of(episode).rows
    for camera in plan.cameras:
        pictures = PictureRows(file, camera, plan.conversion.crop_of(camera))
        frames = frames_to_look_at(pictures, rows, state, episode.index)
        for frame, found in zip(frames, read.pictures(episode.index, camera, frames), strict=True):
            told, level = judge_picture(pictures, rows, frame, found, plan.conversion.video in _LOSSLESS)
            total, count = levels.get(camera, (0.0, 0))
            levels[camera] = total + level, count + 1
            if told:
                yield f"{camera}, frame {frame}", told
        if plan.conversion.video not in _LOSSLESS:
            for told in shifts(pictures, rows, partial(read.pictures, episode.index, camera)):
                yield f"{camera}'s pictures", told
    for stream in plan.depths:
        depths = DepthRows(file, camera_of(stream))
        frames = frames_to_look_at(depths, rows, state, episode.index)
        for frame, found in zip(frames, read.pictures(episode.index, stream, frames), strict=True):
            if found != depths.stored(int(rows[frame])):
                yield f"{stream}, frame {frame}", "its depth is not its row's"


def _check_source(plan: Plan, episode: PlannedEpisode) -> None:
    """Is it the file that was exported? Raises EpisodeError."""
    source = plan.sources[episode.source]
    path = Path(source.source.path)
    try:
        at = path.stat()
        if (at.st_size, at.st_mtime_ns) == (source.source.size_bytes, source.source.modified_ns):
            return
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == source.sha256
    except OSError as error:
        raise EpisodeError(f"its source cannot be compared: {path}: {error.strerror}. Next: bring it back") from error
    if not same:
        raise EpisodeError(f"its source {path} is another file now than when it was exported. Next: export again")


def _same(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    return found.shape == expected.shape and found.dtype == expected.dtype and bool((~_differ(found, expected)).all())


def _where(found: NDArray[Any], expected: NDArray[Any]) -> str:
    if found.shape != expected.shape:
        return f": {found.shape} instead of {expected.shape}"
    if found.dtype != expected.dtype:
        return f": {found.dtype} instead of {expected.dtype}"
    different = _differ(found, expected).reshape(len(found), -1).any(axis=1)
    return f" in {different.sum()} of {len(found)} frames, from frame {int(np.argmax(different))} on"


def _differ(found: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.bool_]:
    """What is not known (of an imported recording) is the same as what is not known."""
    unknown = np.isnan(expected) & np.isnan(found) if expected.dtype.kind == found.dtype.kind == "f" else False
    return np.asarray((found != expected) & ~np.asarray(unknown))


def frames_to_look_at(
    pictures: PictureRows, rows: NDArray[np.int64], state: NDArray[np.float32], seed: int
) -> list[int]:
    """The first, the last, and frames at which the picture is another than the frame before: one where the arms move fastest, for there
    neighbours differ most, the others drawn.
    """
    frames = {0, len(rows) - 1}
    moved = np.abs(np.diff(np.nan_to_num(state), axis=0)).sum(axis=1)
    fastest = [int(np.argmax(moved)) + 1] if len(moved) else []
    for frame in [*fastest, *np.random.default_rng(seed).integers(0, len(rows), _PICTURES - 2).tolist()]:
        while frame and pictures.stored(int(rows[frame])) == pictures.stored(int(rows[frame - 1])):
            frame -= 1
        frames.add(frame)
    return sorted(frames)


def judge_picture(
    pictures: PictureRows, rows: NDArray[np.int64], frame: int, found: RGB | bytes, lossless: bool
) -> tuple[str, float]:
    """What is wrong with it, and its mean level."""
    own = pictures.stored(int(rows[frame]))
    if isinstance(found, bytes):
        return ("" if found == own else "the JPEG is not its row's"), float(
            pictures.thumbnail(int(rows[frame]), own).mean()
        ) / 255
    height, width = found.shape[:2]
    expected = pictures.sized(int(rows[frame]), width, height)
    error = mean_square(found, expected)
    colours = means(found)
    level = sum(colours) / 3 / 255
    if error and lossless:
        return "its pixels are not its row's", level
    if decibels(error) < WORST_DB:
        return f"{decibels(error):.1f} dB from its row's picture, at least {WORST_DB:g} are expected", level
    shift = max(abs(is_so - should) for is_so, should in zip(colours, means(expected), strict=True))
    if shift > _COLOUR_LEVELS:
        return f"colours differ from its row's by {shift:.1f} levels in the mean", level
    for other in _around(pictures, rows, frame, own):
        shown = pictures.sized(other, width, height)
        apart = mean_square(shown, expected)
        if apart > _ALIKE and error - mean_square(found, shown) > _OTHERS * apart:
            return f"it is nearer to row {other}'s picture than to its own row's, {int(rows[frame])}", level
    return "", level


def _around(pictures: PictureRows, rows: NDArray[np.int64], frame: int, own: bytes) -> Iterator[int]:
    """Rows of the nearest frames before and after that show another picture."""
    for step in (-1, 1):
        seen, place = [own], frame + step
        while 0 <= place < len(rows) and len(seen) <= _AROUND:
            stored = pictures.stored(int(rows[place]))
            if stored not in seen:
                seen.append(stored)
                yield int(rows[place])
            place += step


def _sums(values: NDArray[Any], claimed: Statistics) -> Sums:
    table = columns(values)
    below = []
    for quantile in claimed.quantiles:
        below += [(table <= quantile).sum(axis=0).tolist(), (table < quantile).sum(axis=0).tolist()]
    centred = table - np.asarray(claimed.mean)
    return Sums(
        len(table), table.min(axis=0).tolist(), table.max(axis=0).tolist(), centred.sum(axis=0).tolist(),
        (centred**2).sum(axis=0).tolist(), below,
    )  # fmt: skip


def _hold(name: str, claimed: Statistics, sums: Sequence[Sums]) -> Iterator[str]:
    count = sum(one.frames for one in sums)
    low, high = np.min([one.low for one in sums], axis=0), np.max([one.high for one in sums], axis=0)
    scale = np.maximum(np.abs(low), np.abs(high)) + 1e-9
    shift = np.sum([one.total for one in sums], axis=0) / count
    std = np.sqrt(np.maximum(np.sum([one.squares for one in sums], axis=0) / count - shift**2, 0))
    if claimed.count != count:
        yield f"statistics of {name}: of {claimed.count} frames, there are {count}"
    for what, difference in (
        ("min", np.abs(low - claimed.min)), ("max", np.abs(high - claimed.max)), ("mean", np.abs(shift)),
        ("std", np.abs(std - claimed.std)),
    ):  # fmt: skip
        if not (difference <= 1e-6 * scale).all():
            yield f"statistics of {name}: {what} is wrong by {difference.max():g}"
    for place, share in enumerate(QUANTILES):
        at, under = (np.sum([one.below[2 * place + which] for one in sums], axis=0) for which in (0, 1))
        rank = share * (count - 1)
        asked = ~np.isnan(claimed.quantiles[place])  # a format need not have them all
        if not ((at >= rank - 1) & (under <= rank + 1))[asked].all():
            yield f"statistics of {name}: q{round(100 * share):02d} is no {100 * share:g}th percentile of its values"


def _short(values: Sequence[int]) -> str:
    return ", ".join(map(str, values[:10])) + (", …" if len(values) > 10 else "")
