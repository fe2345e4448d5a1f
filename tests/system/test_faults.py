"""Everything that goes wrong in a day of recording, on one rig: what the episode says, what the arms do, what is told.

The rows of docs/reliability.md; each test leaves the rig as it found it.
"""

import random
import re
import resource
import signal
import subprocess
import sys
from typing import Literal

import psutil
import pytest

from station.bus.requests import Align, OpenSession, Recover, Start, Stop
from station.client.faults import fault_told
from station.clock import monotonic_ns
from station.episodes.recover import recover
from station.errors import RequestRefused
from station.runtime.life import was_told
from tests.system.kills import failures, kill
from tests.system.rig import TASK, Booted, Saved, endings

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
MORE = pytest.mark.rig
"""Further cases of what one case already shows: `make test-rig`."""


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Instead of the suite's own: the rig outlives its tests (tests/system/test_soak.py counts what it leaks)."""


def stop(rig: Booted, number: int) -> Saved:
    """The operator's stop."""
    rig.ask("session", Stop())
    return rig.saved(number)


def ends_with(rig: Booted, number: int, *words: str) -> Saved:
    """The episode ends by itself; the session and the file say why, and the rows before it are there."""
    state = rig.ended(number)
    saved = rig.saved(number)
    assert saved.rows >= 25
    assert state.why
    for word in words:
        assert word in saved.ended, saved.ended
    return saved


def other_arm_holds(rig: Booted) -> None:
    """Everybody holds with torque, and the pilot says so."""
    pilot = rig.until("hold", lambda: p if (p := rig.pilot()) is not None and p.state == "hold" else None)
    assert pilot.why
    assert all(arm.torque for arm in pilot.arms if arm.arm != "follower_left")


def resumes(rig: Booted) -> None:
    """One act of the operator, and recording goes on."""
    number = rig.record(rows=5)
    assert stop(rig, number).ended == ""


def test_one_silent_servo_ends_the_episode_and_is_named(rig: Booted) -> None:
    number = rig.record()
    rig.servo_fault("follower_left", "silence", servo=6)
    try:
        ends_with(rig, number, "follower_left", "forearm_roll")
        other_arm_holds(rig)
    finally:
        rig.servo_fault("follower_left", "speak")
    resumes(rig)


def test_corrupted_packets_cost_no_row(rig: Booted) -> None:
    for arm in ("leader_left", "follower_left"):
        rig.servo_fault(arm, "noise", value=0.05)
    try:
        number = rig.record(rows=100)
        saved = stop(rig, number)
        assert saved.ended == ""
        assert saved.rows >= 100
        rig.until(
            "a count of bad packets",
            lambda: (h := rig.health("follower_left")) is not None and h.readings["bad_packets"] > 0,
        )
    finally:
        for arm in ("leader_left", "follower_left"):
            rig.servo_fault(arm, "noise", value=0.0)


@pytest.mark.parametrize("arm", ["follower_left", pytest.param("leader_left", marks=MORE)])
def test_a_cable_out_and_back(rig: Booted, arm: str) -> None:
    number = rig.record()
    rig.servo_fault(arm, "unplug")
    try:
        ends_with(rig, number, arm)
        other_arm_holds(rig)
        fault = rig.until("fault told", lambda: h if (h := rig.health(arm)) and h.state == "fault" else None)
        assert "cable" in fault.error
    finally:
        plugged_ns = monotonic_ns()
        rig.servo_fault(arm, "replug")
    rig.until(f"{arm} back", lambda: rig.well(arm, plugged_ns))
    assert rig.phase() == "hold"  # readings only: torque and motion wait for the operator
    resumes(rig)


def test_an_overloaded_servo_is_named_and_restarted_by_the_operator_alone(rig: Booted) -> None:
    number = rig.record()
    rig.servo_fault("follower_left", "overload", servo=8)
    ends_with(rig, number, "wrist_rotate", "overload", "support the arm")
    other_arm_holds(rig)
    with pytest.raises(RequestRefused, match=r"wrist_rotate.*recover"):
        rig.ask("session", Align())
    rig.ask("pilot", Recover("follower_left"))
    rig.until(
        "a rebooted servo that is limp",
        lambda: (h := rig.health("follower_left")) and "wrist_rotate has no torque while others have" in h.error,
    )
    resumes(rig)
    assert "wrist_rotate" not in (rig.health("follower_left") or pytest.fail("no health")).error


@pytest.mark.parametrize("what", ["freeze", pytest.param("refuse", marks=MORE)])
def test_a_camera_lost(rig: Booted, what: Literal["freeze", "refuse"]) -> None:
    number = rig.record()
    rig.camera_fault("cam_high", what)
    try:
        ends_with(rig, number, "cam_high")
    finally:
        mended_ns = monotonic_ns()
        rig.camera_fault("cam_high", "none")
    rig.until("camera back", lambda: rig.well("cam_high", mended_ns))
    resumes(rig)


def test_a_slow_camera_is_told_and_its_rows_say_how_old_they_are(rig: Booted) -> None:
    rig.ready()
    rig.camera_fault("cam_low", "slow", 4.0)
    try:
        rig.until("warning", lambda: (h := rig.health("cam_low")) and "instead of 15" in h.error)
        saved = stop(rig, rig.record(rows=75))
        assert saved.ended == ""
        assert saved.stale["cam_low"] > 0
        assert saved.ages_s["cam_low"].max() > 0.1
    finally:
        rig.camera_fault("cam_low", "none")


