"""`station episodes …`: what was recorded, and whether it is whole.

A file that is wrong gets its own line, and never keeps the others from being listed. What a command leaves out it says, and exits 1.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import h5py
import msgspec
import typer
from rich.table import Column, Table

from station.borders.regular_file import reason
from station.episodes import catalogue, naming, picture
from station.episodes.cadence import Cadence, in_words, read_cadence
from station.episodes.catalogue import Episode
from station.episodes.labels import Labels, change_labels, read_labels
from station.episodes.reading import attribute, reading
from station.episodes.recover import recover as recover_journals
from station.episodes.verify import verify as findings_of
from station.errors import EpisodeError, StationError, UsageError
from station.terminal.screen import PlainConsole, numbers

app = typer.Typer(no_args_is_help=True, help="List, check, label and hand out recorded episodes.")
_console = PlainConsole()

COLUMNS = ("task", "n", "rows", "seconds", "success", "late", "lost", "stale", "MB", "operator")
_LETTERS = 20_000
"""Shown of one attribute; the longest that is shown of a large rig's episodes, its calibration, has half of it."""
DEFAULT_DATA = Path("~/station-data").expanduser()
Data = Annotated[Path, typer.Argument(help="A data folder or one task's folder.")]
File = Annotated[Path, typer.Argument(help="An episode_<n>.hdf5.")]


@app.command("ls")
def list_episodes(data: Data = DEFAULT_DATA, task: Annotated[str, typer.Option(help="Only this task.")] = "") -> None:
    """What is in a data folder."""
    with _told():
        found = catalogue.episodes(data, task)
        table = numbers(COLUMNS, ("task", "success", "operator"))
        for episode in found:
            table.add_row(*_line(episode))
        _console.print(table)
        for episode in found:
            if remarks := _remarks(episode):
                _console.print(f"{episode.task} {_number(episode)}: {remarks}")
        wrong = [episode for episode in found if episode.problem]
        _console.print(f"{len(found)} episodes{_beside(data)}")
        for episode in wrong:
            _console.print(f"  {episode.problem}")
        if wrong:
            raise EpisodeError(
                f"{len(wrong)} of {len(found)} cannot be read, or are not what their names say: see the lines above"
            )


@app.command()
def show(
    file: File,
    pictures: Annotated[Path | None, typer.Option(help="Write contact sheet and joint plot into this folder.")] = None,
) -> None:
    """Everything a file says of itself."""
    with _told():
        with reading(_episode(file)) as opened:
            _show(opened)
        _show_cadence(read_cadence(file))
        episode = catalogue.read_episode(file)
        if not episode.problem and read_labels(file) is not None:
            _console.print(f"labels: success {_said(episode.success)}, note {episode.note!r}")
        if pictures is not None:
            for path in draw(file, pictures):
                _console.print(str(path))
        if episode.problem:
            raise EpisodeError(episode.problem)


@app.command()
def verify(paths: Annotated[list[Path], typer.Argument(help="Episodes, or folders of them.")]) -> None:
    """Hold episodes against the layout, decode every picture, compare labels; exit 1 if one is not whole."""
    with _told():
        files = [file for path in paths for file in _files(path)]
        bad = 0
        for file in files:
            findings = findings_of(file, decode=True)
            problem = catalogue.read_episode(file).problem.removeprefix(f"{file}: ")
            findings = findings or ([problem] if problem else [])
            bad += bool(findings)
            _console.print(f"{file}: {'whole' if not findings else ''}")
            for finding in findings:
                _console.print(f"  {finding}")
        if bad:
            raise EpisodeError(f"{bad} of {len(files)} are not whole")


@app.command()
def recover(data: Data = DEFAULT_DATA) -> None:
    """Save every journal that was left; exit 1 if one could not be saved whole. Nothing that holds a byte is deleted."""
    with _told():
        if not data.is_dir():
            raise UsageError(f"{data}: no such folder")
        done = []
        for result in recover_journals(data):
            done.append(result)
            what = f"{result.rows} rows in {result.episode}" if result.episode else ""
            detail = result.detail.removeprefix(f"{result.part}: ")
            _console.print(
                f"{result.part}: {result.outcome} {what or '–'}{'; ' if what and detail else ' ' if detail else ''}{detail}"
            )
        saved = [result for result in done if result.episode is not None]
        _console.print(f"{len(saved)} saved")
        hurt = [result for result in done if not result.whole]
        if hurt:
            raise EpisodeError(
                f"{len(hurt)} of {len(done)} could not be saved whole; what is in them is kept, the lines above say where"
            )


