"""The questions of `station rig new`: which arm is where, what each camera is called. Steps of a job, for the terminal and pages alike."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from station.cli.sights import ArmSights, CameraSight
from station.errors import StationError
from station.files import durable
from station.rig.discovery import Found, picture
from station.rig.drafting import Arm, Camera, role_of
from station.rig.entries import NAME_PATTERN, RESERVED
from station.steps.protocol import Typed
from station.terminal.shown import shown

SKIP = "skip"
ROLES = ("leader", "follower")
SIDES = ("left", "right")
CAMERAS = ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist")
"""What trainers expect."""
A_NAME = Typed(NAME_PATTERN, "a–z, 0–9 and _, beginning with a letter, 24 at most")
Meanwhile = Callable[[], None]


class Asker(Protocol):
    """Whoever is asked: a job's `Speaker`."""

    looks: bool
    """Is it shown what is seen meanwhile?"""

    def tell(self, words: str, /) -> None:
        """Say what was found."""

    def ask(
        self, words: str, /, answers: tuple[str, ...] = ..., meanwhile: Meanwhile = ..., *, typed: Typed | None = None, suggested: str = ""
    ) -> str:  # fmt: skip
        """Wait for one of the answers, or what is typed; `meanwhile` is called all the while."""

    def look(self, words: str, /, values: Mapping[str, float | str] | None = None, picture: bytes = b"") -> None:
        """Show what is seen."""


def name_arms(found: Sequence[Found], asker: Asker) -> list[Arm]:
    """Side and role of each, but for those that are not this rig's. What moves in somebody's hand is shown where anything is."""
    named: list[Arm] = []
    with _felt(found, asker) as felt:
        for each in found:
            what = f"{each.model} on {each.port}"
            side = _side(named, each, what, asker, felt(each))
            if side == SKIP:
                continue
            free = _free(named, side)
            role = role_of(each) if role_of(each) in free else free[0]
            role = asker.ask(f"{what}: leader or follower", (*free, SKIP), felt(each), suggested=role)
            if role != SKIP:
                named.append(Arm(side, role, each))
    return named


def _side(named: list[Arm], arm: Found, what: str, asker: Asker, meanwhile: Meanwhile) -> str:
    taken = {each.side for each in named if each.role == role_of(arm)}
    suggested = next((side for side in SIDES if side not in taken and _free(named, side)), "")
    while True:
        words = f"{what}, serial {arm.serial or 'none'}: which side"
        side = asker.ask(words, (SKIP,), meanwhile, typed=A_NAME, suggested=suggested)
        if side == SKIP or _free(named, side):
            return side
        asker.tell(f"{side!r}: that side has a leader and a follower already")


def _free(named: list[Arm], side: str) -> list[str]:
    """Roles that no arm of that side has."""
    taken = {arm.role for arm in named if arm.side == side}
    return [role for role in ROLES if role not in taken]


@contextmanager
def _felt(found: Sequence[Found], asker: Asker) -> Generator[Callable[[Found], Meanwhile], None, None]:
    """What is done meanwhile, by the arm that is asked about."""
    if not asker.looks:
        yield lambda _: _nothing
        return
    with closing(ArmSights(found, asker)) as sights:
        yield sights.of


def name_cameras(found: Sequence[Found], pictures: Path, asker: Asker) -> list[Camera]:
    """The name of each, but for those that are not this rig's. What it sees is shown, or lies in the folder `pictures` where nothing is."""
    named: list[Camera] = []
    for number, each in enumerate(found):
        with _seen(each, pictures / f"{number}.jpg", asker) as meanwhile:
            name = _name(named, f"{each.model} on {each.port}, serial {each.serial or 'none'}", asker, meanwhile)
        if name != SKIP:
            named.append(Camera(name, each))
    return named


def _name(named: list[Camera], what: str, asker: Asker, meanwhile: Meanwhile) -> str:
    taken = {camera.name for camera in named}
    suggested = next((name for name in CAMERAS if name not in taken), "")
    while True:
        name = asker.ask(f"{what}: its name", (SKIP,), meanwhile, typed=A_NAME, suggested=suggested)
        if name in taken:
            asker.tell(f"{name!r}: another camera has that name")
        elif name in RESERVED:
            asker.tell(f"{name!r}: the station calls something of its own that")
        else:
            return name


@contextmanager
def _seen(camera: Found, file: Path, asker: Asker) -> Generator[Meanwhile, None, None]:
    """What is done meanwhile. Where pictures are not shown, one is written to the file."""
    if asker.looks:
        with closing(CameraSight(camera, asker)) as sight:
            yield sight
        return
    try:
        jpeg = picture(camera)
        file.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(file, jpeg)
        asker.tell(f"{camera.model} on {camera.port}: what it sees is in {file}")
    except StationError as error:
        asker.tell(f"{camera.model} on {camera.port}: no picture of it: {shown(str(error))}")
    yield _nothing


def _nothing() -> None:
    """Nothing is shown."""