NODES: dict[str, tuple[str, ...]] = {
    "follower_left": ("follower_left",),
    "leader_right": ("leader_right",),
    "pilot": ("hold",),
    "synchronizer": ("the synchronizer was killed",),
    "session": ("the session node was killed",),
}


@pytest.mark.parametrize(
    ("node", "number_of_signal"),
    [
        *((node, signal.SIGKILL) for node in NODES),
        ("follower_left", signal.SIGSTOP),
        *(pytest.param(node, signal.SIGSTOP, marks=MORE) for node in NODES if node != "follower_left"),
    ],
)
def test_a_node_killed_or_stopped(rig: Booted, node: str, number_of_signal: signal.Signals) -> None:
    number = rig.record()
    life = rig.life(node)
    rig.signal(node, number_of_signal)
    rig.until(f"{node} back", lambda: rig.life_began_ns(node, life))
    ends_with(rig, number, *NODES[node])
    resumes(rig)


@pytest.mark.parametrize("number_of_signal", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=MORE)])
def test_a_cameras_driver_killed_or_stopped(rig: Booted, number_of_signal: signal.Signals) -> None:
    """Back within `camera_loss_s` the episode goes on and its rows say how old the picture is; else it ends."""
    number = rig.record()
    life = rig.life("cam_low")
    rig.signal("cam_low", number_of_signal)
    rig.until("cam_low back", lambda: rig.life_began_ns("cam_low", life))
    rig.align()
    saved = rig.saved(number)
    assert "cam_low" in saved.ended or saved.stale["cam_low"] > 0, (saved.ended, saved.rows, saved.stale)
    resumes(rig)


def test_a_disk_that_fills_midway(rig: Booted) -> None:
    number = rig.record()
    recorder = psutil.Process(rig.pid("synchronizer"))
    journal = rig.data / TASK / f"episode_{number}.mcap.part"
    before = recorder.rlimit(resource.RLIMIT_FSIZE)
    recorder.rlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 2_000_000, before[1]))
    try:
        ends_with(rig, number, "no room left")
    finally:
        recorder.rlimit(resource.RLIMIT_FSIZE, before)
    resumes(rig)


def test_a_data_folder_that_goes_away(rig: Booted) -> None:
    number = rig.record()
    folder, away = rig.data / TASK, rig.data.parent / "away"
    folder.rename(away)
    try:
        state = rig.ended(number)
        state = rig.until("loss told", lambda: s if (s := rig.session()) and not s.finalising else None)
        assert f"episode {number} is not saved" in state.why
        assert "bring the disk back" in state.why
        with pytest.raises(RequestRefused, match="is gone"):
            rig.align()
            rig.ask("session", Start())
    finally:
        away.rename(folder)
    [recovered] = [r for r in recover(rig.data) if r.outcome == "saved"]
    assert recovered.rows >= 25
    resumes(rig)


def test_a_killed_supervisor_takes_everybody_down_in_order_and_the_next_start_recovers(rig: Booted) -> None:
    number = rig.record()
    acknowledged = rig.session().recorded_ticks  # type: ignore[union-attr]
    pids = rig.pids()
    rig.signal("leader_left", signal.SIGSTOP)  # even one that cannot hear it must not be in the way of the next start
    rig.supervisor.kill()
    rig.supervisor.wait()
    try:
        ends = endings({node: pid for node, pid in pids.items() if node != "leader_left"})
        stopped = fault_told(rig.rig)
    finally:
        rig.start()
        rig.ready()
        attached = fault_told(rig.rig)
        was_told(rig.rig.name)
        rig.open_session()
    assert "supervisor was killed" in stopped
    for told in (stopped, attached):
        assert re.search(rf"{TASK}: [0-9]+ saved, .*nothing lost. Next: `station record --rig .* goes on", told), told
    assert not fault_told(rig.rig)
    assert ends["synchronizer"] <= ends["pilot"] <= ends["follower_right"] <= ends["world"]
    assert ends["synchronizer"] < ends["world"]
    saved = rig.saved(number)
    assert saved.rows >= acknowledged
    assert saved.ended == "the station stopped"
    resumes(rig)


def test_a_data_folder_that_cannot_be_written(rig: Booted) -> None:
    rig.close_session()
    with pytest.raises(RequestRefused, match=r"/sys/data/faults cannot be written: .* Next: name another folder"):
        rig.ask("session", OpenSession(TASK, "/sys/data"))
    resumes(rig)


def test_a_second_station_is_told_who_owns_the_rig(rig: Booted) -> None:
    before = rig.pids()
    command = [sys.executable, "-m", "station.runtime.supervisor", "--rig", str(rig.rig.file)]
    second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert (
        f"supervisor of rig faults is already run by process {rig.supervisor.pid}. Next: use the running"
        in second.stderr
    )
    assert rig.pids() == before


@pytest.mark.rig
def test_a_few_kills_of_everybody(rig: Booted) -> None:
    chance = random.Random(3)
    done = [
        kill(rig, node, chance)
        for node in ("follower_right", "synchronizer", "pilot", "cam_high", "session", "leader_left")
    ]
    assert not failures(done, rig.rig.safety.velocity_rad_s)