@app.command()
def label(
    file: File,
    success: Annotated[bool | None, typer.Option("--success/--failure", help="Did it do the task?")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take the verdict back.")] = False,
    note: Annotated[str | None, typer.Option(help="Words to keep with it.")] = None,
) -> None:
    """Say what an episode is worth."""
    with _told():
        if success is None and not unset and note is None:
            raise UsageError("nothing to say: give --success, --failure, --unset or --note")
        if success is not None and unset:
            raise UsageError("--unset and a verdict exclude each other")
        episode = catalogue.read_episode(_episode(file))
        if episode.problem:
            raise EpisodeError(episode.problem)

        def change(labels: Labels) -> Labels:
            before = episode.success if labels == Labels(recording=labels.recording) else labels.success
            verdict = None if unset else before if success is None else success
            return msgspec.structs.replace(labels, success=verdict, note=labels.note if note is None else note)

        _console.print(f"{file}: success {_said(change_labels(file, change).success)}")


@app.command()
def delete(
    files: Annotated[list[Path], typer.Argument(help="Episodes.")],
    undo: Annotated[bool, typer.Option("--undo", help="Bring them back.")] = False,
) -> None:
    """Take episodes out of every loader's way (renamed, not erased)."""
    with _told():
        refused = []
        for file in files:
            try:
                _console.print(str(naming.undelete(file) if undo else naming.delete(file)))
            except StationError as error:
                refused.append(error)
                _say_error(error)
        if refused:
            raise type(refused[0])(f"{len(refused)} of {len(files)} are as they were")


@app.command()
def view(
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    data: Annotated[Path, typer.Option(help="A data folder or one task's folder.")] = DEFAULT_DATA,
    task: Annotated[str, typer.Option(help="Only this task.")] = "",
    success: Annotated[
        bool | None, typer.Option("--success/--failure", help="Only episodes with this verdict.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(help="Only episodes of exactly so many rows (ACT needs equal lengths).")
    ] = None,
) -> None:
    """A folder of hard links numbered from 0: what trainers are given."""
    with _told():
        found = catalogue.episodes(data, task)
        chosen = [
            episode
            for episode in found
            if not episode.problem and success in (None, episode.success) and length in (None, episode.rows)
        ]
        left_out = [episode.problem for episode in found if episode.problem]
        try:
            for link, episode in zip(catalogue.view(out, chosen), chosen, strict=True):
                _console.print(f"{link} = {episode.path}")
        finally:
            for problem in left_out:
                _say_error(f"left out: {problem}")
        if left_out:
            raise EpisodeError(f"{len(left_out)} left out that cannot be used")


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


def _show(file: h5py.File) -> None:
    table = Table("attribute", Column("value", overflow="fold"))
    for name, value in file.attrs.items():
        if name not in ("rig_yaml", "devices"):
            table.add_row(name[:_LETTERS], _words(value))
    _console.print(table)
    data = Table("dataset", "type", "shape")
    file.visititems(
        lambda name, item: (
            data.add_row(f"/{name}"[:_LETTERS], str(item.dtype)[:_LETTERS], str(item.shape))
            if hasattr(item, "dtype")
            else None
        )
    )
    _console.print(data)


def _words(value: Any) -> str:
    """An attribute as text, of a bounded length: what is a million letters long would be set in lines for minutes."""
    many = hasattr(value, "tolist") and value.ndim
    words = ", ".join(map(str, value.ravel()[:_LETTERS])) if many else str(value)
    longer = len(words) > _LETTERS or (many and value.size > _LETTERS)
    return f"{words[:_LETTERS]} … (cut here)" if longer else words


def _show_cadence(report: Cadence) -> None:
    _console.print(f"cadence: {in_words(report)}")
    table = Table("stream", "age p50 ms", "age p99 ms", "new %", "lost")
    for name, stream in report.streams.items():
        ages = (f"{stream.age_p50_ms:.1f}", f"{stream.age_p99_ms:.1f}")
        table.add_row(name, *ages, f"{100 * stream.new_share:.0f}", str(stream.lost))
    _console.print(table)


def _line(episode: Episode) -> tuple[str, ...]:
    if episode.rows == 0:  # nothing could be read of it
        return (episode.task, _number(episode))
    return (
        episode.task, _number(episode), str(episode.rows), f"{episode.seconds:.2f}", _said(episode.success),
        str(episode.late), str(episode.lost), str(episode.stale), f"{episode.size_bytes / 1e6:.0f}", episode.operator,
    )  # fmt: skip


def _number(episode: Episode) -> str:
    return "–" if episode.number is None else str(episode.number)


def _remarks(episode: Episode) -> str:
    """What is to be said of it besides numbers, and besides what is wrong with the file; "" for nothing."""
    said = ("recovered" if episode.recovered else "", episode.damage or episode.ended, episode.note)
    return "; ".join(filter(None, said))


def _said(success: bool | None) -> str:
    return {None: "–", True: "yes", False: "no"}[success]


def _beside(data: Path) -> str:
    """What is in the folder besides episodes, and is somebody's to look at."""
    waiting = len(list(data.rglob("episode_*.mcap.part")))
    damaged = len(list(data.rglob("episode_*.mcap.damaged*")))
    told = f", {waiting} journals not saved yet" if waiting else ""
    return told + (f", {damaged} damaged journals kept" if damaged else "")


def _say_error(words: object) -> None:
    PlainConsole(stderr=True).print(str(words))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [episode.path for episode in catalogue.episodes(path)]
    return [_episode(path)]


def _episode(file: Path) -> Path:
    if not os.path.lexists(file):
        raise UsageError(f"{file}: no such episode. Next: `station episodes ls` shows what there is")
    return file


class _told:  # noqa: N801 (reads as a word in `with`)
    """Errors of the station become one sentence and the exit code they carry."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StationError):
            _say_error(error)
            raise typer.Exit(error.exit_code)
