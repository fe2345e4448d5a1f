"""`station episodes show`: what one episode is, in a few lines; everything that its file says of itself as JSON."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import h5py
import msgspec
import typer

from station.borders.regular_file import reason
from station.cli.episodes.told import File, console, existing, said, told
from station.clock import NS_PER_S
from station.episodes import catalogue, datasets, layout, picture, static_page
from station.episodes.cadence import Cadence, in_words, read_cadence
from station.episodes.catalogue import Episode, forms_in
from station.episodes.form import by_arm, drift
from station.episodes.marks import Mark, marks_in
from station.episodes.marks import in_words as marks_words
from station.episodes.quality import words
from station.episodes.quality.card import Card
from station.episodes.quality.page import page
from station.episodes.quality.store import card
from station.episodes.reading import attribute, reading
from station.errors import EpisodeError, UsageError
from station.terminal.screen import numbers
from station.terminal.told import JsonOption, tell

_LETTERS = 20_000
"""Told of one attribute; the longest of a large rig's episodes, its calibration, has half of it."""
_SHORT = 300
_AS_JSON = ("devices", "calibration", "check_result")


class Dataset(msgspec.Struct, frozen=True):
    """One of a file's datasets."""

    path: str
    type: str
    shape: tuple[int, ...]
    unit: str
    what: str
    """As the layout's table has them; "" for a stranger."""


class Shown(msgspec.Struct, frozen=True):
    """`show --json`."""

    episode: Episode
    cadence: Cadence
    attributes: dict[str, Any]
    """All of the file's; those that are JSON (calibration, check_result, devices) as what they say."""
    datasets: tuple[Dataset, ...]
    quality: Card | None
    """None where it cannot be measured."""
    marks: tuple[Mark, ...]


