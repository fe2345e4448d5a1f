"""A rig of arms that no world stands in for, as far as the station can tell: its file names two serial ports, and here are the servos
behind them. A GELLO that a hand holds still, and a ViperX that follows it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import pi
from pathlib import Path

from drivers.sim.bench.bench_world import Sway
from drivers.sim.servos.buses import Arm, Buses, running
from drivers.sim.servos.servo import Plant
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos, gello_servos
from drivers.sim.world.arms import JOINT_OF_SERVO, LeaderPlant, gello_shafts, horn_signs
from station.clock import monotonic_ns
from station.rig.rig import Rig, load_rig

FOLLOWER = "follower_left"
_IDS, _SIGNS, _BAUD = tuple(range(1, 8)), (1,) * 6, 1_000_000
_TRIGGER_RAD = (2.65, 3.4)
_GRIPPER_RAD = 0.435
"""The follower's, half open as the leader's is."""
_FILE = """name: {name}
data: {folder}/data
arms:
  left:
    leader: {{driver: dynamixel, model: gello, port: {folder}/leader, rate_hz: 50, baud: {baud}, ids: {ids}, signs: {signs},
             offsets_rad: {offsets_rad}, gripper: {{close_rad: {trigger[0]}, open_rad: {trigger[1]}}}}}
    follower: {{driver: dynamixel, model: vx300s, port: {folder}/follower, rate_hz: 50, generation: aloha1}}
safety: {{stale_ms: 250, resume_ms: 450}}
"""


@contextmanager
def real_arms(folder: Path, name: str) -> Iterator[tuple[Rig, Buses]]:
    """The rig of that name, and the buses, on which faults can be put."""
    offsets_rad = [pi] * len(_SIGNS)
    file = folder / f"{name}.yaml"
    said = {
        "ids": list(_IDS),
        "signs": list(_SIGNS),
        "offsets_rad": offsets_rad,
        "trigger": _TRIGGER_RAD,
        "baud": _BAUD,
    }
    file.write_text(_FILE.format(name=name, folder=folder, **said))
    rig = load_rig(file)
    assert rig.moves_real_arms
    follower = Arm(rig.device(FOLLOWER), aloha_arm_servos("vx300s", "aloha1"))
    leader = Arm(rig.device("leader_left"), gello_servos(_IDS, _BAUD))
    hand = Sway()

    def plant(arm: Arm) -> Plant:
        at_rest = hand.at(monotonic_ns())
        if arm is leader:
            places = {servo: place for place, servo in enumerate(_IDS)}
            shafts = gello_shafts(at_rest, offsets_rad, _SIGNS, _TRIGGER_RAD)
            return LeaderPlant(arm.servos, lambda _now_ns: shafts, monotonic_ns, places)
        followed, signs = ShaftPlant(), horn_signs(arm.servos)
        for servo, joint in JOINT_OF_SERVO.items():
            followed.move_hand(servo, signs[servo] * (*at_rest[:-1], _GRIPPER_RAD)[joint])
        return followed

    with running([leader, follower], plant, monotonic_ns) as buses:
        yield rig, buses
