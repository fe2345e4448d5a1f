"""`station dataset import`: a lab's old episodes become episodes here."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from station.cli.episodes.told import DEFAULT_DATA, told
from station.datasets.importing.foreign import Foreign, Said
from station.episodes import catalogue
from station.errors import EpisodeError, UsageError
from station.steps.speaker import speaking
from station.steps.terminal import in_a_job
from station.terminal.told import JsonOption

_FORMATS = ("aloha", "lerobot")


class Imported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One recording that became an episode."""

    origin: str
    episode: Path
    rows: int
    tick_hz: float
    unknown: tuple[str, ...]
    """What it does not say: units, velocity, effort, times of pictures."""


class ImportTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station dataset import --json` tells."""

    imported: tuple[Imported, ...]
    were_here: int
    failed: tuple[str, ...]
    """A sentence each."""


@in_a_job
def import_episodes(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="aloha (ACT's HDF5) or lerobot (3.0, 2.1).")],
    folder: Annotated[Path, typer.Argument(help="The folder of episodes, or the dataset's.")],
    task: Annotated[str, typer.Option(help="Their task: the folder they go to.")],
    data: Annotated[Path, typer.Option(help="The data folder.")] = DEFAULT_DATA,
    names: Annotated[
        str, typer.Option(help="Of the vector's numbers, left_waist,left_shoulder,…; as the files say without.")
    ] = "",
    units: Annotated[
        str,
        typer.Option(help="Of joints: rad or deg (converted); or one for each number. LeRobot's datasets do not say."),
    ] = "",
    rate: Annotated[
        float | None, typer.Option(min=0.1, max=1000, help="Rows a second, where the files do not say.")
    ] = None,
    images: Annotated[str, typer.Option(help="What pictures from a video become: jpeg (quality 95) or raw.")] = "jpeg",
    operator: Annotated[str, typer.Option(help="Who recorded them, if that is known.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Bring others' episodes here, to look at, replay, mix and export. Nothing is made up: what they do not say stays unknown."""
    from station.borders.names import bad_task
    from station.datasets.importing.writing import write

    with told(), speaking() as speaker:
        if images not in ("jpeg", "raw"):
            raise UsageError(f"--images {images}: jpeg or raw")
        said = Said(_words(names), _words(units), rate, images == "raw")
        if why := bad_task(task):
            raise UsageError(why)
        target = data.expanduser() / task
        readers = _readers(format_name, folder, said)
        there = _imported(target)
        tell = (lambda *_, **__: None) if as_json else speaker.tell
        made: list[Imported] = []
        failed: list[str] = []
        skipped = 0
        for done, read in enumerate(readers):
            tell(f"importing: {done} of {len(readers)}", done / len(readers))
            try:
                foreign = read()
                if foreign.sha256 in there:
                    skipped += 1
                    continue
                path = write(foreign, target, task, operator)
            except EpisodeError as error:
                failed.append(str(error))
                tell(f"left out: {error}")
                continue
            one = Imported(foreign.origin, path, len(foreign.state), foreign.tick_hz, _unknown(foreign))
            made.append(one)
            there.add(foreign.sha256)
            unknown = f"; not known: {', '.join(one.unknown)}" if one.unknown else ""
            tell(f"{one.origin}: {path}, {one.rows} rows at {one.tick_hz:g} Hz{unknown}")
        tell(f"importing: {len(readers)} of {len(readers)}", 1.0)
        values = {"imported": float(len(made)), "were_here": float(skipped), "left_out": float(len(failed))}
        tell(f"{len(made)} imported, {skipped} were here, {len(failed)} left out", values=values)
        if as_json:
            speaker.document(ImportTold(tuple(made), skipped, tuple(failed)))
        if failed:
            raise EpisodeError(f"{len(failed)} left out: {failed[0]}")


def _readers(format_name: str, folder: Path, said: Said) -> Sequence[Callable[[], Foreign]]:
    """One for each recording. Raises UsageError."""
    if format_name == "aloha":
        from station.datasets.importing import aloha

        return [partial(aloha.read, path, said) for path in aloha.found(folder)]
    if format_name == "lerobot":
        from station.datasets.importing.lerobot import Dataset

        dataset = Dataset(folder)
        return [partial(dataset.read, place, said) for place in dataset.places]
    raise UsageError(f"{format_name[:40]}: {' or '.join(_FORMATS)} can be imported. Next: say one of them")


def _words(said: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in said.split(",") if word.strip())


def _imported(folder: Path) -> set[str]:
    """sha256 of what was imported into that folder before."""
    found = set()
    for episode in catalogue.episodes(folder) if folder.is_dir() else ():
        text = str(episode.attributes.get("imported") or "")
        if text:
            found.add(str(msgspec.json.decode(text).get("sha256", "")))
    return found


def _unknown(foreign: Foreign) -> tuple[str, ...]:
    parts = [
        "units" if not all(foreign.units) else "", "velocity" if foreign.velocity is None else "",
        "effort" if foreign.effort is None else "",
    ]  # fmt: skip
    return tuple(filter(None, (*parts, "times of pictures" if foreign.cameras else "")))
