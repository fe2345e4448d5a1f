"""The page that names tests names tests that are there."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text()


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"(?<![\w/.])(?:station|drivers|calibration|system|torch|golden)/[\w/]+\.py", PAGE))
    assert len(named) > 40
    assert [name for name in sorted(named) if not (TESTS / name).is_file()] == []
