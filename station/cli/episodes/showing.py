"""`station episodes show`: what one episode is, in a few lines; everything that its file says of itself as JSON."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import h5py
import msgspec
import typer

from station.borders.regular_file import reason
from station.cli.episodes.answers import Dataset, Shown, print_json
from station.cli.episodes.told import File, Json, console, existing, said, told
from station.clock import NS_PER_S
from station.episodes import catalogue, picture
from station.episodes.cadence import Cadence, in_words, read_cadence
from station.episodes.catalogue import Episode
from station.episodes.reading import attribute, reading
from station.errors import EpisodeError, UsageError
from station.files.check_results import SessionCheck
from station.terminal.screen import numbers

_LETTERS = 20_000
"""Told of one attribute; the longest of a large rig's episodes, its calibration, has half of it."""
_SHORT = 300
_AS_JSON = ("devices", "calibration", "check_result")


def show(
    file: File,
    pictures: Annotated[Path | None, typer.Option(help="Write contact sheet and joint plot into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """What an episode is: how it was recorded and by whom, what it is made of, how regular it is. --json has all its attributes."""
    with told():
        episode = catalogue.read_episode(existing(file))
        report = read_cadence(file)
        with reading(file) as opened:  # nothing is printed in here: a pipe that closes is no fault of the file's
            answer = Shown(episode, report, _attributes(opened), _datasets(opened))
            lines = _lines(opened, episode, report)
        if as_json:
            print_json(answer)
        else:
            _tell(episode, report, lines)
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


def _lines(file: h5py.File, episode: Episode, report: Cadence) -> dict[str, str]:
    return {
        "recorded": _recorded(file, episode),
        "instruction": episode.instruction,
        "scene": episode.scene,
        "note": episode.note,
        "policy": episode.policy,
        "made of": episode.form.in_words() if episode.form is not None else "",
        "vector": _vector(episode),
        "cameras": ", ".join(episode.form.cameras) if episode.form is not None else "",
        "ended": "; ".join(filter(None, (episode.damage, episode.ended))) or "as asked",
        "check": _check(file, episode),
        "file": f"{episode.path}, {episode.size_bytes / 1e6:.0f} MB, layout {attribute(file, 'layout')}",
        "cadence": in_words(report),
    }


def _tell(episode: Episode, report: Cadence, lines: dict[str, str]) -> None:
    number = "without a number" if episode.number is None else f"episode {episode.number}"
    console.print(_bounded(f"{episode.task}, {number}: {episode.seconds:.1f} s, success {said(episode.success)}"))
    width = max(map(len, lines))
    for name, words in lines.items():
        if words:
            console.print(f"{name:<{width}}  {_bounded(words)}")
    table = numbers(("stream", "age p50 ms", "age p99 ms", "new %", "lost"), ("stream",))
    table.padding = (0, 1, 0, 0)
    for name, stream in report.streams.items():
        ages = (f"{stream.age_p50_ms:.1f}", f"{stream.age_p99_ms:.1f}")
        table.add_row(name[:_SHORT], *ages, f"{100 * stream.new_share:.0f}", str(stream.lost))
    console.print(table)


def _bounded(words: str) -> str:
    """What is a million letters long would be set in lines for minutes."""
    return words if len(words) <= _SHORT else f"{words[:_SHORT]} … (cut here; --json has more)"


def _recorded(file: h5py.File, episode: Episode) -> str:
    by = f" by {episode.operator}" if episode.operator else ""
    return f"{when(episode.recorded_ns)}{by}, station {attribute(file, 'station_version')}"


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
    arms: dict[str, list[str]] = {}
    for dim in episode.form.dims:
        arm, _, joint = dim.removesuffix(" rad").removesuffix(" 1").partition("_")
        arms.setdefault(arm, []).append(joint)
    return f"{len(episode.form.dims)}: " + "; ".join(f"{arm} {', '.join(joints)}" for arm, joints in arms.items())


def _check(file: h5py.File, episode: Episode) -> str:
    """The check that opened the session, and how old it was."""
    text = str(attribute(file, "check_result"))
    if not text:
        return "none"
    try:
        check = msgspec.json.decode(text, type=SessionCheck)
    except (msgspec.MsgspecError, RecursionError):
        return "not to be read"
    hours = (episode.recorded_ns / NS_PER_S - check.at_s) / 3600
    doubtful = [finding for finding in check.findings if finding.verdict != "pass"]
    words = [f"{check.verdict}, {hours:.1f} h before", f"overridden: {check.override}" if check.override else ""]
    words += [f"{finding.device}: {finding.name}" for finding in doubtful]
    return "; ".join(filter(None, words))


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
            found.append(Dataset(f"/{name}"[:_LETTERS], str(item.dtype)[:_LETTERS], tuple(item.shape)))

    file.visititems(note)
    return tuple(found)
