"""A minute of what `python -m tests.system.soak --minutes 30` does for half an hour."""

import random

import pytest

from tests.system.rig import Booted
from tests.system.soak import soak

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(500)]


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Instead of the suite's own: the rig outlives its test, and the soak counts what it leaks."""


def test_a_minute_of_episodes_and_faults_leaks_nothing(rig: Booted) -> None:
    found = soak(rig, 60.0, random.Random(5))
    assert not found.leaks, found
    assert found.saved + found.discarded + found.ended_early > 3
