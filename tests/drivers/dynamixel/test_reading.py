"""What the driver reads, and what it does with what it could not read."""

import math

import pytest

from drivers.dynamixel.joints import RAD_PER_TICK, RAD_S_PER_UNIT
from drivers.sim.servos.servo_bus import ServoSpec
from drivers.sim.servos.shaft import gello_servos
from station.errors import DeviceError, DeviceSilent
from tests.drivers.dynamixel.conftest import MakeArm, Still, next_state, until

TICK = RAD_PER_TICK


def test_follower_reads_alohas_convention(make_arm: MakeArm) -> None:
    plant = Still()
    plant.shafts = {1: (0.5, 0.2, 100.0), 2: (0.9, 0.1, -50.0), 9: (1.4910, 0.0, 0.0)}
    rigged = make_arm(plant=plant)
    rigged.arm.open()
    state = rigged.state()
    assert state.position[0] == pytest.approx(0.5, abs=TICK)
    assert state.velocity[0] == pytest.approx(0.2, abs=RAD_S_PER_UNIT)
    assert state.effort[0] == pytest.approx(100.0, abs=2.69)
    # the shoulder's Drive Mode is 1: the servo itself turns it round
    assert state.position[1] == pytest.approx(-0.9, abs=TICK)
    assert state.velocity[1] == pytest.approx(-0.1, abs=RAD_S_PER_UNIT)
    assert state.position[6] == pytest.approx(1.0, abs=1e-3)
    assert state.aperture == pytest.approx(1.0, abs=0.01)
    assert state.uncertainty_ns > 0
    assert not state.torque


@pytest.mark.parametrize(
    ("generation", "open_rad", "close_rad"),
    [("aloha1", 0.3083, -0.6842), ("mobile", -0.8, -1.65), ("aloha2", 0.8298, -0.0552)],
)
def test_leader_gripper_of_each_generation(
    make_arm: MakeArm, generation: str, open_rad: float, close_rad: float
) -> None:
    plant = Still()
    rigged = make_arm("leader", "wx250s", generation, plant=plant)
    rigged.arm.open()
    for rad, expected in ((close_rad, 0.0), (0.5 * (open_rad + close_rad), 0.5), (open_rad, 1.0)):
        plant.shafts[9] = (rad, 0.0, 0.0)
        assert until(lambda want=expected: abs(rigged.state().position[6] - want) < 0.01)  # type: ignore[misc]


def test_load_is_told_and_is_no_current(make_arm: MakeArm) -> None:
    rigged = make_arm("leader", "wx250s")
    rigged.arm.open()
    rigged.state()
    assert rigged.arm.effort()[5:] == (None, None)
    assert None not in rigged.arm.effort()[:5]
    assert any("wrist_rotate, gripper is the servo's load" in note for note in rigged.arm.describe().notes)


@pytest.mark.slow
def test_gello_at_its_own_baud_with_offsets_signs_and_gripper_the_right_way_round(make_arm: MakeArm) -> None:
    plant = Still()
    rigged = make_arm(
        "leader", "gello", None, gello_servos(), plant, baud=57_600, rate_hz=25.0,
        offsets_rad=[math.pi / 2 * n for n in (2, 1, 2, 2, 2, 2)], signs=[1, 1, -1, 1, 1, 1],
        gripper={"open_rad": math.radians(200), "close_rad": math.radians(160)},
    )  # fmt: skip
    plant.shafts = {1: (0.3, 0.0, 0.0), 3: (0.4, 0.1, 20.0), 7: (math.radians(20), 0.0, 0.0)}
    rigged.arm.open()
    state = rigged.state()
    # the emulator's 0 rad is tick 2048, GELLO's is tick 0: π more
    assert state.position[0] == pytest.approx(0.3, abs=TICK)
    assert state.position[1] == pytest.approx(math.pi / 2, abs=TICK)
    assert state.position[2] == pytest.approx(-0.4, abs=TICK)
    assert state.velocity[2] == pytest.approx(-0.1, abs=RAD_S_PER_UNIT)
    assert state.effort[2] == pytest.approx(20.0, abs=1.0)
    assert state.position[6] == pytest.approx(1.0, abs=2e-3)  # released = open = 1 (GELLO itself says 0)
    assert state.aperture is None
    description = rigged.arm.describe()
    assert description.commands == "read-only"
    assert rigged.bus.register(1, "Return Delay Time") == 0


@pytest.mark.parametrize("fast", [False, True])
def test_stuffed_bytes(make_arm: MakeArm, fast: bool) -> None:
    """Current −1 and velocity −3 are FF FF FD on the wire."""
    plant = Still()
    plant.shafts = {servo_id: (0.0, -3 * RAD_S_PER_UNIT, -2.69) for servo_id in (1, 6)}
    rigged = make_arm(plant=plant, fast_sync_read=fast)
    rigged.arm.open()
    state = rigged.state()
    assert state.effort[0] == pytest.approx(-2.69)
    assert state.velocity[0] == pytest.approx(-3 * RAD_S_PER_UNIT)
    assert state.velocity[3] == pytest.approx(-3 * RAD_S_PER_UNIT)
    assert state.position[:6] == (0.0,) * 6


