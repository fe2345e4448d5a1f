"""What all consumers are given is recorded once."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.consumers.exported_sets import record


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[Sequence[str], list[Path]]:
    """Episodes by the rig's sides."""
    return record(tmp_path_factory.mktemp("recorded"))
