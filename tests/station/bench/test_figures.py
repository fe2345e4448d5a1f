"""What limits a rig, in words."""

import pytest

from station.bench.figures import STOLEN_PERCENT, Distribution, Figures, limits

NOTHING = Distribution.of(())


def figures(stolen_percent: float, late_ticks: int) -> Figures:
    return Figures("r", 60.0, 3000, NOTHING, late_ticks, NOTHING, (), (), 50.0, 100.0, stolen_percent)


@pytest.mark.parametrize(
    ("stolen_percent", "late_ticks", "words"),
    [
        (0.0, 3, ["nothing: every stream"]),
        (STOLEN_PERCENT, 4, ["4 of 3000 ticks were late"]),
        (3.6, 14, ["was not given 3.6 % of its processors' time", "14 of 3000 ticks were late"]),
    ],
)
def test_what_limits_is_named_and_the_host_first(stolen_percent: float, late_ticks: int, words: list[str]) -> None:
    found = limits(figures(stolen_percent, late_ticks))
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))
