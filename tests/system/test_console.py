"""The console against a rig that runs, in a real browser: record, success, a reload and a kill in mid-take, undo, hold; a policy; the
check's gate.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.files import check_results
from tests.system import console_evaluation, console_policies, tempers
from tests.system.console_from_afar import from_afar
from tests.system.console_gate import gate
from tests.system.console_journey import journey
from tests.system.console_page import port_of_its_own
from tests.system.console_second_thoughts import second_thoughts
from tests.system.console_staging import staging
from tests.system.real_arms import real_arms
from tests.system.rig import Booted, booted, light_rig

pytestmark = [pytest.mark.system, pytest.mark.rig, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def of_its_own(tmp_path: Path) -> Iterator[None]:
    """Folders of this computer, and a port, that nobody else has."""
    runtime = tempfile.mkdtemp(prefix="st-", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch, port_of_its_own(tmp_path / "config"):
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        patch.setenv("XDG_STATE_HOME", f"{runtime}/state")
        try:
            yield
        finally:
            shutil.rmtree(runtime)


@pytest.fixture
def rig(of_its_own: None, tmp_path: Path) -> Iterator[Booted]:
    with booted(light_rig(tmp_path), tmp_path / "data", tempers.install()) as running:
        yield running


def test_an_operators_first_takes(rig: Booted) -> None:
    journey(rig)


def test_a_policy_thinks_commands_and_gives_way_to_hands(rig: Booted) -> None:
    tempers.write(rig.data.with_name("data-policies") / "sways")
    console_policies.journey(rig, "sways", hands=True)


def test_an_evaluation_is_judged_by_a_person_who_is_not_told_which_policy_it_was(rig: Booted) -> None:
    for name in console_evaluation.JUDGED:
        tempers.write(rig.data.with_name("data-policies") / name)
    console_evaluation.judging(rig)


def test_a_take_is_thought_over_and_a_session_that_is_silent_is_told(rig: Booted) -> None:
    second_thoughts(rig)


def test_what_moves_arms_is_asked_from_afar_and_allowed_at_the_rig(rig: Booted) -> None:
    from_afar(rig)


def test_a_plan_is_followed_and_a_camera_calibrated(rig: Booted) -> None:
    staging(rig, still=False)


def test_a_check_that_fails_is_answered_for_by_name_or_nothing_is_recorded(tmp_path: Path) -> None:
    with real_arms(tmp_path, "gated") as (rig, buses), booted(rig.file, rig.data) as running:
        check_results.path_of(rig.name).unlink()  # `booted` says that it passed
        gate(running, buses)
