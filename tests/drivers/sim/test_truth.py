"""What the bench world tells of goals: only what is asked for, however long the log."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from drivers.sim.bench.bench_world import goals
from drivers.sim.servos.servo import CENTRE, RAD_PER_TICK
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.world.arms import JOINT_OF_SERVO

SERVOS = {joint: servo for servo, joint in JOINT_OF_SERVO.items()}


def bus(*log: tuple[int, int, int]) -> ServoBus:
    return cast(ServoBus, cast(Any, SimpleNamespace(lock=threading.Lock(), goal_log=log)))


def test_what_stood_before_is_carried_in_and_one_write_is_one_row() -> None:
    before = [(10 + joint, SERVOS[joint], CENTRE + joint) for joint in range(7)]
    later = [(100, SERVOS[0], CENTRE + 50), (100, SERVOS[1], CENTRE + 60), (200, SERVOS[0], CENTRE + 70)]
    times, rows = goals(bus((1, SERVOS[3], CENTRE - 900), *before, *later), 50)
    assert times.tolist() == [100, 200]
    ticks = np.array([[50, 60, 2, 3, 4, 5, 6], [70, 60, 2, 3, 4, 5, 6]])
    assert rows == pytest.approx(ticks * RAD_PER_TICK)


def test_a_row_of_which_a_goal_is_not_known_yet_is_left_out() -> None:
    log = [(100 + joint, SERVOS[joint], CENTRE) for joint in range(7)]
    times, rows = goals(bus(*log), 0)
    assert times.tolist() == [106]
    assert rows.shape == (1, 7)
    assert goals(bus(), 0)[1].shape == (0, 7)
