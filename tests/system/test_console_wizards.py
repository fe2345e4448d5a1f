"""Every wizard of arms on the Check page, on a rig of real drivers whose arms are moved by hand (`tests.calibration.prompted`)."""

import pytest

from tests.calibration import prompted
from tests.system.console_wizards import PageRig

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


@pytest.mark.long
def test_a_gripper() -> None:
    prompted.grippers(PageRig)


@pytest.mark.long
@pytest.mark.parametrize("sort", [prompted.gello, prompted.arms, prompted.latency], ids=["gello", "arms", "latency"])
def test_a_gellos_turns_an_arms_zeros_a_cameras_latency(sort) -> None:  # type: ignore[no-untyped-def]
    sort(PageRig)
