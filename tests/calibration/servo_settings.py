"""Arms whose servos hold other settings than they should, before the real driver: what an operator does with them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from unittest import mock

import msgspec

from drivers.dynamixel.arm import DynamixelArm
from drivers.dynamixel.settings import DynamixelSettings
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos, gello_servos
from station.clock import monotonic_ns
from station.devices.contract import Place
from station.errors import StationError
from station.files import calibration_files
from station.files.calibration_files import ArmCalibration, Calibration
from tests.calibration.careless import ARM, Bench, rest
from tests.calibration.made_up_rig import JOINTS, MADE, REST


@contextmanager
def emulated(model: str, **registers: dict[int, int]) -> Iterator[tuple[ServoBus, DynamixelArm]]:
    """An arm's driver before servos of which some hold other values: register → {ID: value}. Not opened yet."""
    servos = aloha_arm_servos("vx300s", "aloha1") if model == "vx300s" else gello_servos(baud=1_000_000)
    keys: dict[str, object] = {"rate_hz": 50.0, "generation": "aloha1"}
    if model == "gello":
        travel = {"open_rad": 3.5, "close_rad": 2.8}
        keys = {"rate_hz": 50.0, "baud": 1_000_000, "offsets_rad": [0.0] * 6, "gripper": travel}
    with tempfile.TemporaryDirectory() as folder, ServoBus(Path(folder) / "port", servos, ShaftPlant()) as bus:
        for name, values in registers.items():
            for servo_id, value in values.items():
                bus.set_register(servo_id, name.replace("_", " "), value)
        settings = msgspec.convert({"model": model, "port": str(bus.link), **keys}, DynamixelSettings)
        role: Literal["leader", "follower"] = "leader" if model == "gello" else "follower"
        arm = DynamixelArm(settings, Place(f"{role}_left", role, monotonic_ns, 3.14, 300.0))
        try:
            yield bus, arm
        finally:
            arm.close()


def gives_torque(**registers: dict[int, int]) -> None:
    """A follower whose servos hold such values is engaged."""
    with emulated("vx300s", **registers) as (_, arm):
        arm.open()
        arm.torque(True)


def zeroed_with_fault(made: Bench) -> str:
    """`calibrate arms` of a follower whose driver told a homing offset."""
    seen = made.world.seen.arms[ARM]
    assert seen.description is not None
    with emulated("vx300s", Homing_Offset={1: 1024}) as (_, arm):
        arm.open()
        seen.description = msgspec.structs.replace(seen.description, faults=arm.describe().faults)
    return rest(made, REST)


def gello_since(name: str, value: int) -> None:
    """A GELLO that was calibrated; then a servo's register was set otherwise. What its driver tells is raised."""
    with emulated("gello") as (bus, arm), mock.patch.dict("os.environ", {"XDG_CONFIG_HOME": str(bus.link.parent)}):
        arm.open()
        about = arm.describe()
        zeros = ArmCalibration(MADE, JOINTS, (0.0,) * 6, (1,) * 6, (0.0,) * 6, settings=about.settings)
        calibration_files.save(Calibration(about.serial, "leader_left", "gello", arm=zeros))
        bus.set_register(2, name, value)
        arm.open()
        for fault in arm.describe().faults:
            raise StationError(f"{fault.what}. Next: {fault.next}")
