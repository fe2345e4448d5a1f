"""Processes that really stand still for a moment: shorter than `resume_ms` is a pause in the rows, longer is a hold."""

import os
import signal
import threading
import time

import h5py
import numpy as np
import pytest

from station.bus.requests import Stop
from tests.system.rig import Booted, Saved
from tests.system.test_faults import resumes

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

STALL_S = 0.33
"""Between the light rig's `stale_ms` and `resume_ms`, with room for what the computer adds."""
LONG_S = 0.9
NODES = ("leader_left", "follower_right", "pilot")
STATION = "everybody"
WORLD = "world"
"""Is no part of the station: the metal does not stand still with the computer."""


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Instead of the suite's own: the rig outlives its tests."""


def stand_still(rig: Booted, who: str, seconds: float) -> None:
    """Stop one node's process, or all of them, for that long."""
    pids = [rig.pid(who)] if who != STATION else [pid for node, pid in rig.pids().items() if node != WORLD]

    def let_go() -> None:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    go_on = threading.Timer(seconds, let_go)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    go_on.start()
    go_on.join()


def stalled_rows(saved: Saved) -> np.ndarray:
    with h5py.File(saved.path) as file:
        return np.asarray(file["/control/stalled"])


@pytest.mark.parametrize("who", [NODES[0], *(pytest.param(node, marks=pytest.mark.rig) for node in NODES[1:]), STATION])
def test_a_short_one_is_a_pause(rig: Booted, who: str) -> None:
    number = rig.record(rows=25)
    before = rig.pilot()
    assert before is not None
    stand_still(rig, who, STALL_S)
    rig.until("rows after it", lambda: (s := rig.session()) is not None and s.recorded_ticks > 100)
    after = rig.pilot()
    assert after is not None
    assert (after.state, after.holds) == ("engaged", before.holds), rig.told()
    rig.ask("session", Stop())
    saved = rig.saved(number)
    assert saved.ended == ""
    assert set(saved.sources) == {"leader"}
    assert saved.attributes["stalls"] == 1
    assert 1 <= stalled_rows(saved).sum() < 75, "the arms catch up at 0.7 rad/s"
    time.sleep(2.1)  # the next test's is no second one


def test_a_long_one_is_a_hold_and_ends_the_episode(rig: Booted) -> None:
    number = rig.record(rows=25)
    stand_still(rig, "leader_left", LONG_S)
    state = rig.ended(number)
    assert "leader_left has been silent for 4" in state.why
    assert "hold" not in rig.saved(number).sources
    resumes(rig)
