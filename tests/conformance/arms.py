"""The arms: emulated ALOHA leader and follower, and a GELLO."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from drivers.dynamixel.arm import DynamixelArm
from drivers.sim.servos.servo_bus import ServoBus, ServoSpec
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos, gello_servos
from station.devices.conformance import Subject, place
from tests.conformance.networked_arms import UR_ARMS
from tests.conformance.subject import Factory


def _arm(role: Any, servos: list[ServoSpec], driven: bool = True, **keys: Any) -> Factory:
    @contextmanager
    def factory(folder: Path) -> Iterator[Subject]:
        bus = ServoBus(folder / "port", servos, ShaftPlant())
        settings = msgspec.convert({"port": str(bus.link), "rate_hz": 100, **keys}, DynamixelArm.Settings)
        with bus:
            yield Subject(
                lambda: DynamixelArm(settings, place(f"{role}_left", role)), bus.faults.unplug, bus.faults.replug, settings,
                stop=(lambda: bus.faults.overload(1)) if driven else None, role=role,
            )  # fmt: skip

    return factory


ARMS: dict[str, Factory] = {
    "vx300s_follower": _arm("follower", aloha_arm_servos("vx300s", "aloha1"), model="vx300s", generation="aloha1"),
    "vx300s_aloha2": _arm("follower", aloha_arm_servos("vx300s", "aloha2"), model="vx300s", generation="aloha2"),
    "wx250s_leader": _arm("leader", aloha_arm_servos("wx250s", "aloha1"), model="wx250s", generation="aloha1"),
    "gello_leader": _arm(
        "leader", gello_servos(baud=1_000_000), driven=False, model="gello", baud=1_000_000, offsets_rad=[0.0] * 6,
        gripper={"open_rad": 3.0, "close_rad": 2.2},
    ),
    **UR_ARMS,
}  # fmt: skip
