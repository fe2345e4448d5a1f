"""`station rig new`: from what is plugged in, and what a person says about it, to a rig file that was checked."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from station.borders.strict_yaml import LONGEST_CHARACTERS
from station.errors import StationError, UsageError
from station.files import durable, settings
from station.rig import schema
from station.rig.discovery import Found, discover, picture
from station.rig.drafting import Arm, Camera, draft, role_of, usable
from station.rig.entries import NAME
from station.rig.rig import find_rig, inspect, own_rigs, rig_names
from station.terminal.screen import PlainConsole
from station.terminal.shown import shown

SKIP = "skip"
console = PlainConsole()
Said = Callable[[str], str]
"""What is wrong with an answer; "" if it will do."""


def new(
    name: Annotated[str, typer.Argument(help="what the rig is called: a–z, 0–9 and _")],
    out: Annotated[
        Path | None, typer.Option("--out", help="the file; without it, among your rigs, where --rig finds its name")
    ] = None,
    like: Annotated[
        str, typer.Option("--like", help="copy that rig's file instead of looking for what is plugged in")
    ] = "",
    data: Annotated[str, typer.Option("--data", help="where its episodes go")] = "~/station-data",
) -> None:
    """Write a rig file: asks which arm is where and shows a picture of each camera. Never over another file."""
    if not NAME.match(name):
        raise UsageError(
            f"{name[:50]!r} is no name for a rig. Next: 1 to 24 of a–z, 0–9 and _, beginning with a letter"
        )
    file = out or own_rigs() / f"{name}.yaml"
    if file.exists():
        raise StationError(f"{file} is there already and stays as it is. Next: another name, or --out FILE")
    if out is None and name in rig_names():
        raise StationError(f"there is a rig {name} already ({find_rig(name)}). Next: another name")
    place = settings.folder() / schema.NAME
    text = _copy(like, name, place) if like else _asked(name, file, data, place)
    file.parent.mkdir(parents=True, exist_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(place, schema.encoded())
    with file.open("x", encoding="utf-8") as written:
        written.write(text)
    console.print(f"{file} written")
    inspected = inspect(file)
    said = name if out is None else str(file)
    for problem in inspected.problems:
        console.print(f"line {problem.line}: {problem.key}: {problem.found}. Fix: {problem.fix}")
    console.print(
        f"Next: `station rig check {said}`, `station rig use {said}`, then `station rig try`: each joint by hand, without torque"
    )


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


def _asked(name: str, file: Path, data: str, place: Path) -> str:
    console.print("looking for arms and cameras …")
    found = discover()
    for failure in found.failures:
        console.print(f"not looked for: {failure}")
    arms, cameras = usable(found.found, "arm"), usable(found.found, "camera")
    for other in found.found:
        if other not in (*arms, *cameras):
            console.print(
                f"left out: {other.kind} {other.model} on {other.port}: {'; '.join((*other.details, *other.advice))}"
            )
    if not arms and not cameras:
        raise StationError(
            "nothing that could be a rig's is plugged in. Next: arms switched on and cameras plugged in? `station find` says what it "
            f"sees; or `station rig new {name} --like aloha` copies a shipped file to edit"
        )
    console.print(f"found {len(arms)} arms and {len(cameras)} cameras; answer `{SKIP}` for what is not this rig's")
    named_arms = _name_arms(arms)
    named_cameras = _name_cameras(cameras, file.with_name(f"{name}-pictures"))
    if not named_arms and not named_cameras:
        raise StationError("every arm and camera was skipped: there is nothing to write")
    return draft(name, named_arms, named_cameras, data, schema.modeline(str(place)))


def _name_arms(found: list[Found]) -> list[Arm]:
    named: list[Arm] = []
    for each in found:
        console.print(f"arm: {each.model} on {each.port}, serial {each.serial or 'none'}")
        role = role_of(each)
        side = _ask(
            "    which side", _free_side(named, role), lambda said: "" if NAME.match(said) else "a–z, 0–9 and _"
        )
        if side == SKIP:
            continue
        taken = {arm.role for arm in named if arm.side == side}
        suggested = role if role not in taken else ({"leader", "follower"} - taken or {""}).pop()
        role = _ask("    leader or follower", suggested, lambda said, taken=taken: _role_wrong(said, taken))  # type: ignore[misc]
        if role != SKIP:
            named.append(Arm(side, role, each))
    return named


def _role_wrong(said: str, taken: set[str]) -> str:
    if said not in ("leader", "follower"):
        return "leader or follower"
    return f"that side has a {said} already" if said in taken else ""


def _free_side(named: list[Arm], role: str) -> str:
    taken = {arm.side for arm in named if arm.role == role}
    return next((side for side in ("left", "right") if side not in taken), "")


def _name_cameras(found: list[Found], pictures: Path) -> list[Camera]:
    named: list[Camera] = []
    for number, each in enumerate(found):
        console.print(f"camera: {each.model} on {each.port}, serial {each.serial or 'none'}")
        try:
            jpeg = picture(each)
            pictures.mkdir(parents=True, exist_ok=True)
            file = pictures / f"{number}.jpg"
            durable.replace(file, jpeg)
            console.print(f"    what it sees: {file}")
        except StationError as error:
            console.print(f"    no picture of it: {shown(str(error))}")
        taken = {camera.name for camera in named}
        usual = ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist")
        free = next((name for name in usual if name not in taken), "")
        name = _ask("    its name", free, lambda said, taken=taken: _camera_wrong(said, taken))  # type: ignore[misc]
        if name != SKIP:
            named.append(Camera(name, each))
    return named


def _camera_wrong(said: str, taken: set[str]) -> str:
    if not NAME.match(said):
        return "a–z, 0–9 and _, such as cam_high"
    return "another camera has that name" if said in taken else ""


def _ask(question: str, suggested: str, wrong: Said) -> str:
    """Until the answer will do; `skip` always does."""
    while True:
        said = str(typer.prompt(question, default=suggested or None)).strip()
        if said == SKIP or not (why := wrong(said)):
            return said
        console.print(f"    {said!r}: {why}")
