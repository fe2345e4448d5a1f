"""What is said of how far an export is."""

from station.cli.dataset_progress import Pace
from station.clock import NS_PER_S


def test_it_says_how_much_how_fast_and_how_long_yet() -> None:
    now_s = 0.0
    pace = Pace(lambda: round(now_s * NS_PER_S))
    now_s = 1.0
    assert pace.words("reading episodes", 1, 4, 90_000_000) == "reading episodes: 1 of 4, 90.0 MB"  # too soon
    now_s = 4.0
    assert (
        pace.words("reading episodes", 2, 4, 200_000_000) == "reading episodes: 2 of 4, 200.0 MB, 50.0 MB/s, 4 s left"
    )
    assert pace.words("reading episodes", 4, 4, 400_000_000) == "reading episodes: 4 of 4, 400.0 MB"
    now_s = 64.0  # the next phase began when this one ended
    assert pace.words("writing", 1, 3, 3_000_000_000) == "writing: 1 of 3, 3.0 GB, 50.0 MB/s, 2 min 0 s left"
    now_s = 10_064.0
    assert pace.words("writing", 2, 3, 0) == "writing: 2 of 3, 1 h 23 min left"
