"""Switching a whole arm's torque: what goes over the wire, in which order, and what is done about what was lost on it."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from dynamixel_sdk.robotis_def import INST_SYNC_READ, INST_SYNC_WRITE, INST_WRITE

from drivers.dynamixel.control_table import register
from drivers.dynamixel.joints import RAD_PER_TICK
from drivers.sim.servos.packets import Instruction
from station.errors import DeviceSilent, DeviceWrong
from tests.drivers.dynamixel.conftest import MakeArm, Rigged, Still, next_state, recover, until

JOINTS = (1, 2, 4, 6, 7, 8, 9)
SERVOS = tuple(range(1, 10))
LIMITS = ("Profile Velocity", "Profile Acceleration", "Goal Current")
SWITCHED_BY = [*LIMITS, "Goal Position", "Torque Enable"]


class Packet(NamedTuple):
    """One instruction that reached the servos: a write of `values`, or a read of these servos."""

    code: int
    start: int
    length: int
    values: dict[int, int]

    def covers(self, name: str) -> bool:
        item = register(name)
        return self.start <= item.address and item.address + item.size <= self.start + self.length

    @property
    def writes(self) -> bool:
        return self.code in (INST_SYNC_WRITE, INST_WRITE)


def _packet(instruction: Instruction) -> Packet:
    data = instruction.parameters
    start = int.from_bytes(data[:2], "little")
    if instruction.code == INST_WRITE:
        return Packet(INST_WRITE, start, len(data) - 2, {instruction.servo_id: int.from_bytes(data[2:], "little")})
    length = int.from_bytes(data[2:4], "little")
    if instruction.code == INST_SYNC_READ:
        return Packet(INST_SYNC_READ, start, length, dict.fromkeys(data[4:], 0))
    values = {
        data[at]: int.from_bytes(data[at + 1 : at + 1 + length], "little") for at in range(4, len(data), length + 1)
    }
    return Packet(instruction.code, start, length, values)


def listen(rigged: Rigged, monkeypatch: pytest.MonkeyPatch) -> list[Packet]:
    """The packets from now on."""
    heard: list[Packet] = []
    carry_out = rigged.bus._instructions.carry_out

    def listening(instruction: Instruction, now_ns: int) -> list[tuple[int, bytes]]:
        heard.append(_packet(instruction))
        return carry_out(instruction, now_ns)

    monkeypatch.setattr(rigged.bus._instructions, "carry_out", listening)
    return heard


def written(heard: list[Packet], name: str) -> list[dict[int, int]]:
    return [packet.values for packet in heard if packet.writes and packet.start == register(name).address]


def first(heard: list[Packet], true: Callable[[Packet], bool]) -> int:
    return next(place for place, packet in enumerate(heard) if true(packet))


def last(heard: list[Packet], true: Callable[[Packet], bool]) -> int:
    return max(place for place, packet in enumerate(heard) if true(packet))


def of_all(rigged: Rigged, name: str) -> set[int]:
    return {rigged.bus.register(servo_id, name) for servo_id in rigged.bus.ids}


@pytest.mark.parametrize(("role", "model"), [("follower", "vx300s"), ("leader", "wx250s")])
def test_limits_and_goals_are_read_back_before_there_is_torque(
    make_arm: MakeArm, monkeypatch: pytest.MonkeyPatch, role: str, model: str
) -> None:
    plant = Still()
    plant.shafts = {servo_id: (0.05 * servo_id, 0.0, 0.0) for servo_id in JOINTS}
    rigged = make_arm(role, model, plant=plant)
    rigged.arm.open()
    rigged.state()
    heard = listen(rigged, monkeypatch)
    rigged.arm.torque(True)

    torque = first(heard, lambda packet: packet.writes and packet.covers("Torque Enable"))
    limits = [name for name in LIMITS if name != "Goal Current" or role == "follower"]
    for name in (*limits, "Goal Position"):
        wrote = last(heard, lambda packet, name=name: packet.writes and packet.covers(name))  # type: ignore[misc]
        read_back = last(
            heard[:torque],
            lambda packet, name=name: packet.code == INST_SYNC_READ and packet.covers(name),  # type: ignore[misc]
        )
        assert wrote < read_back < torque, name
        assert set(heard[read_back].values) == set(SERVOS), "shadows are read back too"
    present = {servo_id: rigged.bus.register(servo_id, "Present Position") for servo_id in JOINTS}
    assert written(heard, "Goal Position") == [present]
    assert written(heard, "Torque Enable") == [dict.fromkeys(JOINTS, 1)]
    assert of_all(rigged, "Torque Enable") == {1}


def test_a_whole_arm_takes_a_handful_of_packets(make_arm: MakeArm, monkeypatch: pytest.MonkeyPatch) -> None:
    rigged = make_arm()
    rigged.arm.open()
    heard = listen(rigged, monkeypatch)
    rigged.arm.torque(True)
    assert until(lambda: [packet.code for packet in heard if packet.writes] == [INST_SYNC_WRITE] * 7)
    assert len([packet for packet in heard if not packet.writes]) <= 6 + 2, "two may have come late on a busy computer"
    heard.clear()
    rigged.arm.torque(False)
    assert [packet.values for packet in heard if packet.writes] == [dict.fromkeys(JOINTS, 0)] * 2
    assert of_all(rigged, "Torque Enable") == {0}
    assert not rigged.arm.torque_on()


@pytest.mark.parametrize("servo_id", [4, 5, 9])
@pytest.mark.parametrize("after", range(5))
def test_a_write_that_one_servo_did_not_hear_is_written_to_it_again(
    make_arm: MakeArm, monkeypatch: pytest.MonkeyPatch, servo_id: int, after: int
) -> None:
    """Whichever write it is, to a servo, to a shadow, or to the gripper."""
    plant = Still()
    rigged = make_arm(plant=plant)
    rigged.arm.open()
    plant.shafts = {n: (-0.1, 0.0, 0.0) for n in JOINTS}
    for name in LIMITS:
        rigged.bus.set_register(servo_id, name, 7)
    heard = listen(rigged, monkeypatch)
    rigged.bus.faults.spoil_write(servo_id, after)
    rigged.arm.torque(True)

    assert of_all(rigged, "Torque Enable") == {1}
    assert of_all(rigged, "Profile Velocity") == {130}
    assert of_all(rigged, "Profile Acceleration") == {0}
    assert rigged.bus.register(9, "Goal Current") == 200
    alone = [packet for packet in heard if packet.code == INST_WRITE]
    assert [tuple(packet.values) for packet in alone] == [(servo_id,)] * len(alone)
    names = [name for packet in alone for name in SWITCHED_BY if packet.covers(name)]
    lost = after - 1  # the first is the watchdog's
    to_it = [name for name in SWITCHED_BY if name != "Goal Current" or servo_id == 9]
    assert names == ([] if lost < 0 else [to_it[lost]])
    if lost >= 0 and to_it[lost] != "Torque Enable":
        torque = first(heard, lambda packet: packet.writes and packet.covers("Torque Enable"))
        assert heard.index(alone[0]) < torque


def test_torque_off_is_written_again_to_who_did_not_hear_it(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    for servo_id in (2, 3, 8):
        rigged.arm.torque(True)
        rigged.bus.faults.spoil_write(servo_id, after=1)
        rigged.arm.torque(False)
        assert of_all(rigged, "Torque Enable") == {0}


def test_a_goal_that_a_servo_refuses_leaves_the_arm_limp(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.plant.move_hand(6, 0.1)
    rigged.bus.set_register(6, "Max Position Limit", 1000)
    with pytest.raises(DeviceWrong, match=r"servo 6 to take Goal Position 21\d\d; found it reads 2048, error 6"):
        rigged.arm.torque(True)
    assert of_all(rigged, "Torque Enable") == {0}
    assert not rigged.arm.torque_on()


def test_a_servo_that_takes_no_torque_is_named_and_no_old_goal_is_ever_sent(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.arm.torque(True)

    def there() -> bool:
        rigged.arm.write((*rigged.arm.goal()[:3], 0.4, *rigged.arm.goal()[4:]))
        return abs(next_state(rigged.arm).position[3] - 0.4) < 0.01

    assert until(there)
    rigged.arm.torque(False)
    rigged.plant.move_hand(6, -0.2)
    since = len(rigged.bus.goal_log)
    rigged.bus.faults.overload(9)
    with pytest.raises(DeviceWrong, match=r"servo 9 to take Torque Enable 1; found it reads 0"):
        rigged.arm.torque(True)
    assert {servo_id: rigged.bus.register(servo_id, "Torque Enable") for servo_id in SERVOS} == {
        servo_id: int(servo_id != 9) for servo_id in SERVOS
    }
    assert rigged.arm.torque_on(), "what is known of the torque is what was read"
    assert rigged.arm.condition().mode == "stopped"
    assert rigged.arm.condition().why == "gripper has shut down (overload)"
    recover(rigged.arm)
    assert rigged.arm.condition().mode == "hold"
    rigged.arm.torque(True)
    assert of_all(rigged, "Torque Enable") == {1}
    sent = [ticks for _, servo_id, ticks in list(rigged.bus.goal_log)[since:] if servo_id == 6]
    assert sent
    assert all(abs(ticks - (2048 - 0.2 / RAD_PER_TICK)) < 3 for ticks in sent)


def test_servos_that_have_torque_are_left_as_they_are(make_arm: MakeArm, monkeypatch: pytest.MonkeyPatch) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.arm.torque(True)
    rigged.arm.write((0.3, *rigged.arm.goal()[1:]))
    rigged.bus.faults.overload(9)
    assert until(lambda: bool(rigged.arm.read()) and rigged.arm.condition().mode == "stopped")
    recover(rigged.arm)
    heard = listen(rigged, monkeypatch)
    rigged.arm.torque(True)
    assert of_all(rigged, "Torque Enable") == {1}
    assert written(heard, "Torque Enable") == [{9: 1}]
    assert written(heard, "Profile Velocity") == [{9: 130}]
    assert {goals[1] for goals in written(heard, "Goal Position") if 1 in goals} == {
        round(2048 + 0.3 / RAD_PER_TICK)
    }, "its goal is repeated when the watchdog is released, never changed"


def test_an_old_reading_is_not_trusted(make_arm: MakeArm) -> None:
    """The servos lost their torque since it was last read; nobody has noticed."""
    rigged = make_arm()
    rigged.arm.open()
    rigged.arm.torque(True)
    rigged.bus.faults.power_loss()
    rigged.plant.move_hand(6, 0.3)
    assert rigged.arm.torque_on()
    rigged.arm.torque(True)
    assert of_all(rigged, "Torque Enable") == {1}
    assert of_all(rigged, "Profile Velocity") == {130}
    assert rigged.arm.goal()[3] == pytest.approx(0.3, abs=2 * RAD_PER_TICK)


@pytest.mark.slow
def test_a_silent_servo_leaves_the_arm_limp(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    rigged.bus.faults.silence(7)
    with pytest.raises(DeviceSilent, match="servo 7 to answer"):
        rigged.arm.torque(True)
    assert of_all(rigged, "Torque Enable") == {0}
    rigged.bus.faults.speak()
    rigged.arm.torque(True)
    assert of_all(rigged, "Torque Enable") == {1}


@pytest.mark.parametrize(
    ("at", "bit"),
    [
        pytest.param(-1, 1, id="crc"),
        pytest.param(4, 4, id="servo"),
        pytest.param(5, 8, id="shorter"),
        pytest.param(5, 16, id="longer"),
        pytest.param(0, 1, id="header"),
    ],
)
def test_a_lost_reply_is_asked_for_again_from_that_servo_alone(
    make_arm: MakeArm, monkeypatch: pytest.MonkeyPatch, at: int, bit: int
) -> None:
    rigged = make_arm()
    rigged.arm.open()
    hit = rigged.bus.faults.hit
    spoilt: list[bytes] = []

    def once(packet: bytes) -> bytes:
        """Noise hits servo 6's first reply."""
        if packet[4] == 6 and not spoilt:
            spoilt.append(packet)
            changed = bytearray(packet)
            changed[at] ^= bit
            return bytes(changed)
        return hit(packet)

    monkeypatch.setattr(rigged.bus.faults, "hit", once)
    heard = listen(rigged, monkeypatch)
    rigged.arm.torque(True)
    assert spoilt
    assert of_all(rigged, "Torque Enable") == {1}
    reads = [tuple(packet.values) for packet in heard if packet.code == INST_SYNC_READ]
    assert (6,) in reads
    assert until(lambda: [packet.code for packet in heard if packet.writes] == [INST_SYNC_WRITE] * 7)


@pytest.mark.slow
def test_noise_costs_time_and_nothing_else(make_arm: MakeArm) -> None:
    plant = Still()
    plant.shafts = {servo_id: (0.05 * servo_id, 0.0, 0.0) for servo_id in JOINTS}
    rigged = make_arm(plant=plant)
    rigged.arm.open()
    where = rigged.state().position
    rigged.bus.faults.noise = 0.05
    for _ in range(10):
        rigged.arm.torque(True)
        assert of_all(rigged, "Torque Enable") == {1}
        assert rigged.arm.torque_on()
        assert rigged.arm.goal() == pytest.approx(where, abs=1e-9)
        rigged.arm.torque(False)
        assert of_all(rigged, "Torque Enable") == {0}
    assert rigged.arm.health()["bad_packets"] > 0
