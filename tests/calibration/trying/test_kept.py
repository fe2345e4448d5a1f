"""What `station rig try` keeps, and who reads it: the check, `station rig show`."""

import time
from pathlib import Path

import msgspec
import pytest

from calibration.checks import measured
from calibration.checks.verdict import overall, told
from calibration.trying import command
from station.cli.rig import _by_hand, _shown
from station.files import try_results
from station.files.check_results import Finding
from station.files.try_results import StoredTry
from station.rig.rig import Rig, find_rig, load_rig

SWAPPED = told("leader_left", "side", "fail", "it was moved, leader_right was read", "exchange them")
RIGHT = told("leader_left", "waist", "pass", "+17", "")
CAMERA = told("cam_high", "told apart", "pass", "covered", "")


class Tried:
    """As much of a measuring as keeping needs."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig


@pytest.fixture
def rig(runtime: str) -> Rig:
    return load_rig(find_rig("sim"))


def keep(rig: Rig, *findings: Finding) -> Path:
    return command._kept(Tried(rig), overall(findings), "ada")  # type: ignore[arg-type]


def test_what_was_wrong_fails_the_check_until_it_was_tried_again(rig: Rig) -> None:
    assert measured._tried(rig) == []
    path = keep(rig, SWAPPED, CAMERA)
    assert path.parent.name == "tries"
    (found,) = measured._tried(rig)
    assert (found.device, found.name, found.verdict, found.next) == (
        "leader_left",
        "rig try: side",
        "fail",
        "exchange them",
    )
    keep(rig, RIGHT)
    assert measured._tried(rig) == []
    stored = try_results.last(rig.name, rig.sha256)
    assert stored is not None
    assert stored.result == overall([CAMERA, RIGHT])  # what was not tried again is kept


def test_of_another_rig_file_it_says_nothing_any_more(rig: Rig) -> None:
    keep(rig, SWAPPED)
    changed = msgspec.structs.replace(rig, sha256="0" * 64)
    assert try_results.last(rig.name, changed.sha256) is None
    assert measured._tried(changed) == []
    assert "never tried" in _by_hand(changed)


def test_a_file_that_cannot_be_read_is_none(rig: Rig) -> None:
    path = keep(rig, SWAPPED)
    path.write_text("{")
    assert try_results.last(rig.name, rig.sha256) is None
    keep(rig, RIGHT)
    assert try_results.last(rig.name, rig.sha256) is not None


def test_a_rig_is_shown_with_who_tried_it_when_and_what_came_of_it(rig: Rig) -> None:
    try_results.store(
        rig.name, StoredTry(rig.sha256, time.mktime((2026, 3, 4, 12, 0, 0, 0, 0, -1)), "ada", overall([SWAPPED]))
    )
    assert _by_hand(rig) == "tried 2026-03-04 by ada: fail"
    assert _shown(rig, "").tried == "fail"
