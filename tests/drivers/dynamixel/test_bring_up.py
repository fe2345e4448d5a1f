"""Who is there, what is set, what is refused."""

import fcntl
import os
import pty
import threading
import time
from pathlib import Path

import msgspec
import pytest

from drivers.dynamixel.arm import DynamixelArm
from drivers.dynamixel.bus import Bus, _pinged
from drivers.sim.servos.servo_bus import ServoSpec
from drivers.sim.servos.shaft import aloha_arm_servos
from station.cli.commands import COMMANDS
from station.clock import monotonic_ns
from station.devices.contract import ArmDriver, Place
from station.errors import DeviceBusy, DeviceMissing, DeviceWrong
from station.files import calibration_files
from station.files.calibration_files import ArmCalibration, Calibration, Made
from tests.drivers.dynamixel.conftest import MakeArm, Rigged, until


def changed(servo_id: int, **registers: int) -> list[ServoSpec]:
    """A ViperX with registers of one servo changed."""
    own = {name.replace("_", " "): value for name, value in registers.items()}
    return [
        spec._replace(registers={**spec.registers, **own}) if spec.id == servo_id else spec
        for spec in aloha_arm_servos("vx300s", "aloha1")
    ]


def test_describes_what_flows(make_arm: MakeArm) -> None:
    rigged = make_arm()
    assert isinstance(rigged.arm, ArmDriver)
    rigged.arm.open()
    description = rigged.arm.describe()
    (stream,) = description.streams
    assert [dimension.name for dimension in stream.dimensions] == [
        "waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper",
    ]  # fmt: skip
    shoulder, gripper = stream.dimensions[1], stream.dimensions[6]
    assert (shoulder.lower, shoulder.upper) == pytest.approx((-1.8515, 1.2563), abs=1e-3)
    assert (gripper.lower, gripper.upper, gripper.compliant) == (0.0, 1.0, True)
    assert gripper.rad_per_unit == pytest.approx(2.1123)
    for d in stream.dimensions:
        assert d.sleep is not None and d.start is not None
        assert d.lower <= d.sleep <= d.upper and d.lower <= d.start <= d.upper
    assert description.model == "vx300s"
    assert description.firmware == "46"
    assert description.commands == "position"


@pytest.mark.parametrize(
    ("servo_id", "registers", "name", "value"),
    [
        (1, {"Return_Delay_Time": 250}, "Return Delay Time", 0),
        (4, {"Operating_Mode": 4}, "Operating Mode", 3),
        (9, {"Operating_Mode": 3}, "Operating Mode", 5),
        (9, {"Current_Limit": 1193}, "Current Limit", 200),
        (7, {"Min_Position_Limit": 0}, "Min Position Limit", 830),
        (7, {"Drive_Mode": 0}, "Drive Mode", 1),
        (3, {"Secondary(Shadow)_ID": 255}, "Secondary(Shadow) ID", 2),
    ],
)
def test_eeprom_is_put_right_while_torque_is_off_and_told(
    make_arm: MakeArm, servo_id: int, registers: dict[str, int], name: str, value: int
) -> None:
    rigged = make_arm(servos=changed(servo_id, **registers))
    rigged.arm.open()
    assert rigged.bus.register(servo_id, name) == value
    assert any("set " in note and name in note for note in rigged.arm.describe().notes)
    rigged.arm.open()
    assert not any("set " in note for note in rigged.arm.describe().notes)


def test_writing_a_primary_leaves_its_shadow_right(make_arm: MakeArm) -> None:
    """A shadow obeys what is written to its primary's ID: its own Drive Mode must still be its own in the end."""
    rigged = make_arm(servos=changed(2, Drive_Mode=0))
    rigged.arm.open()
    assert [rigged.bus.register(servo_id, "Drive Mode") for servo_id in (2, 3)] == [1, 0]
    assert rigged.bus.register(3, "Secondary(Shadow) ID") == 2


def test_with_torque_on_a_wrong_value_is_refused_and_nothing_written(make_arm: MakeArm) -> None:
    rigged = make_arm(servos=changed(4, Operating_Mode=4, Torque_Enable=1))
    with pytest.raises(DeviceWrong) as refused:
        rigged.arm.open()
    for told in ("follower_left on", "elbow (ID 4)", "Operating Mode 4 instead of 3", "hold the arm with both hands"):
        assert told in str(refused.value)
    assert rigged.bus.register(4, "Operating Mode") == 4
    assert rigged.bus.register(4, "Torque Enable") == 1


def test_torque_that_is_on_stays_on_and_its_goal_is_kept(make_arm: MakeArm) -> None:
    servos = [
        spec._replace(registers={**spec.registers, "Torque Enable": 1}) for spec in aloha_arm_servos("vx300s", "aloha1")
    ]
    rigged = make_arm(servos=servos)
    rigged.bus.set_register(6, "Goal Position", 2148)
    rigged.arm.open()
    assert rigged.arm.torque_on()
    assert rigged.arm.goal()[3] == pytest.approx(100 * 0.0015339808)
    assert rigged.bus.register(6, "Goal Position") == 2148
    assert rigged.bus.register(1, "Profile Velocity") == 130


