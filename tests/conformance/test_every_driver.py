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

MORE = {"vx300s_aloha2", "realsense_depth"}
"""A second of a driver that is there already: `make test-rig`."""
FURTHER = XARM_ARMS | FRANKA_ARMS


def each(subjects: Iterable[str]) -> list[Any]:
    """By name."""
    return [pytest.param(name, marks=[pytest.mark.rig] if name in MORE else []) for name in sorted(subjects)]


class TestArms(ArmConformance):
    @pytest.fixture(params=each(ARMS))
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
        with ARMS[request.param](tmp_path) as made:
            yield made


@pytest.mark.rig  # minutes, and an environment of its own for one: `make test` has the UR5e
@pytest.mark.timeout(300)  # an FR3's two processes start fifty times
class TestFurtherArms(ArmConformance):
    @pytest.fixture(params=sorted(FURTHER))
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
