"""The driver contract (station/devices/contract.py) on every driver of ours, by the kit that everybody has."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from station.devices.conformance import ArmConformance, DriverConformance, Subject, WornConformance
from tests.conformance.arms import ARMS
from tests.conformance.cameras import CAMERAS
from tests.conformance.headsets import HEADSETS
from tests.conformance.networked_arms import FRANKA_ARMS, XARM_ARMS

MORE = {"vx300s_aloha2", "realsense_depth", *XARM_ARMS}
"""A second of a driver that is there already: `make test-rig`."""
FURTHER = XARM_ARMS | FRANKA_ARMS
OWN_ENVIRONMENT = set(FRANKA_ARMS)
"""Their stand-in has one, of 626 MB: `make test-long`."""


def each(subjects: Iterable[str]) -> list[Any]:
    """By name."""
    return [pytest.param(name, marks=_marks(name)) for name in sorted(subjects)]


def _marks(name: str) -> list[pytest.MarkDecorator]:
    if name in OWN_ENVIRONMENT:
        return [pytest.mark.long]
    return [pytest.mark.rig] if name in MORE else []


class TestArms(ArmConformance):
    @pytest.fixture(params=each(ARMS))
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
        with ARMS[request.param](tmp_path) as made:
            yield made


@pytest.mark.timeout(300)  # an FR3's two processes start fifty times
class TestFurtherArms(ArmConformance):
    @pytest.fixture(params=each(FURTHER))
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
        with FURTHER[request.param](tmp_path) as made:
            yield made


class TestCameras(DriverConformance):
    @pytest.fixture(params=each(CAMERAS))
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
        with CAMERAS[request.param](tmp_path) as made:
            yield made


class TestHeadsets(WornConformance):
    @pytest.fixture(params=each(HEADSETS))
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
        with HEADSETS[request.param](tmp_path) as made:
            yield made
