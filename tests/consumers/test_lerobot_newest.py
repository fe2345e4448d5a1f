"""LeRobot's newest, which wants Python 3.12 and gigabytes, gives back every frame and every action of format 3.0."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.consumers.test_lerobot import read_sets, whole

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def test_every_frame_and_action(recorded: dict[Sequence[str], list[Path]], tmp_path: Path) -> None:
    for one in read_sets("lerobot-v3", "lerobot-newest", recorded, tmp_path):
        whole(one)