def show(
    file: File,
    pictures: Annotated[Path | None, typer.Option(help="Write contact sheet and joint plot into this folder.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write everything, with pictures and plots, into this one page.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What an episode is: who recorded it and how, what it is made of, its quality card. --json has all its attributes, too."""
    with told():
        episode = catalogue.read_episode(existing(file))
        report = read_cadence(file)
        measured, why_not = _measured(file)
        with reading(file) as opened:  # nothing is printed in here: a pipe that closes is no fault of the file's
            found = marks_in(opened)
            answer = Shown(episode, report, _attributes(opened), _datasets(opened), measured, tuple(found))
            lines = _lines(opened, episode, report, measured) | {"marks": marks_words(found)}
        if as_json:
            tell(answer)
        else:
            _tell(episode, lines)
            _tell_card(measured, why_not)
        if html is not None and measured is not None:
            static_page.write(html, page(file, _title(episode), lines, measured))
            console.print(str(html))
        if pictures is not None:
            for path in draw(file, pictures):
                console.print(str(path))
        if episode.problem:
            raise EpisodeError(episode.problem)


def draw(file: Path, folder: Path) -> list[Path]:
    """Contact sheet (where there are cameras) and joint plot of an episode, as PNGs in `folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: {reason(error)}. Next: name a folder that can be written to") from error
    drawn = [picture.joint_plot(file, folder / f"{file.stem}_joints.png")]
    with reading(file) as opened:
        cameras = len(attribute(opened, "camera_names"))
    return [picture.contact_sheet(file, folder / f"{file.stem}_cameras.png"), *drawn] if cameras else drawn


def _lines(file: h5py.File, episode: Episode, report: Cadence, measured: Card | None) -> dict[str, str]:
    return {
        "recorded": _recorded(file, episode),
        "instruction": episode.instruction,
        "scene": episode.scene,
        "note": episode.note,
        "policy": episode.policy,
        "made of": episode.form.in_words() if episode.form is not None else "",
        "vector": _vector(episode),
        "cameras": ", ".join(episode.form.cameras) if episode.form is not None else "",
        "controls": _controls(episode),
        "ended": "; ".join(filter(None, (episode.damage, episode.ended))) or "as asked",
        "marked": ", ".join(f"{name} {rows}" for name, rows in datasets.marked(file).items() if rows),
        "check": words.checked(measured) if measured is not None else "",
        "file": f"{episode.path}, {episode.size_bytes / 1e6:.0f} MB, layout {attribute(file, 'layout')}",
        "cadence": in_words(report),
    }


def _controls(episode: Episode) -> str:
    """Of its cameras, against the episode before it in its folder."""
    if episode.form is None or episode.number is None or not episode.form.controls:
        return ""
    there = [(number, form) for number, form in forms_in(episode.path.parent) if number < (episode.number or 0)]
    known = [(number, form) for number, form in sorted(there, key=lambda each: each[0]) if form.controls]
    if not known:
        return f"of {', '.join(episode.form.controls)} kept; no episode before to compare with"
    number, before = known[-1]
    return (
        "; ".join(drift(before, episode.form)) + f" (in episode {number})"
        if drift(before, episode.form)
        else f"as in episode {number}"
    )


def _title(episode: Episode) -> str:
    number = "without a number" if episode.number is None else f"episode {episode.number}"
    return _bounded(f"{episode.task}, {number}: {episode.seconds:.1f} s, success {said(episode.success)}")


def _measured(file: Path) -> tuple[Card | None, str]:
    try:
        return card(file), ""
    except EpisodeError as error:
        return None, str(error)


def _tell(episode: Episode, lines: dict[str, str]) -> None:
    console.print(_title(episode))
    width = max(map(len, lines))
    for name, line in lines.items():
        if line:
            console.print(f"{name:<{width}}  {_bounded(line)}")


def _tell_card(measured: Card | None, why_not: str) -> None:
    if measured is None:
        console.print(f"quality cannot be measured: {why_not}")
        return
    console.print(f"quality: {words.headline(measured)}")
    for each in (*(words.sentence(each, measured.tick_hz) for each in measured.findings), *measured.not_measured):
        console.print(f"  {_bounded(each)}")
    for head, rows in (
        (words.STREAMS, words.streams(measured)),
        (words.PICTURES, words.pictures(measured)),
        (words.ARMS, words.arms(measured)),
    ):
        table = numbers(head, head[:1])
        table.padding = (0, 1, 0, 0)
        table.columns[0].no_wrap = True
        for row in rows:
            table.add_row(*(cell[:_SHORT] for cell in row))
        if rows:
            console.print(table)
    console.print(words.stillness(measured))


def _bounded(words: str) -> str:
    """What is a million letters long would be set in lines for minutes."""
    return words if len(words) <= _SHORT else f"{words[:_SHORT]} … (cut here; --json has more)"


def _recorded(file: h5py.File, episode: Episode) -> str:
    by = f" by {episode.operator}" if episode.operator else ""
    if origin := _origin(episode):
        return f"not known when{by}; imported from {origin}, station {attribute(file, 'station_version')}"
    return f"{when(episode.recorded_ns)}{by}, station {attribute(file, 'station_version')}"


def _origin(episode: Episode) -> str:
    """What it was imported from; "" where a station recorded it."""
    try:
        return str(msgspec.json.decode(str(episode.attributes.get("imported") or "{}")).get("from", ""))
    except (msgspec.MsgspecError, AttributeError):
        return "something that the file does not say"


def when(wall_ns: int) -> str:
    """An instant of Unix time as this computer's wall clock shows it."""
    try:
        return datetime.fromtimestamp(wall_ns / NS_PER_S).isoformat(" ", "minutes")
    except (ValueError, OverflowError, OSError):  # no year that a calendar has
        return f"{wall_ns} ns"


def _vector(episode: Episode) -> str:
    """Joints by arm: `14: left waist, shoulder, …; right …`, units where they are not radians."""
    if episode.form is None:
        return ""
    dims = episode.form.dims
    return f"{len(dims)}: {by_arm(dim.removesuffix(' rad').removesuffix(' 1') for dim in dims)}"


def _attributes(file: h5py.File) -> dict[str, Any]:
    return {name[:_LETTERS]: _value(name, value) for name, value in file.attrs.items()}


def _value(name: str, value: Any) -> Any:
    if hasattr(value, "tolist") and value.ndim:
        return [str(one)[:_LETTERS] for one in value.ravel()[:_LETTERS]]
    if hasattr(value, "item"):
        return value.item()
    words = str(value)
    if name in _AS_JSON:
        try:
            return msgspec.json.decode(words)
        except (msgspec.MsgspecError, RecursionError):  # as the text that it is
            pass
    return words if len(words) <= _LETTERS else f"{words[:_LETTERS]} … (cut here)"


def _datasets(file: h5py.File) -> tuple[Dataset, ...]:
    found: list[Dataset] = []

    def note(name: str, item: Any) -> None:
        if hasattr(item, "dtype"):
            entry = next(iter(layout.entries_of(f"/{name}")), None)
            about = (entry.unit, entry.what) if entry is not None else ("", "")
            found.append(Dataset(f"/{name}"[:_LETTERS], str(item.dtype)[:_LETTERS], tuple(item.shape), *about))

    file.visititems(note)
    return tuple(found)
