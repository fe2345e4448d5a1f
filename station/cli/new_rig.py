"""`station rig new`: from what is plugged in, and what a person says about it, to a rig file that was checked. A job of steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from station.borders.strict_yaml import LONGEST_CHARACTERS
from station.cli.naming import SKIP, Asker, name_arms, name_cameras
from station.errors import StationError
from station.files import durable, settings
from station.rig import schema
from station.rig.discovery import discover
from station.rig.drafting import draft, usable
from station.rig.rig import find_rig, inspect, place_of_new
from station.steps.speaker import speaking
from station.steps.terminal import in_a_job


@in_a_job
def new(
    name: Annotated[str, typer.Argument(help="what the rig is called: a–z, 0–9 and _")],
    out: Annotated[
        Path | None, typer.Option("--out", help="the file; without it, among your rigs, where --rig finds its name")
    ] = None,
    like: Annotated[
        str, typer.Option("--like", help="copy that rig's file instead of looking for what is plugged in")
    ] = "",
    data: Annotated[str, typer.Option("--data", help="where its episodes go")] = "~/station-data",
    port: Annotated[
        list[str] | None, typer.Option("--port", help="look here only (may be given more than once)")
    ] = None,
) -> None:
    """Write a rig file: asks which arm is where and shows a picture of each camera. Never over another file."""
    with speaking() as speaker:
        make(name, speaker, out, like, data, port or ())


def make(
    name: str, asker: Asker, out: Path | None = None, like: str = "", data: str = "~/station-data", ports: Sequence[str] = ()
) -> Path:  # fmt: skip
    """Ask, write, check. The file. Raises StationError, UsageError for a name that is none or has a rig already."""
    file = place_of_new(name, out)
    place = settings.folder() / schema.NAME
    text = _copy(like, name, place) if like else _asked(name, asker, file, data, place, ports)
    file.parent.mkdir(parents=True, exist_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(place, schema.encoded())
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:  # since it was looked for
        place_of_new(name, out)
        raise
    asker.tell(f"{file} written")
    said = name if out is None else str(file)
    for problem in inspect(file).problems:
        asker.tell(f"line {problem.line}: {problem.key}: {problem.found}. Fix: {problem.fix}")
    asker.tell(
        f"Next: `station rig check {said}`, `station rig use {said}`, then `station rig try`: each joint by hand, without torque"
    )
    return file


def _copy(like: str, name: str, place: Path) -> str:
    """Another rig's file under a new name, its comments too."""
    source = find_rig(like)
    text = source.read_text(encoding="utf-8")[:LONGEST_CHARACTERS]
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("# yaml-language-server:")]
    lines = [f"name: {name}\n" if line.startswith("name:") else line for line in lines]
    return (
        schema.modeline(str(place))
        + f"# As {source.stem}; put in your own ports and serial numbers.\n"
        + "".join(lines)
    )


def _asked(name: str, asker: Asker, file: Path, data: str, place: Path, ports: Sequence[str]) -> str:
    asker.tell("looking for arms and cameras …")
    found = discover(ports)
    for failure in found.failures:
        asker.tell(f"not looked for: {failure}")
    arms, cameras = usable(found.found, "arm"), usable(found.found, "camera")
    for other in found.found:
        if other not in (*arms, *cameras):
            asker.tell(
                f"left out: {other.kind} {other.model} on {other.port}: {'; '.join((*other.details, *other.advice))}"
            )
    if not arms and not cameras:
        raise StationError(
            "nothing that could be a rig's is plugged in. Next: arms switched on and cameras plugged in? `station find` says what it "
            f"sees; or `station rig new {name} --like aloha` copies a shipped file to edit"
        )
    asker.tell(f"found {len(arms)} arms and {len(cameras)} cameras; answer `{SKIP}` for what is not this rig's")
    named_arms = name_arms(arms, asker)
    named_cameras = name_cameras(cameras, file.with_name(f"{name}-pictures"), asker)
    if not named_arms and not named_cameras:
        raise StationError("every arm and camera was skipped: there is nothing to write")
    return draft(name, named_arms, named_cameras, data, schema.modeline(str(place)))
