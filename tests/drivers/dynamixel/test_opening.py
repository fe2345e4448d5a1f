"""Who is there, what is set, what is refused."""

import fcntl
import os

import pytest

from drivers.dynamixel.arm import DynamixelArm
from drivers.sim.servo_bus import ServoSpec
from drivers.sim.shaft import aloha_arm_servos
from station.device import ArmDriver, Place
from station.errors import DeviceBusy, DeviceMissing, DeviceWrong
from tests.drivers.dynamixel.conftest import MakeArm


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
    assert all(d.lower <= d.sleep <= d.upper and d.lower <= d.start <= d.upper for d in stream.dimensions)
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


def test_missing_servos_are_named(make_arm: MakeArm) -> None:
    rigged = make_arm(servos=[spec for spec in aloha_arm_servos("vx300s", "aloha1") if spec.id not in (7, 8)])
    with pytest.raises(DeviceMissing, match=r"no answer from wrist_angle \(ID 7\), wrist_rotate \(ID 8\)"):
        rigged.arm.open()


def test_no_power_is_told_apart(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.bus.faults.silence()
    with pytest.raises(DeviceMissing, match="switch the arm's power supply on"):
        rigged.arm.open()


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


def test_a_foreign_homing_offset_is_told(make_arm: MakeArm) -> None:
    rigged = make_arm(servos=changed(1, Homing_Offset=-120))
    rigged.arm.open()
    assert any("Homing Offset is -120" in note for note in rigged.arm.describe().notes)
