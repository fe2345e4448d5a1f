"""What a servo refuses, locks, forgets and does by itself."""

import math
import time
from collections.abc import Callable

import pytest
from dynamixel_sdk import PacketHandler, PortHandler

from drivers.sim.servos.profile import VELOCITY_TICKS_S, Profile
from drivers.sim.servos.servo import RAD_PER_TICK, Servo, ServoSpec
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos

ACCESS, RANGE, LENGTH, LIMIT, ALERT = 7, 4, 5, 6, 0x80


class Bench:
    """One servo without a bus, and a clock that is turned by hand."""

    def __init__(self, model: str = "xm430_w350", **registers: int) -> None:
        self.now_ns = 1
        self.plant = ShaftPlant(lambda: self.now_ns)
        spec = ServoSpec(1, model, {name.replace("_", " "): value for name, value in registers.items()})
        self.servo = Servo(spec, self.plant, 1, False)

    def write(self, name: str, value: int) -> int:
        address, size = self.servo.table.registers[name]
        return self.servo.write(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"), self.now_ns)

    def pass_ms(self, milliseconds: int) -> None:
        for _ in range(milliseconds):
            self.now_ns += 1_000_000
            self.servo.step(self.now_ns)

    def present(self) -> int:
        self.servo.read(132, 4)
        return self.servo.get("Present Position")


def test_eeprom_is_locked_while_torque_is_on() -> None:
    bench = Bench()
    assert bench.write("Return Delay Time", 0) == 0
    bench.write("Torque Enable", 1)
    assert bench.write("Return Delay Time", 5) == ACCESS
    assert bench.servo.get("Return Delay Time") == 0
    assert bench.write("Profile Velocity", 100) == 0


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("Present Position", 0, ACCESS),
        ("Model Number", 0, ACCESS),
        ("Operating Mode", 2, RANGE),
        ("Torque Enable", 2, RANGE),
        ("Goal Position", 4096, LIMIT),
        ("Goal Current", 1194, LIMIT),
        ("Current Limit", 1194, LIMIT),
        ("Bus Watchdog", 128, RANGE),
    ],
)
def test_refused(name: str, value: int, error: int) -> None:
    assert Bench().write(name, value) == error


def test_half_a_register_is_a_length_error() -> None:
    bench = Bench()
    assert bench.servo.write(116, b"\0\0", 1) == LENGTH
    assert bench.servo.write(118, b"\0\0", 1) == ACCESS


def test_a_servo_without_current_sensor_has_no_current_based_mode() -> None:
    assert Bench("xl430_w250").write("Operating Mode", 5) == RANGE
    assert Bench("xm430_w350").write("Operating Mode", 5) == 0


def test_goal_becomes_present_when_torque_comes_on() -> None:
    bench = Bench()
    bench.write("Goal Position", 100)
    bench.plant.move_hand(1, 0.5)
    bench.write("Torque Enable", 1)
    assert bench.servo.get("Goal Position") == round(2048 + 0.5 / RAD_PER_TICK)


def test_goal_is_reached_at_profile_velocity() -> None:
    bench = Bench()
    bench.write("Profile Velocity", 50)
    bench.write("Torque Enable", 1)
    bench.write("Goal Position", 3048)
    bench.pass_ms(200)
    assert bench.present() == pytest.approx(2048 + 0.2 * 50 * VELOCITY_TICKS_S, abs=20)
    bench.pass_ms(3000)
    assert bench.present() == 3048


def test_trapezoid_never_overshoots_and_keeps_its_limits() -> None:
    profile = Profile(0.0)
    before, speed = 0.0, 0.0
    for _ in range(4000):
        position = profile.step(2000.0, 100, 20, 0.001)
        assert position <= 2000.0
        now = (position - before) / 0.001
        assert now <= 100 * VELOCITY_TICKS_S * 1.001
        before, speed = position, max(speed, now)
    assert before == pytest.approx(2000.0, abs=0.5)
    assert speed == pytest.approx(100 * VELOCITY_TICKS_S, rel=0.01)


def test_drive_mode_turns_a_servo_round_its_centre() -> None:
    bench = Bench(Drive_Mode=1)
    bench.plant.move_hand(1, 0.5)
    assert bench.present() == 2048 - round(0.5 / RAD_PER_TICK)
    bench.write("Torque Enable", 1)
    bench.write("Goal Position", 2148)
    bench.pass_ms(500)
    assert bench.plant.present_rad(1)[0] == pytest.approx(-100 * RAD_PER_TICK, abs=1e-3)


def test_homing_offset_shifts_the_position() -> None:
    bench = Bench(Homing_Offset=-300)
    assert bench.present() == 1748


def test_overload_takes_torque_until_reboot() -> None:
    bench = Bench()
    bench.write("Torque Enable", 1)
    bench.servo.fail(1 << 5)
    assert not bench.servo.torque
    assert bench.write("Torque Enable", 1) == ALERT
    assert not bench.servo.torque
    bench.servo.power_on()
    assert bench.write("Torque Enable", 1) == 0
    assert bench.servo.torque


