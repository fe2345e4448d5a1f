"""Some of what may happen to an arm on the network (`pendant_faults`), once each, in a whole rig. `arm_faults` does a hundred."""

import random

import pytest

from tests.system.arm_faults import bare, faults_of, sat_at, trial, with_their_files
from tests.system.arm_trials import failures, table

pytestmark = [pytest.mark.system, pytest.mark.rig, pytest.mark.timeout(180)]
TRIED = (
    "collision", "another mode in Studio", "silent link", "closed sockets", "object dropped", "clock + 100 ppm",
    "latency and jitter of a LAN",
)  # fmt: skip


def test_no_fault_loses_a_row_moves_an_arm_or_goes_unnamed() -> None:
    done = []
    with bare("sim_gello_xarm7") as rig, sat_at(rig) as desk:
        rig.open_session()
        for number, fault in enumerate(fault for fault in faults_of(rig) if fault.name in TRIED):
            done.append(trial(rig, desk, number, fault, random.Random(number)))
        rig.close_session()
        done = with_their_files(rig, done)
    assert len(done) == len(TRIED)
    assert not failures(done, rig.rig.safety.velocity_rad_s), table(done)
    assert all(one.acknowledged > 15 for one in done), table(done)
