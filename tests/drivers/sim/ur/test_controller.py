"""The stand-in's controller: programs, watchdog, stops, by time that the test gives."""

import pytest

from drivers.sim.network.joints import FreeArm, FreeFingers
from drivers.sim.ur import dashboard
from drivers.sim.ur.controller import Controller
from drivers.sim.ur.robotiq import Robotiq
from station.clock import NS_PER_MS, NS_PER_S

START = (0.0, -1.5, 1.5, -1.5, -1.5, 0.0)
CYCLE_NS = 2 * NS_PER_MS


class Bench:
    """A controller and its time."""

    def __init__(self, skew_ppm: float = 0.0) -> None:
        self.now_ns = 0
        self.it = Controller(FreeArm(START), 0, skew_ppm)

    def go_on(self, seconds: float) -> None:
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        while self.now_ns < end_ns:
            self.now_ns += CYCLE_NS
            self.it.step(self.now_ns)

    def command(self, number: int, *doubles: float) -> None:
        self.it.doubles[: len(doubles)] = doubles
        self.it.ints[0] = number
        self.it.written(self.now_ns)

    def servo(self, first: float) -> None:
        self.command(11, first, *START[1:], 0.0, 0.0, 0.002, 0.05, 300.0)

    def asked(self, line: str) -> str:
        return dashboard.answer(line, self.it, self.now_ns)


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    assert made.it.load("def x():\nend\n", 0)
    return made


def test_a_servo_target_is_followed_and_kept_for_ever(bench: Bench) -> None:
    bench.servo(0.3)
    bench.go_on(1.0)
    assert bench.it.arm.joints().position_rad[0] == pytest.approx(0.3, abs=0.01)
    bench.command(0)
    bench.go_on(20.0)
    assert bench.it.program is not None, "without a watchdog nothing ends it"


def test_the_watchdog_ends_the_program_that_nobody_feeds_and_the_arm_stays(bench: Bench) -> None:
    bench.command(35, 10.0)
    bench.go_on(0.05)
    assert bench.it.out_ints[0] == 2
    bench.servo(1.0)
    bench.go_on(0.09)
    assert bench.it.program is not None
    bench.go_on(0.03)
    assert bench.it.program is None
    where = bench.it.arm.joints().position_rad
    bench.go_on(1.0)
    assert bench.it.arm.joints().position_rad == pytest.approx(where, abs=1e-3)


def test_a_command_is_done_once_until_the_register_is_cleared(bench: Bench) -> None:
    bench.command(16, 10.0)
    bench.go_on(0.01)
    assert bench.it.out_ints[0] == 2
    bench.command(0)
    bench.go_on(0.01)
    assert bench.it.out_ints[0] == 1
    bench.command(255)
    bench.go_on(0.01)
    assert not bench.it.playing


def test_a_protective_stop_is_unlocked_after_five_seconds_and_never_by_itself(bench: Bench) -> None:
    bench.servo(0.3)
    bench.it.stop("protective", bench.now_ns)
    bench.go_on(4.9)
    assert bench.asked("unlock protective stop").startswith("Cannot unlock")
    bench.go_on(60)
    assert bench.it.safety_status_bits & 1 << 2
    assert bench.asked("unlock protective stop") == "Protective stop releasing"
    assert bench.it.safety == "normal"
    assert bench.it.program is None


def test_an_emergency_stop_takes_the_power_and_power_comes_in_two_steps(bench: Bench) -> None:
    bench.it.stop("robot_estop", 0)
    assert (bench.it.power, bench.asked("robotmode")) == ("off", "Robotmode: POWER_OFF")
    assert bench.asked("power on").startswith("Cannot"), "the button is still down"
    bench.it.release(0)
    assert bench.asked("power on") == "Powering on"
    bench.go_on(1.0)
    assert bench.it.power == "idle"
    bench.asked("brake release")
    bench.go_on(1.0)
    assert (bench.it.power, bench.it.safety) == ("running", "normal")


def test_in_local_control_it_does_nothing_it_is_told(bench: Bench) -> None:
    bench.it.remote = False
    assert bench.asked("is in remote control") == "false"
    assert "not allowed" in bench.asked("power off")
    assert bench.it.power == "running"
    assert not bench.it.load("def x():\nend\n", bench.now_ns)


def test_its_clock_is_its_own() -> None:
    bench = Bench(skew_ppm=100)
    begun = bench.it.clock_s(0)
    assert bench.it.clock_s(10 * NS_PER_S) - begun == pytest.approx(10.001)
    bench.it.set_skew(-100, 10 * NS_PER_S)
    assert bench.it.clock_s(20 * NS_PER_S) - begun == pytest.approx(20.0)


def test_the_gripper_says_when_something_stops_it() -> None:
    fingers = FreeFingers()
    gripper = Robotiq(fingers)

    def go_on(seconds: float) -> None:
        for _ in range(round(seconds * 500)):
            gripper.step()

    assert gripper.hear("SET POS 228 SPE 255 FOR 10 GTO 1") == "ack"
    go_on(1.0)
    assert (gripper.hear("GET POS"), gripper.hear("GET OBJ")) == ("POS 228\n", "OBJ 3\n")
    gripper.hear("SET POS 3")
    go_on(1.0)
    fingers.object_opening = 0.5
    gripper.hear("SET POS 228")
    go_on(1.0)
    assert gripper.hear("GET OBJ") == "OBJ 2\n"
    assert gripper.position == pytest.approx(116, abs=2)
    assert (gripper.hear("GET NONSENSE"), gripper.hear("SET POS 300")) == ("?\n", "?")


def test_a_gripper_that_follows_slow_fingers_of_a_hand_has_met_nothing() -> None:
    gripper = Robotiq(FreeFingers())
    met = set()
    for count in [*range(3, 228, 5), *[228] * 100]:
        gripper.hear(f"SET POS {count} SPE 0")
        for _ in range(12):
            gripper.step()
            met.add(gripper.hear("GET OBJ"))
    assert met <= {"OBJ 0\n", "OBJ 3\n"}


def test_the_gripper_follows_only_once_it_was_activated() -> None:
    gripper = Robotiq(FreeFingers(), activated=False)
    gripper.hear("SET POS 228 GTO 1")
    for _ in range(500):
        gripper.step()
    assert (gripper.position, gripper.hear("GET STA")) == (3, "STA 0\n")
    gripper.hear("SET ACT 1 GTO 1")
    for _ in range(1000):
        gripper.step()
    assert (gripper.hear("GET STA"), gripper.activations) == ("STA 3\n", 1)
