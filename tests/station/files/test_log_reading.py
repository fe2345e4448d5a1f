"""Logs of many nodes as one: by the clock in each line, over files that were turned over, with traces in one piece."""

import datetime
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.files.log_reading import Follower, merged, moment, nodes

NOW = datetime.datetime(2026, 11, 29, 13, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))


def line(second: float, text: str) -> str:
    at = NOW + datetime.timedelta(seconds=second)
    return f"{at.isoformat(timespec='milliseconds')} {1000 + second:.6f} INFO {text}\n"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100), st.integers(0, 2)), min_size=1, max_size=30))
def test_whoever_wrote_it_and_into_whichever_file_lines_come_by_their_clock(
    tmp_path: Path, written: list[tuple[str, int, int]]
) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    # a node's files are older the higher their number, and each is written in order
    for node in "abc":
        own = sorted(second for name, second, _ in written if name == node)
        for piece, suffix in enumerate((".2", ".1", "")):
            part = own[piece * len(own) // 3 : (piece + 1) * len(own) // 3]
            if own:
                (tmp_path / f"{node}.log{suffix}").write_text(
                    "".join(line(second, f"{node}: {second}") for second in part)
                )
    found = list(merged(tmp_path, nodes(tmp_path)))
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert sorted(each.text.split()[-1] for each in found) == sorted(str(second) for _, second, _ in written)


def test_a_trace_stays_with_its_line_and_since_leaves_out_what_is_older(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(line(0, "a: old") + line(5, "a: fell") + "Traceback:\n  File x\n")
    (tmp_path / "b.log").write_text(line(6, "b: later"))
    found = merged(tmp_path, ["a", "b"], NOW + datetime.timedelta(seconds=1))
    assert [each.text.split(": ")[-1] for each in found] == ["fell", "Traceback:", "  File x", "later"]


@pytest.mark.parametrize(
    ("text", "minutes"), [("10min", -10), ("10 m", -10), ("2h", -120), ("90s", -1.5), ("13:05", -25),
     ("2026-11-29T12:30", -60), ("2026-11-29T11:30+00:00", -60)]
)  # fmt: skip
def test_since_is_said_as_people_say_it(text: str, minutes: float) -> None:
    assert moment(text, NOW) == NOW + datetime.timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["soon", "", "25:00", "5 fortnights"])
def test_since_that_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)iso|format|range|must"):
        moment(text, NOW)


def test_following_goes_on_over_a_file_that_is_turned_over_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(line(0, "a: before"))
    follower = Follower(tmp_path, [])
    assert follower.fresh() == []
    with path.open("a") as file:
        file.write(line(1, "a: one") + line(2, "a: half")[:-1])
        file.flush()
        assert [each.text.split(": ")[-1] for each in follower.fresh()] == ["one"]
        file.write("\n")
    os.rename(path, tmp_path / "a.log.1")
    path.write_text(line(3, "a: three"))
    (tmp_path / "b.log").write_text(line(2.5, "b: a node that came later"))
    assert [each.text.split(": ")[-1] for each in follower.fresh()] == ["half", "a node that came later", "three"]
