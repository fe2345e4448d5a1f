"""The check on the simulated rig, through the real drivers: each fault is found and sized, and nothing else fails."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from calibration import board as boards
from calibration import checks_arms, checks_cameras
from calibration.survey import survey
from drivers.sim.requests import SetCameraFault, SetServoFault
from station import calibration_files, check_results
from station.bus.sockets import Asker
from station.clock import monotonic_ns
from station.rig import SHIPPED, load_rig

pytestmark = [pytest.mark.system, pytest.mark.rig, pytest.mark.timeout(400)]

ENVIRONMENT = ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
LISTEN_S = 2.5


def station(*words, codes=(0,)):
    done = subprocess.run(
        [Path(sys.executable).with_name("station"), *words], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rig():
    """The simulated rig, up, its arms' rest and its cameras' pictures kept."""
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/tmp"))
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update({name: str(folder / name[4:7].lower()) for name in ENVIRONMENT})
    for name in ENVIRONMENT:
        Path(os.environ[name]).mkdir(mode=0o700)
    file = folder / "sim.yaml"
    file.write_text((SHIPPED / "sim.yaml").read_text().replace("~/station-data", str(folder / "data")))
    try:
        station("up", "--rig", str(file))
        station("calibrate", "arms", "--rig", str(file), "--operator", "ada", "--yes", "--placings", "1")
        station("calibrate", "cameras", "--rig", str(file), "--operator", "ada", "--yes")
        yield load_rig(file)
    finally:
        station("stop", "--rig", str(file))
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        shutil.rmtree(folder)


def findings(rig):
    """What the check says about arms and cameras now, but for what the load of this computer decides."""
    known = {calibration.serial: calibration for calibration in calibration_files.load_all()}
    seen = survey(rig, LISTEN_S, monotonic_ns)
    cameras, _ = checks_cameras.check(rig, seen, known, boards.Board())
    loaded = ("bus rate", "serial latency", "failed readings", "frame rate", "frame jitter", "servos", "state")
    return [finding for finding in (*checks_arms.check(rig, seen, known), *cameras) if finding.name not in loaded]


def bad(found):
    return {(finding.device, finding.name): finding for finding in found if finding.verdict in ("warn", "fail")}


def ask(rig, request):
    with Asker(rig.name, "world") as world:
        world.ask(request, 5000)
    time.sleep(0.7)  # a few pictures, so that the ones surveyed are of the new world


def test_a_rig_as_it_was_is_found_as_it_was(rig):
    for _ in range(3):
        found = findings(rig)
        assert bad(found) == {}
        assert {f.name for f in found if f.verdict == "unchecked"} == {"gripper range"}


@pytest.mark.parametrize(("degrees", "verdict"), [(1.0, "fail"), (-3.0, "fail"), (90.0, "fail")])
def test_a_slipped_horn_is_named_and_sized(rig, degrees, verdict):
    ask(rig, SetServoFault("follower_left", "slip", 7, degrees))
    try:
        found = bad(findings(rig))
    finally:
        ask(rig, SetServoFault("follower_left", "slip", 7, 0.0))
    joint = found.pop(("follower_left", "zero wrist_angle"))
    assert joint.verdict == verdict
    assert joint.value == pytest.approx(abs(degrees), abs=0.15)
    pairs = found.pop(("leader_left, follower_left", "leader against follower wrist_angle"), None)
    assert pairs is not None
    assert found == {}


@pytest.mark.parametrize("camera", ["cam_high", "cam_low"])
@pytest.mark.parametrize(("what", "value"), [("move", 5.0), ("move", 20.0), ("turn", 0.5), ("turn", 2.0)])
def test_a_moved_camera_never_passes(rig, camera, what, value):
    ask(rig, SetCameraFault(camera, what, value))
    try:
        found = bad(findings(rig))
    finally:
        ask(rig, SetCameraFault(camera, "none"))
    assert {device for device, _ in found} == {camera}
    assert any(
        finding.verdict == "fail" and finding.name.startswith(("place", "direction")) for finding in found.values()
    )


@pytest.mark.parametrize(("what", "value", "name"), [("blur", 2.0, "sharpness"), ("dark", 0.6, "exposure")])
def test_a_blurred_or_darkened_camera_is_told(rig, what, value, name):
    ask(rig, SetCameraFault("cam_high", what, value))
    try:
        found = bad(findings(rig))
    finally:
        ask(rig, SetCameraFault("cam_high", "none"))
    assert found.pop(("cam_high", name)).verdict == "fail"
    assert {device for device, _ in found} <= {"cam_high"}


def test_a_hot_servo_is_named(rig):
    ask(rig, SetServoFault("follower_right", "register", 4, 69, "Present Temperature"))
    try:
        deadline = time.monotonic() + 20
        while ("follower_right", "temperature elbow") not in (
            found := bad(findings(rig))
        ) and time.monotonic() < deadline:
            pass
    finally:
        ask(rig, SetServoFault("follower_right", "register", 4, 32, "Present Temperature"))
    assert found["follower_right", "temperature elbow"].value == 69


def test_the_command_writes_what_it_promises(rig, tmp_path):
    station(
        "check",
        "--rig",
        str(rig.file),
        "--seconds",
        "2",
        "--json",
        str(tmp_path / "c.json"),
        "--html",
        str(tmp_path / "c.html"),
        codes=(0, 1),
    )
    result = json.loads((tmp_path / "c.json").read_text())
    assert set(result) == {"verdict", "findings"}
    assert all(
        set(finding) == {"device", "name", "verdict", "value", "unit", "limit", "next"}
        for finding in result["findings"]
    )
    page = (tmp_path / "c.html").read_text()
    assert page.count("<figure>") == 4
    assert "http" not in page
    assert check_results.last("sim").rig_sha256 == rig.sha256
    due = check_results.due("sim", rig.sha256, time.time(), 8.0)
    assert due == ("the last check failed" if result["verdict"] == "fail" else "")  # a loaded computer's rates may fail
