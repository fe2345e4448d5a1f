"""An arm's calibration file holds over the rig file's constants, and a file that cannot be believed keeps the arm closed."""

from pathlib import Path

import pytest

from drivers.dynamixel.joints import RAD_PER_TICK
from station.errors import DeviceWrong
from station.files import calibration_files
from station.files.calibration_files import ArmCalibration, Calibration, GripperRange, Made
from tests.drivers.dynamixel.conftest import MakeArm, Rigged, Still, until

MADE = Made("2026-01-02T03:04:05+00:00", "ada", "rest stops", 120)
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
SHORTER = GripperRange(1.28, -0.62, 0.05, 0.02)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def keep(rigged: Rigged, joints: tuple[str, ...] = JOINTS) -> Path:
    rigged.arm.open()
    serial = rigged.arm.describe().serial
    count = len(joints)
    zeros = ArmCalibration(MADE, joints, (0.1,) * count, (1,) * count, (0.0,) * count, gripper=SHORTER)
    return calibration_files.save(Calibration(serial, "follower_left", "vx300s", arm=zeros))


def test_the_stored_travel_and_zeros_hold_over_the_generation_s(make_arm: MakeArm) -> None:
    plant = Still()
    rigged = make_arm(plant=plant)
    keep(rigged)
    rigged.arm.open()
    assert any("calibrated 2026-01-02 by ada" in note for note in rigged.arm.describe().notes)
    for rad, expected in ((SHORTER.close_rad, 0.0), (SHORTER.open_rad, 1.0)):
        plant.shafts[9] = (rad, 0.0, 0.0)
        assert until(lambda want=expected: abs(rigged.state().position[6] - want) < 2e-3)  # type: ignore[misc]
    state = rigged.state()
    assert state.position[0] == pytest.approx(-0.1, abs=RAD_PER_TICK)
    gripper = rigged.arm.describe().streams[0].dimensions[-1]
    assert gripper.rad_per_unit == pytest.approx(1.90)


def test_the_aperture_is_normalised_by_the_stored_positions(make_arm: MakeArm) -> None:
    plant = Still()
    rigged = make_arm(plant=plant)
    keep(rigged)
    rigged.arm.open()
    plant.shafts[9] = (SHORTER.close_rad, 0.0, 0.0)
    closed_m = 0.01844  # by the linkage, at the angle where the generation is closed
    expected = (closed_m - SHORTER.close_m) / (SHORTER.open_m - SHORTER.close_m)
    assert until(lambda: abs((rigged.state().aperture or 0.0) - expected) < 0.01)


def test_a_torn_file_keeps_the_arm_closed_with_the_reason(make_arm: MakeArm) -> None:
    rigged = make_arm()
    path = keep(rigged)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DeviceWrong, match=r"follower_left on .*torn.*calibrate this device again"):
        rigged.arm.open()


def test_another_arm_s_file_keeps_it_closed(make_arm: MakeArm) -> None:
    rigged = make_arm()
    keep(rigged, joints=JOINTS[:5])
    with pytest.raises(DeviceWrong, match=r"a calibration file of waist, .*wrist_rotate; found one of waist"):
        rigged.arm.open()
