from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from station.policy.folder import load_policy
from station.policy.runner_core import FAULTS_IN_A_ROW, RunnerCore, TickSetpoint
from tests.station.policy import policies

TICK_NS = 20_000_000
MS = 1_000_000


def core(folder: Path, **changes: Any) -> RunnerCore:
    return RunnerCore(load_policy(policies.write(folder, **({"chunk": 10} | changes))), 50)


def rows(observed: int, chunk: int = 10) -> np.ndarray:
    """A chunk whose row for tick k says k, and which observation it is from."""
    ticks = np.arange(observed, observed + chunk, dtype=float)
    return np.stack([ticks, np.full(chunk, float(observed)), np.zeros(chunk)], axis=1)


def answer(runner: RunnerCore, observed: int, now: int) -> None:
    runner.inferring(observed * TICK_NS)
    runner.answered(runner.rollout, observed * TICK_NS, rows(observed), 5 * MS, now * TICK_NS)


def test_nothing_is_asked_before_the_first_chunk_and_after_the_end(tmp_path: Path) -> None:
    runner = core(tmp_path)
    assert not runner.may_infer()
    assert runner.tick(0, 0) is None
    runner.begin()
    assert runner.may_infer()
    assert runner.tick(1, TICK_NS) is None
    assert not runner.asking
    answer(runner, 1, 2)
    assert runner.tick(2, 2 * TICK_NS) == TickSetpoint(2, 2 * TICK_NS, (2.0, 1.0, 0.0), False)
    assert runner.asking
    runner.end()
    assert runner.tick(3, 3 * TICK_NS) is None
    assert not runner.may_infer()


def test_one_inference_at_a_time(tmp_path: Path) -> None:
    runner = core(tmp_path)
    runner.begin()
    runner.inferring(0)
    assert not runner.may_infer()
    runner.answered(runner.rollout, 0, rows(0), MS, MS)
    assert runner.may_infer()


def test_an_inference_begins_no_sooner_than_every_so_many_ticks(tmp_path: Path) -> None:
    runner = core(tmp_path, execution={"mode": "ensemble", "k": 0.01, "every_ticks": 4})
    runner.begin()
    begun = []
    for tick in range(12):
        runner.tick(tick, tick * TICK_NS)
        if runner.may_infer():
            begun.append(tick)
            answer(runner, tick, tick)
    assert begun == [0, 4, 8]
    runner.tick(12, 12 * TICK_NS)
    runner.inferring(12 * TICK_NS)
    runner.unseen(runner.rollout, "no picture")
    assert runner.may_infer()
    runner.begin()
    assert runner.may_infer()


def test_what_is_buffered_is_followed_then_it_holds_where_it_was(tmp_path: Path) -> None:
    runner = core(tmp_path)
    runner.begin()
    answer(runner, 0, 1)
    setpoints = [runner.tick(k, k * TICK_NS) for k in range(1, 15)]
    assert all(setpoint is not None for setpoint in setpoints)
    assert [setpoint.hold for setpoint in setpoints if setpoint] == [False] * 9 + [True] * 5
    assert {(setpoint.goal, setpoint.why) for setpoint in setpoints if setpoint and setpoint.hold} == {
        ((9.0, 0.0, 0.0), "its chunks come too late for this tick")
    }
    assert runner.readings()["starved_ticks"] == 5
    assert runner.troubled
    answer(runner, 14, 15)
    assert not runner.troubled
    recovered = runner.tick(15, 15 * TICK_NS)
    assert recovered == TickSetpoint(15, 15 * TICK_NS, (15.0, 14.0, 0.0), False)


def test_bad_answers_are_counted_and_too_many_in_a_row_end_it(tmp_path: Path) -> None:
    runner = core(tmp_path)
    runner.begin()
    answer(runner, 0, 1)
    for _ in range(FAULTS_IN_A_ROW - 1):
        runner.inferring(0)
        runner.failed(runner.rollout, "found nan")
    assert runner.phase == "running"
    answer(runner, 1, 2)
    for _ in range(FAULTS_IN_A_ROW):
        assert runner.may_infer()
        runner.inferring(0)
        runner.failed(runner.rollout, "found nan")
    assert (runner.phase, runner.why) == ("fault", "found nan")
    assert not runner.may_infer()
    followed = runner.tick(5, 5 * TICK_NS)
    assert followed is not None
    assert not followed.hold, "what is buffered is still followed"
    held = runner.tick(50, 50 * TICK_NS)
    assert held is not None
    assert held.hold
    assert runner.readings()["faults"] == 2 * FAULTS_IN_A_ROW - 1
    runner.begin()
    assert (runner.phase, runner.why, runner.readings()["faults"]) == ("running", "", 0)


