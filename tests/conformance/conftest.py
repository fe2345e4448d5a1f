from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.arms import ARMS
from tests.conformance.cameras import CAMERAS
from tests.conformance.headsets import HEADSETS
from tests.conformance.subject import Factory, Subject

SUBJECTS: dict[str, Factory] = {**ARMS, **CAMERAS, **HEADSETS}


@pytest.fixture(params=sorted(SUBJECTS))
def subject(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    """One device after another. Arms' time-outs are wide: a loaded machine must not look like a fault."""
    monkeypatch.setattr("drivers.dynamixel.bus.REPLY_SLACK_MS", 60.0)
    monkeypatch.setattr("drivers.dynamixel.bus.SETUP_SLACK_MS", 60.0)
    monkeypatch.setattr("drivers.dynamixel.bus._SCAN_MS", 100.0)
    with SUBJECTS[request.param](tmp_path) as made:
        yield made