@pytest.mark.slow
def test_missing_servos_are_named(make_arm: MakeArm) -> None:
    rigged = make_arm(servos=[spec for spec in aloha_arm_servos("vx300s", "aloha1") if spec.id not in (7, 8)])
    with pytest.raises(DeviceMissing, match=r"no answer from wrist_angle \(ID 7\), wrist_rotate \(ID 8\)"):
        rigged.arm.open()


@pytest.mark.slow
def test_no_power_is_told_apart(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.bus.faults.silence()
    with pytest.raises(DeviceMissing, match="switch the arm's power supply on"):
        rigged.arm.open()


def test_replies_to_whoever_had_the_port_before_and_died_are_waited_for(tmp_path: Path) -> None:
    """They are nobody's: one that comes after the first ping would be taken for its answer."""
    master, slave = pty.openpty()
    (tmp_path / "port").symlink_to(os.ttyname(slave))
    replies = 20

    def reply() -> None:
        nonlocal replies
        while replies:
            os.write(master, bytes(STATUS))
            replies -= 1
            time.sleep(0.003)  # as one servo's comes after another's

    late = threading.Thread(target=reply)
    bus = Bus("follower_left", str(tmp_path / "port"), 1_000_000, monotonic_ns)
    try:
        late.start()
        bus.open()
        assert replies == 0
    finally:
        bus.close()
        late.join()
        os.close(master)
        os.close(slave)


STATUS = [0xFF, 0xFF, 0xFD, 0, 1, 14, 0, 0x55, 0, *[0] * 10, 0, 0]
"""Of servo 1, as the SDK hands it over: ten registers that are 0."""


def test_a_servo_that_answers_a_ping_with_something_else_has_not_answered() -> None:
    """As a reply to an earlier request is, that comes late: the SDK takes its first two bytes for a model's number."""
    assert _pinged(STATUS) is None
    assert _pinged([*STATUS[:5], 7, 0, 0x55, 0, 0x60, 0x04, 44, 0, 0]) == 1120


def test_a_strange_servo_is_named(make_arm: MakeArm) -> None:
    servos = [*aloha_arm_servos("vx300s", "aloha1"), ServoSpec(42, "xl430_w250", {})]
    rigged = make_arm(servos=servos)
    with pytest.raises(DeviceWrong, match="a strange xl430_w250 with ID 42"):
        rigged.arm.open()


def test_a_leader_on_the_followers_cable_is_named(make_arm: MakeArm) -> None:
    rigged = make_arm(servos=aloha_arm_servos("wx250s", "aloha1"))
    with pytest.raises(DeviceWrong, match=r"waist \(ID 1\) is a xm430_w350, not xm540_w270.*not swapped"):
        rigged.arm.open()


def test_no_port(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.bus.faults.unplug()
    with pytest.raises(DeviceMissing, match="no such device"):
        rigged.arm.open()


def test_a_port_that_is_in_use_names_its_owner(make_arm: MakeArm) -> None:
    rigged = make_arm()
    other = os.open(rigged.bus.link, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DeviceBusy, match=f"process {os.getpid()} "):
            rigged.arm.open()
    finally:
        os.close(other)
    rigged.arm.open()


def test_two_drivers_do_not_share_a_port(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    second = DynamixelArm(rigged.arm._settings, Place("second", "follower", rigged.arm._place.clock, 3.14, 100.0))
    with pytest.raises(DeviceBusy):
        second.open()
    assert rigged.state()


def test_a_leaders_torque_and_mode_are_left(make_arm: MakeArm) -> None:
    rigged = make_arm("leader", "wx250s", "aloha2")
    rigged.arm.open()
    assert rigged.bus.register(1, "Profile Velocity") == 0
    assert not rigged.arm.torque_on()
    assert rigged.bus.register(9, "Operating Mode") == 3


def test_a_foreign_homing_offset_is_a_fault_that_says_which_way_and_keeps_the_torque_off(make_arm: MakeArm) -> None:
    rigged = make_arm(servos=changed(1, Homing_Offset=1024))
    rigged.arm.open()
    about = rigged.arm.describe()
    (fault,) = about.faults
    assert fault.what.startswith("waist: Homing Offset is 1024 ticks where 0 belongs")
    assert "the joint reads 90.0° more than where it is" in fault.what
    assert "set Homing Offset of servo ID 1 to 0" in fault.next
    assert fault.what in about.notes
    assert not any("Homing" in note for note in about.changed), "nobody put it right"
    with pytest.raises(DeviceWrong, match=r"Homing Offset is 1024.*Next: support the arm"):
        rigged.arm.torque(True)
    assert not rigged.arm.torque_on()


def test_what_was_set_is_told_as_put_right(make_arm: MakeArm) -> None:
    rigged = make_arm(servos=changed(2, Operating_Mode=4))
    rigged.arm.open()
    about = rigged.arm.describe()
    assert any("shoulder: set Operating Mode 4 instead of 3" in note for note in about.changed)
    assert about.faults == ()


@pytest.mark.parametrize(("torque", "told"), [(1, True), (0, False)])
def test_on_an_arm_that_is_only_read_torque_is_the_fault(make_arm: MakeArm, torque: int, told: bool) -> None:
    rigged = gello(make_arm)
    rigged.bus.set_register(3, "Torque Enable", torque)
    rigged.arm.open()
    assert rigged.arm.condition() == (("ready", "", "") if torque else ("off", "", ""))
    assert any("elbow has torque on an arm that is only read" in warning for warning in rigged.arm.warnings()) == told


def gello(make_arm: MakeArm, **registers: int) -> Rigged:
    names = {name.replace("_", " "): value for name, value in registers.items()}
    servos = [
        ServoSpec(n, "xl330_m288", {"Temperature Limit": 70, "Return Delay Time": 0, **(names if n == 2 else {})})
        for n in range(1, 8)
    ]
    gripper = {"open_rad": 3.5, "close_rad": 2.8}
    return make_arm("leader", "gello", None, servos, gripper=gripper, offsets_rad=[0.0] * 6, rate_hz=30.0, baud=57_600)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed_to", "told"),
    [
        ({"Drive_Mode": 1}, "shoulder: Drive Mode is 1, and was 0 when the arm was calibrated on 2026-01-02: it counts the other way"),
        ({"Homing_Offset": -512}, "shoulder: Homing Offset is -512, and was 0 when the arm was calibrated on 2026-01-02: the joint "
                                  "reads 45.0° less than where it was calibrated"),
        ({"Operating_Mode": 4}, "shoulder: Operating Mode is 4, and was 3"),
    ],
)  # fmt: skip
def test_a_calibration_does_not_outlive_what_it_rests_on(
    make_arm: MakeArm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed_to: dict[str, int], told: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    first = gello(make_arm)
    first.arm.open()
    about = first.arm.describe()
    assert about.settings["shoulder.Drive Mode"] == 0
    joints = tuple(dimension.name for dimension in about.streams[0].dimensions[:-1])
    made = Made("2026-01-02T03:04:05+00:00", "ada", "start pose", 120)
    zeros = ArmCalibration(made, joints, (0.0,) * 6, (1,) * 6, (0.0,) * 6, settings=about.settings)
    calibration_files.save(Calibration(about.serial, "leader_left", "gello", arm=zeros))
    first.arm.open()
    assert first.arm.describe().faults == ()
    first.bus.set_register(2, *next((name.replace("_", " "), value) for name, value in changed_to.items()))
    first.arm.open()
    (fault,) = first.arm.describe().faults
    assert fault.what.startswith(told)
    older = msgspec.structs.replace(zeros, settings={})
    calibration_files.save(Calibration(about.serial, "leader_left", "gello", arm=older))
    first.arm.open()
    assert first.arm.describe().faults == (), "an older file says nothing of it"


def test_every_servo_has_the_limits_of_its_model(make_arm: MakeArm) -> None:
    small, large = gello(make_arm), make_arm()
    for rigged in (small, large):
        rigged.arm.open()
    limit = small.arm.describe().limits["shoulder.voltage_v"]
    assert (limit.warn_below, limit.fail_below, limit.fail_above) == pytest.approx((4.35, 3.7, 6.6))
    hot = small.arm.describe().limits["shoulder.temperature_c"]
    assert (hot.warn_above, hot.fail_above) == pytest.approx((48.125, 59.5))
    limit = large.arm.describe().limits["shoulder_shadow.voltage_v"]
    assert (limit.warn_below, limit.fail_below) == (11.0, 10.0)
    hot = large.arm.describe().limits["shoulder.temperature_c"]
    assert (hot.warn_above, hot.fail_above) == (55.0, 68.0)


@pytest.mark.slow
def test_a_gellos_servos_are_on_what_they_are_built_for(make_arm: MakeArm) -> None:
    rigged = gello(make_arm)
    rigged.arm.open()

    def volts() -> dict[str, float]:
        rigged.arm.read()
        return {name: value for name, value in rigged.arm.health().items() if name.endswith(".voltage_v")}

    assert until(lambda: len(volts()) == 7)
    for name, value in volts().items():
        limit = rigged.arm.describe().limits[name]
        assert limit.warn_below is not None and limit.fail_above is not None
        assert limit.warn_below <= value <= limit.fail_above, name


def test_what_a_shut_down_servo_needs_is_a_command_that_exists(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.bus.set_register(4, "Hardware Error Status", 0x20)
    rigged.arm.open()
    with pytest.raises(DeviceWrong, match="let it cool, then `station recover follower_left`"):
        rigged.arm.torque(True)
    assert "`station recover follower_left`" in rigged.arm.condition().next
    assert "recover" in COMMANDS