def test_power_loss_forgets_ram_and_keeps_eeprom() -> None:
    bench = Bench()
    bench.write("Return Delay Time", 7)
    bench.write("Profile Velocity", 99)
    bench.write("Torque Enable", 1)
    bench.servo.power_on()
    assert (bench.servo.get("Return Delay Time"), bench.servo.get("Profile Velocity"), bench.servo.torque) == (
        7,
        0,
        False,
    )


def test_watchdog_stops_the_motor_and_locks_goals_until_it_is_cleared() -> None:
    bench = Bench()
    bench.write("Profile Velocity", 20)
    bench.write("Torque Enable", 1)
    bench.write("Bus Watchdog", 5)
    bench.write("Goal Position", 4000)
    bench.pass_ms(99)
    bench.servo.feed(bench.now_ns)
    bench.pass_ms(99)
    assert bench.servo.get("Bus Watchdog") == 5
    bench.pass_ms(3)
    assert bench.servo.get("Bus Watchdog") == 255
    stopped = bench.present()
    bench.pass_ms(500)
    assert bench.present() == pytest.approx(stopped, abs=12)
    assert bench.write("Goal Position", 2048) == RANGE
    assert bench.servo.torque
    assert bench.write("Bus Watchdog", 0) == 0
    assert bench.write("Goal Position", 2048) == 0
    bench.pass_ms(5000)
    assert bench.present() == 2048


def test_velocity_mode_turns() -> None:
    bench = Bench(Operating_Mode=1)
    bench.write("Torque Enable", 1)
    bench.write("Goal Velocity", 20)
    bench.pass_ms(1000)
    assert bench.present() - 2048 == pytest.approx(20 * VELOCITY_TICKS_S, rel=0.1)


class Wire:
    """The vendor's SDK on an emulated arm."""

    def __init__(self, bus: ServoBus) -> None:
        self.port = PortHandler(str(bus.link))
        self.port.setBaudRate(1_000_000)
        self.packets = PacketHandler(2.0)


@pytest.fixture
def arm(tmp_path: object) -> "object":
    bus = ServoBus(tmp_path / "port", aloha_arm_servos("vx300s", "aloha1"), ShaftPlant())  # type: ignore[operator]
    with bus:
        wire = Wire(bus)
        yield bus, wire
        wire.port.closePort()


def until(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5.0
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def test_shadow_obeys_its_primary_and_turns_with_it(arm: tuple[ServoBus, Wire]) -> None:
    bus, wire = arm
    assert wire.packets.write1ByteTxRx(wire.port, 2, 64, 1) == (0, 0)
    assert bus.register(3, "Torque Enable") == 1
    assert wire.packets.write4ByteTxRx(wire.port, 2, 116, 2148) == (0, 0)
    assert bus.register(3, "Goal Position") == 2148
    assert until(lambda: wire.packets.read4ByteTxRx(wire.port, 3, 132)[0] == 2148)
    assert [entry[1:] for entry in bus.goal_log if entry[1] == 2] == [(2, 2148)]


def test_broadcast_ping_finds_everybody(arm: tuple[ServoBus, Wire]) -> None:
    bus, wire = arm
    bus.faults.silence(4)
    found, result = wire.packets.broadcastPing(wire.port)
    assert result == 0
    assert {servo_id: model for servo_id, (model, _) in found.items()} == (
        dict.fromkeys((1, 2, 3, 5, 6, 7), 1120) | {8: 1020, 9: 1020}
    )


def test_replies_take_their_time_on_the_wire(arm: tuple[ServoBus, Wire]) -> None:
    """148 bytes and the return delay of 2 × 254 µs cannot be faster than light travels in this wire."""
    bus, wire = arm
    bus.set_register(1, "Return Delay Time", 254)
    fastest = math.inf
    for _ in range(5):
        start = time.monotonic()
        _, result, _ = wire.packets.readTxRx(wire.port, 1, 0, 137)
        assert result == 0
        fastest = min(fastest, time.monotonic() - start)
    assert fastest >= (14 + 148) * 10e-6 + 508e-6


def test_another_baud_hears_nothing(arm: tuple[ServoBus, Wire]) -> None:
    _, wire = arm
    wire.port.setBaudRate(57_600)
    assert wire.packets.ping(wire.port, 1)[1] != 0
    wire.port.setBaudRate(1_000_000)
    assert wire.packets.ping(wire.port, 1)[:2] == (1120, 0)


def test_a_replugged_port_is_found_under_the_same_link(arm: tuple[ServoBus, Wire]) -> None:
    bus, wire = arm
    wire.packets.write1ByteTxRx(wire.port, 1, 64, 1)
    wire.port.closePort()
    bus.faults.unplug()
    assert not bus.link.exists()
    bus.faults.replug()
    wire.port.setBaudRate(1_000_000)
    assert wire.packets.ping(wire.port, 1)[:2] == (1120, 0)
    assert bus.register(1, "Torque Enable") == 1
