"""A task's episodes compared: what is planted among ordinary ones is found, with its reason; what is ordinary is not."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from station.cli import app
from station.datasets.reach import paths
from station.datasets.stats import Stats, numbers, outliers, shares, wide
from station.episodes.catalogue import Episode, episodes
from station.episodes.form import Form
from station.episodes.index import Measured, measured
from station.episodes.labels import set_success
from station.episodes.quality.card import LEVELS
from station.episodes.quality.facts import FACTS
from tests.station.episodes.quality.scene import Scene, moving

ORDINARY: dict[str, float | None] = dict.fromkeys(FACTS, 1.0)


def episode(number: int, seconds: float = 10.0, success: bool | None = None, operator: str = "ann") -> Episode:
    path = Path(f"cube/episode_{number}.hdf5")
    return Episode(
        path, "cube", number, round(seconds * 50), seconds, success, "", operator, 0, 0, 0, False, "", "", 1, ""
    )


def card(**facts: float | None) -> Measured:
    nothing = np.zeros((2, len(LEVELS)), np.float32)
    return Measured(ORDINARY | facts, (), nothing, nothing, np.zeros((0, 2), np.float32))


def test_an_outlier_is_named_with_its_reason_and_ordinary_ones_are_not() -> None:
    found = [(episode(number, 10 + 0.2 * (number % 5)), card(lag_ms=45.0 + number % 3)) for number in range(20)]
    assert outliers(found) == []
    found[7] = episode(7, 31.0), card(lag_ms=210.0)
    unlike = outliers(found)
    assert [(each.episode, each.fact) for each in unlike] == [("cube/7", "length_s"), ("cube/7", "lag_ms")]
    assert unlike[0].value == 31.0 and unlike[0].median == pytest.approx(10.4, abs=0.2)
    assert outliers(found[5:9]) == []  # too few to say


@given(st.lists(st.floats(5, 15), min_size=5, max_size=60))
def test_no_length_within_what_matters_is_unlike(lengths: list[float]) -> None:
    found = [(episode(number, 100 + 0.09 * length), card()) for number, length in enumerate(lengths)]
    assert outliers(found) == []


def test_success_is_counted_by_whom() -> None:
    told = [episode(0, success=True), episode(1, success=False), episode(2), episode(3, success=True, operator="bob")]
    ann, bob = shares(told, lambda each: each.operator)
    assert (ann.name, ann.episodes, ann.successes, ann.failures) == ("ann", 3, 1, 1)
    assert (bob.name, bob.episodes, bob.successes, bob.failures) == ("bob", 1, 1, 0)


def test_quantiles_of_all_rows_are_those_of_the_rows_together() -> None:
    """Against numpy over the joined rows; a mean of the episodes' own quantiles would be off by half the range."""
    random = np.random.default_rng(3)
    rows = [random.normal(place, 0.2, (count, 2)) for place, count in ((0.0, 4000), (1.0, 2000), (5.0, 300))]
    tables = [(np.quantile(each, LEVELS, axis=0).T.astype(np.float32), len(each)) for each in rows]
    joined = np.concatenate(rows)
    for place, found in enumerate(numbers(("a", "b"), tables)):
        column = joined[:, place]
        width = np.ptp(column)
        assert (found.least, found.most) == pytest.approx((column.min(), column.max()))
        for value, share in ((found.q01, 0.01), (found.q99, 0.99)):
            assert value == pytest.approx(np.quantile(column, share), abs=0.01 * width)


def test_constant_numbers_and_rows_that_set_the_scale_are_told() -> None:
    random = np.random.default_rng(4)
    rows = np.stack([np.full(5000, 0.3), random.normal(0, 0.1, 5000), random.uniform(-1, 1, 5000)], axis=1)
    rows[100, 1] = 9.0
    still, spiky, plain = numbers(
        ("still", "spiky", "plain"), [(np.quantile(rows, LEVELS, axis=0).T.astype(np.float32), 5000)]
    )
    assert still.constant and still.spread is None and not wide(still)
    assert wide(spiky) and spiky.most == 9.0
    assert not wide(plain) and plain.spread == pytest.approx(1.02, abs=0.02)


def test_arms_of_no_known_model_say_so() -> None:
    form = Form("r", False, 50.0, ("left_waist rad",), "jpeg", (), (), {}, {"follower_left": "ur5e"})
    one = msgspec.structs.replace(episode(0), form=form)
    there = Measured(ORDINARY, (), *(np.zeros((1, 3), np.float32) for _ in range(3)))
    ways, unknown = paths([(one, there)])
    assert ways == {}
    assert unknown["follower_left"].startswith("its driver described no geometry of it")


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six episodes: five alike, one three times as slow; two judged; one called like a script."""
    data = tmp_path_factory.mktemp("data")
    for number in range(5):
        Scene(seconds=3.0 + 0.1 * number).build(data / "cube", number)
    Scene(seconds=9.0, goal=lambda at_s: moving(at_s / 3)).build(data / "cube", 5)
    set_success(data / "cube" / "episode_0.hdf5", True)
    set_success(data / "cube" / "episode_5.hdf5", False)
    return data


@pytest.mark.slow
def test_the_command_finds_the_slow_one_and_writes_a_page_of_its_own(task: Path, tmp_path: Path) -> None:
    page = tmp_path / "stats.html"
    got = CliRunner().invoke(app, ["dataset", "stats", str(task), "--html", str(page)], env={"COLUMNS": "80"})
    assert got.exit_code == 0, got.output
    assert "cube: 6 episodes" in got.output
    assert "unlike the others: cube/5: length_s 9, the others 3.25" in got.output
    assert "success by operator: ann: 1 of 2 and 4 not judged" in got.output
    assert "follower_left: fingertips within" in got.output
    text = page.read_text()
    assert "http" not in text.replace('http-equiv="Content-Security-Policy"', "")
    assert "<script" not in text and "default-src &#x27;none&#x27;" not in text and "default-src 'none'" in text
    assert text.count("<img") >= 6 + 3
    told = CliRunner().invoke(app, ["dataset", "stats", str(task), "--json"])
    [stats] = msgspec.json.decode(told.stdout, type=list[Stats])
    assert (stats.episodes, stats.measured, len(stats.state)) == (6, 6, 14)
    assert {each.fact for each in stats.outliers} >= {"length_s"}


def test_what_the_index_keeps_of_cards_is_what_cards_say(task: Path) -> None:
    found = episodes(task)
    fresh = dict(zip([each.path for each in found], [each for _, each in measured(found)], strict=True))
    for each, kept in measured(episodes(task)):
        wanted = fresh[each.path]
        assert kept is not None and wanted is not None
        assert (kept.facts, kept.findings) == (wanted.facts, wanted.findings)
        for one, other in zip(kept[2:], wanted[2:], strict=True):
            np.testing.assert_array_equal(one, other)
