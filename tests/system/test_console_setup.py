"""Set-up in a real browser, of a computer that has no rig: found, named, written, checked."""

import tempfile
from pathlib import Path

import pytest

from tests.system.console_setup import journey, of_its_own

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_a_rig_file_from_what_is_plugged_in() -> None:
    with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as folder, of_its_own(Path(folder)) as found:
        journey(found)
