"""What a sitting's folder says of the rig that is about to record into it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from station.episodes import naming
from station.episodes.finalise import finalise
from station.rig.rig import find_rig, load_rig
from station.session.disk import SessionDisk
from tests.station.episodes.recording import ARMS, Recording, arm_description, camera_description, header, jpeg, write

RIG = load_rig(find_rig("aloha"))
CONTROLS = {"exposure_auto": 0, "exposure": 157, "gain": 3}


def recorded(folder: Path, number: int, controls: dict[str, Any]) -> None:
    """An episode of that rig, whose cam_high had those controls."""
    folder.mkdir(exist_ok=True)
    part = naming.journal_path(folder, number)
    first = header(cameras=tuple(RIG.cameras), episode=number)
    about = first.descriptions | {
        "cam_high": msgspec.structs.replace(first.descriptions["cam_high"], settings=controls)
    }
    units = tuple("1" if name.endswith("gripper") else "rad" for name in first.dim_names)
    write(
        part,
        Recording(3, [jpeg()], cameras=tuple(RIG.cameras)),
        msgspec.structs.replace(first, units=units, descriptions=about),
    )
    finalise(part)


def disk(controls: dict[str, Any]) -> SessionDisk:
    made = SessionDisk(RIG, SimpleNamespace())  # type: ignore[arg-type]
    made.devices = {arm: arm_description() for arm in ARMS} | {name: camera_description() for name in RIG.cameras}
    made.devices["cam_high"] = msgspec.structs.replace(camera_description(), settings=controls)
    return made


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (CONTROLS, ""),
        (CONTROLS | {"exposure": 120}, "than in episode 1: cam_high: exposure is 120, was 157."),
        (CONTROLS | {"gain": 9, "exposure": 120}, "cam_high: exposure is 120, was 157, gain is 9, was 3."),
    ],
)
def test_what_the_cameras_say_now_is_held_against_the_newest_episode(
    tmp_path: Path, now: dict[str, Any], told: str
) -> None:
    folder = tmp_path / "cube"
    assert disk(now).drift(folder) == "", "there is nothing to drift from"
    recorded(folder, 0, CONTROLS | {"exposure": 9})
    recorded(folder, 1, CONTROLS)
    said = disk(now).drift(folder)
    assert told in said and bool(said) == bool(told)
    assert not said or "Next: " in said
    assert disk(now).another_rigs(folder) == "", "it is told, and refuses nothing"