def test_a_missing_picture_is_no_fault_of_the_backends(tmp_path: Path) -> None:
    runner = core(tmp_path)
    runner.begin()
    for _ in range(5 * FAULTS_IN_A_ROW):
        runner.inferring(0)
        runner.unseen(runner.rollout, "cam_high is 2.0 s old")
    assert (runner.phase, runner.why, runner.troubled) == ("running", "cam_high is 2.0 s old", True)
    assert runner.readings()["missing_frames"] == 5 * FAULTS_IN_A_ROW


def test_answers_to_an_earlier_rollout_are_dropped(tmp_path: Path) -> None:
    runner = core(tmp_path)
    first = runner.begin()
    runner.inferring(0)
    runner.end()
    runner.begin()
    assert not runner.may_infer(), "the backend is still busy with the old one"
    runner.answered(first, 0, rows(0), MS, TICK_NS)
    assert runner.may_infer()
    assert runner.tick(1, TICK_NS) is None
    runner.failed(first, "old")
    assert runner.why == ""


def test_a_hang_is_an_answer_that_is_overdue_beyond_all_use(tmp_path: Path) -> None:
    short, long = core(tmp_path / "short"), core(tmp_path / "long", chunk=100)
    assert (short.hang_ns, long.hang_ns) == (2_000 * MS, 4_000 * MS)
    short.begin()
    assert not short.hung(10**15)
    short.inferring(0)
    assert not short.hung(2_000 * MS)
    assert short.hung(2_001 * MS)
    short.failed(short.rollout, "late after all")
    assert not short.hung(10**15)


def test_delay_is_from_the_observation_and_windowed(tmp_path: Path) -> None:
    runner = core(tmp_path)
    assert "delay_p95_ms" not in runner.readings()
    runner.begin()
    for k in range(300):
        runner.inferring(k * TICK_NS)
        delay_ns = 100 * MS if k < 40 else 10 * MS
        runner.answered(runner.rollout, k * TICK_NS, rows(k), 5 * MS, k * TICK_NS + delay_ns)
    readings = runner.readings()
    assert readings["delay_p95_ms"] == pytest.approx(10), "an early spike is forgotten"
    assert readings["inference_p95_ms"] == pytest.approx(5)


@pytest.mark.slow
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 300), st.sampled_from(["good", "good", "good", "nan", "blind"])), max_size=60))
def test_whatever_the_backend_does_every_tick_has_its_own_setpoint(
    tmp_path: Path, answers: list[tuple[int, str]]
) -> None:
    """Latencies of 1 to 300 ms, bad answers, none at all: no tick skipped, no other tick's row, no number made up."""
    runner = core(tmp_path)
    runner.begin()
    script = iter(answers)
    in_flight: tuple[int, int, str] | None = None
    covered = -1
    asking, previous = False, float("nan")
    for k in range(1, 150):
        now_ns = k * TICK_NS + 3 * MS
        if in_flight is not None and in_flight[0] <= now_ns:
            arrives, observed, kind = in_flight
            in_flight = None
            if kind == "good":
                runner.answered(runner.rollout, observed * TICK_NS, rows(observed), MS, arrives)
                covered = max(covered, observed + 9)
            elif kind == "nan":
                runner.failed(runner.rollout, "found nan")
            else:
                runner.unseen(runner.rollout, "cam_high is old")
        setpoint = runner.tick(k, k * TICK_NS)
        asking = asking or covered >= k
        assert (setpoint is not None) == asking
        if setpoint is not None:
            assert setpoint.hold == (covered < k)
            assert setpoint.goal[0] == (k if not setpoint.hold else previous)
            previous = setpoint.goal[0]
        if runner.may_infer() and (following := next(script, None)) is not None:
            runner.inferring(now_ns)
            in_flight = (now_ns + following[0] * MS, k, following[1])