@pytest.mark.slow
@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("fast", [False, True])
def test_one_silent_servo_does_not_hide_the_others(make_arm: MakeArm, breaks: bool, fast: bool) -> None:
    rigged = make_arm(fast_sync_read=fast)
    arm, faults = rigged.arm, rigged.bus.faults
    arm.open()
    faults.silence_breaks_chain = breaks
    rigged.state()
    faults.silence(4)
    for _ in range(8):
        assert arm.read() == []
    measured = arm.measured()
    assert measured[2] is None
    assert [n for n, value in enumerate(measured) if value is None] == [2]
    assert arm.effort()[2] is None
    assert any("elbow (ID 4) is silent" in warning for warning in arm.warnings())
    assert arm.health()["missing_samples"] >= 8
    faults.speak()
    assert None not in next_state(arm).position
    assert arm.warnings() == ()


@pytest.mark.slow
@pytest.mark.parametrize("fast", [False, True])
def test_noise_costs_samples_and_never_makes_a_number(make_arm: MakeArm, fast: bool) -> None:
    plant = Still()
    plant.shafts = {servo_id: (0.1 * servo_id, 0.0, 0.0) for servo_id in (1, 2, 4, 6, 7, 8, 9)}
    rigged = make_arm(plant=plant, fast_sync_read=fast)
    rigged.arm.open()
    clean = rigged.state()
    rigged.bus.faults.noise = 0.05
    whole = 0
    for _ in range(150):
        for reading in rigged.arm.read():
            body = reading.body
            assert body.position == clean.position  # type: ignore[attr-defined]
            assert body.effort == clean.effort  # type: ignore[attr-defined]
            whole += 1
    assert whole > 20
    health = rigged.arm.health()
    assert health["bad_packets"] + health["missing_samples"] + health["retries"] > 0
    rigged.bus.faults.noise = 0.0
    assert rigged.state().position == clean.position


def test_bring_up_gets_through_noise(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.bus.faults.noise = 0.05
    rigged.arm.open()
    assert len(rigged.state().position) == 7


def test_an_impossible_jump_is_a_missing_sample_until_three_agree(make_arm: MakeArm) -> None:
    plant = Still()
    rigged = make_arm(plant=plant)
    rigged.arm.open()
    rigged.state()
    plant.shafts = {6: (1.0, 0.0, 0.0)}
    assert rigged.arm.read() == []
    assert rigged.arm.measured()[3] is None
    assert rigged.arm.read() == []
    assert rigged.state().position[3] == pytest.approx(1.0, abs=TICK)
    assert rigged.arm.health()["jumps_accepted"] == 1
    assert rigged.arm.health()["jumps_rejected"] == 2


def test_capture_times_rise_and_lie_within_the_read(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    from station.clock import monotonic_ns

    last = 0
    for _ in range(30):
        before = monotonic_ns()
        for reading in rigged.arm.read():
            assert last < reading.captured_at_ns
            assert before <= reading.captured_at_ns
            assert reading.captured_at_ns + reading.body.uncertainty_ns <= monotonic_ns()  # type: ignore[attr-defined]
            last = reading.captured_at_ns


@pytest.mark.slow
def test_slow_registers_come_round(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.bus.set_register(7, "Present Temperature", 74)
    rigged.bus.set_register(5, "Present Temperature", 41)

    def seen() -> bool:
        rigged.arm.read()
        health = rigged.arm.health()
        return health["wrist_angle.temperature_c"] == 74 and health["elbow_shadow.temperature_c"] == 41

    assert until(seen)
    assert any("wrist_angle is at 74 °C" in warning for warning in rigged.arm.warnings())
    assert rigged.arm.health()["waist.voltage_v"] == 12.0


@pytest.mark.slow
def test_everybody_silent_is_an_error_within_a_second(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.state()
    rigged.bus.faults.silence()
    with pytest.raises(DeviceSilent, match="power supply"):
        next_state(rigged.arm)
    rigged.bus.faults.speak()
    rigged.arm.open()
    rigged.state()


def test_unplugged_and_back(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.arm.torque(True)
    rigged.bus.faults.unplug()
    with pytest.raises(DeviceError, match="put the USB cable back"):
        rigged.arm.read()
    with pytest.raises(DeviceError, match="no such device"):
        rigged.arm.open()
    rigged.bus.faults.replug()
    rigged.arm.open()
    assert rigged.state().torque
    assert rigged.bus.register(1, "Torque Enable") == 1


def test_other_ids(make_arm: MakeArm) -> None:
    from drivers.sim.servos.shaft import aloha_arm_servos

    moved = []
    for spec in aloha_arm_servos("vx300s", "aloha1"):
        shadow = spec.registers["Secondary(Shadow) ID"]
        registers = {**spec.registers, "Secondary(Shadow) ID": shadow + 20 if shadow < 253 else shadow}
        moved.append(ServoSpec(spec.id + 20, spec.model, registers))
    rigged = make_arm(servos=moved, ids=[n + 20 for n in range(1, 10)])
    rigged.arm.open()
    assert len(rigged.state().position) == 7
