from pathlib import Path

import pytest

from docs import house

PACKAGES = sorted(
    path for top in ("station", "drivers", "calibration") for path in (house.ROOT / top).rglob("__init__.py")
)
ROOMS = [path for path in PACKAGES if path.parent != house.ROOT / "station"]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.parent.relative_to(house.ROOT)))
def test_a_room_says_in_one_sentence_what_it_is_for(path: Path) -> None:
    said = house.purpose(path)
    assert 10 < len(said) < 160, "a newcomer reads it in the picture"


def test_every_room_of_the_station_is_on_a_floor_and_no_other() -> None:
    drawn = [room.name for floor in house.floors() for room in floor]
    there = {path.parent.name for path in (house.ROOT / "station").glob("*/__init__.py")}
    there |= {path.stem for path in (house.ROOT / "station").glob("*.py")} - {"__init__"}
    assert sorted(drawn) == sorted(there)


def test_the_picture_has_every_room_and_what_it_is_for() -> None:
    picture = house.picture()
    for floor in [*house.floors(), *house.beside().values()]:
        for room in floor:
            assert f">{room.name}</text>" in picture
            assert room.purpose, room.name


def test_rooms_that_drivers_may_not_import_are_not_drawn_as_theirs() -> None:
    assert {"devices", "bus", "errors"} <= house.shared()
    assert not {"session", "control", "sync", "cli", "policy"} & house.shared()
