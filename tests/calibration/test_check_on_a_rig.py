"""The check on the simulated rig, through the real drivers: each fault is found and sized, and nothing else is reported."""

import getpass
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import msgspec
import pytest

from calibration.maths.latency import Lag
from drivers.sim.world.requests import SetServoFault
from station.files import check_results
from station.files.check_results import Finding
from station.rig.rig import Rig
from tests.calibration import faulty_rig
from tests.calibration.faults import FAULTS, Fault, Key
from tests.calibration.faulty_rig import LOADED, bad, findings, inject, station

pytestmark = [pytest.mark.system, pytest.mark.rig, pytest.mark.timeout(400)]

TRIES = 8
"""Of a whole check, for the rates and this computer's disk and ticks depend on what else it does."""


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with faulty_rig.calibrated_rig() as up:
        yield up


def test_a_rig_as_it_was_is_found_as_it_was(rig: Rig) -> None:
    for _ in range(3):
        found = findings(rig)
        assert bad(found) == {}
        assert {f.name for f in found if f.verdict == "unchecked"} == {"gripper range", "latency"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_sized_and_alone(rig: Rig, fault: Fault) -> None:
    found = inject(rig, fault)
    assert set(fault.expected) <= set(found), found
    assert set(found) <= {*fault.expected, *fault.may}
    for key, (size, tolerance) in fault.expected.items():
        if isinstance(size, str):
            assert found[key].value == size
        elif not math.isnan(size):
            assert found[key].value == pytest.approx(size, abs=tolerance)
    if "moved by 5 mm" in fault.name or "20 mm" in fault.name or "turned" in fault.name:
        assert any(finding.verdict == "fail" for finding in found.values())


def test_the_command_writes_what_it_promises(rig: Rig, tmp_path: Path) -> None:
    words = ["--seconds", "2", "--json", str(tmp_path / "c.json"), "--html", str(tmp_path / "c.html")]
    station("check", "--rig", str(rig.file), *words, codes=(0, 1))
    result = json.loads((tmp_path / "c.json").read_text())
    assert set(result) == {"verdict", "findings"}
    assert all(
        set(finding) == {"device", "name", "verdict", "value", "unit", "limit", "next"}
        for finding in result["findings"]
    )
    page = (tmp_path / "c.html").read_text()
    assert page.count("<figure>") == 4
    assert "http" not in page
    last = check_results.last("sim")
    assert last is not None and last.rig_sha256 == rig.sha256
    due = check_results.due("sim", rig.sha256, time.time(), 8.0)
    assert due == ("the last check failed" if result["verdict"] == "fail" else "")  # a loaded computer's rates may fail


def test_a_simulated_rig_that_fails_is_told_and_every_episode_says_what_was_found_and_why_it_was_overridden(
    rig: Rig, tmp_path: Path
) -> None:
    slipped = SetServoFault("follower_left", "slip", 7, 3.0)
    words = ["record", "--rig", str(rig.file), "--task", "pick", "--data", str(tmp_path)]
    faulty_rig.ask(rig, slipped)
    check_results.path_of(rig.name).unlink(missing_ok=True)  # the last check was before the slip
    try:
        told = station(*words, "--headless", "--seconds", "1", "--override", "a test of the override")
        assert "checking now" in told and "check: fail" in told
    finally:
        faulty_rig.ask(rig, msgspec.structs.replace(slipped, value=0.0))
    with h5py.File(tmp_path / "pick" / "episode_0.hdf5") as file:
        check = json.loads(file.attrs["check_result"])
        kept = json.loads(file.attrs["calibration"])
    assert (check["verdict"], check["override"]) == ("fail", "a test of the override")
    assert check["override_by"] == getpass.getuser()
    assert any(f["name"] == "zero wrist_angle" and abs(f["value"] - 3.0) < 0.15 for f in check["findings"])
    assert set(kept) == {device.node for device in rig.devices}
    assert kept["follower_left"]["arm"]["rest_rad"] is not None
    assert kept["cam_high"]["reference"]["picture_jpeg"] == ""


def test_a_late_camera_is_found_and_sized_while_the_arms_move(rig: Rig) -> None:
    found = faulty_rig.late(rig, "cam_high", faulty_rig.LATE_MS)
    for camera in ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist"):
        lag = found[camera]
        assert isinstance(lag, Lag), lag
        assert lag.lag_ms == pytest.approx(faulty_rig.LATE_MS if camera == "cam_high" else 0.0, abs=3.0)


def test_a_gripper_that_opens_a_tenth_too_little_is_found(rig: Rig) -> None:
    found = {f.device: f for f in faulty_rig.short_gripper(rig, "follower_right") if f.name == "gripper range"}
    short = found.pop("follower_right")
    assert short.verdict == "fail"
    assert short.value == pytest.approx(faulty_rig.SHORT_PERCENT, abs=2.0)
    assert {f.verdict for f in found.values()} == {"unchecked"}


def test_a_rig_of_which_everything_was_measured_passes(rig: Rig) -> None:
    rig.file.write_text(faulty_rig.lighter(rig.file.read_text()))
    faulty_rig.restart(rig)
    faulty_rig.measure_grippers(rig)
    faulty_rig.measure_latency(rig)
    faulty_rig.restart(rig)
    for _ in range(TRIES):
        code, result = faulty_rig.check(rig, "--seconds", "3")
        amiss = {(f.device, f.name): f for f in result.findings if f.verdict != "pass"}
        assert (result.verdict, code) == expected(amiss)
        decided_by_load = [f for f in amiss.values() if f.name in LOADED or f.device in ("computer", "disk")]
        assert len(decided_by_load) == len(amiss), amiss
        if not amiss:
            return
    pytest.fail(f"not one of {TRIES} checks passed as a whole: {amiss}")


def expected(amiss: dict[Key, Finding]) -> tuple[str, int]:
    """Verdict and exit code of a check of which this is not a pass."""
    if any(finding.verdict == "fail" for finding in amiss.values()):
        return "fail", 1
    return ("warn", 0) if amiss else ("pass", 0)
