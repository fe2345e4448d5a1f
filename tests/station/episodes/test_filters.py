"""Episodes are asked for in one language, on command lines and in selections."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.episodes import naming
from station.episodes.catalogue import episodes
from station.episodes.facts import FIELDS
from station.episodes.filters import Bounds, Where, against, asked, said
from station.episodes.quality.facts import FACTS
from station.episodes.quality.store import card
from station.errors import UsageError
from tests.station.cli.recorded import record, station


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("success=true", {"success": True}),
        ("success=false,unset", {"success": (False, "unset")}),
        ("operator=ann,ben", {"operator": ("ann", "ben")}),
        ("operator=7", {"operator": "7"}),
        ("note=it fell..", {"note": "it fell.."}),
        ("length_s=3..60", {"length_s": Bounds(3, 60)}),
        ("length_s=..60.5", {"length_s": Bounds(None, 60.5)}),
        ("episode=3,7..9", {"episode": (3, Bounds(7, 9))}),
        ("day=2026-11-29..", {"day": Bounds("2026-11-29", None)}),
        ("lag_ms=..150", {"lag_ms": Bounds(None, 150)}),
        ("task=a=b", {"task": "a=b"}),
    ],
)
def test_a_command_line_says(text: str, where: Where) -> None:
    assert said([text]) == where


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("success", "say it as"),
        ("=3", "say it as"),
        ("lag_s=..0.15", "did you mean 'lag_ms'"),
        ("length_s=long", "length_s is a number"),
        ("length_s=.nan", "not a number"),
        ("length_s=!!python/object/apply:os.getcwd []..", "is no value"),
        ("length_s={a: 1}", "Object contains unknown field"),
        ("operator=ann", ""),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, why: str) -> None:
    if why:
        with pytest.raises(UsageError, match=why):
            said([text])
    else:
        said([text])


def test_every_field_of_the_card_can_be_asked_for() -> None:
    assert {name for name, field in FIELDS.items() if field.measured} == set(FACTS)
    assert len(FIELDS) == len({*FIELDS} - {*FACTS}) + len(FACTS)  # none hides another


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_both_ends_of_a_range_are_inside(low: float, high: float, value: float) -> None:
    fits = against({"length_s": Bounds(low, high)}, {"length_s": value}) is None
    assert fits == (low <= value <= high)


@pytest.mark.slow
@given(st.lists(st.integers(0, 20) | st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1), st.integers(0, 20))
def test_numbers_and_ranges_together(wanted: list[int | tuple[int, int]], number: int) -> None:
    text = ",".join(f"{one[0]}..{one[1]}" if isinstance(one, tuple) else str(one) for one in wanted)
    fits = against(said([f"episode={text}"]), {"episode": number}) is None
    assert fits == any(one[0] <= number <= one[1] if isinstance(one, tuple) else one == number for one in wanted)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(3):
        record(tmp_path, number, rows=30)
    return tmp_path


def test_cards_are_asked_only_of_what_fits_otherwise(data: Path) -> None:
    looked: list[Path] = []

    def card_of(path: Path) -> None:
        looked.append(path)

    for each in episodes(data):
        naming.quality_path(each.path).unlink(missing_ok=True)
    found = list(asked(episodes(data), said(["findings=..3", "episode=9"]), card_of))
    assert [each.against.kind for each in found if each.against] == ["episode is not 9"] * 3
    assert looked == []


def test_a_selection_filters_by_the_card(data: Path) -> None:
    path = naming.episode_path(data / "cube", 1)
    still_s = card(path).motion.idle_head_s
    [fits] = [
        each
        for each in asked(episodes(data), said([f"idle_head_s={still_s}..{still_s}", "episode=1"]), card)
        if not each.against
    ]
    assert fits.facts["idle_head_s"] == still_s
    got = station("ls", data, "--where", f"idle_head_s={still_s + 1}..", "--json")
    assert json.loads(got.output)["episodes"] == []


def test_what_was_said_last_is_asked(data: Path) -> None:
    assert station("edit", data, "--where", "episode=2", "--to-task", "fold", "--yes").exit_code == 0
    assert [each.episode.number for each in asked(episodes(data), said(["task=fold"])) if not each.against] == [2]
