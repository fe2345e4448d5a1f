"""Arms on the network on simulated controllers: the vendors' libraries, unchanged, over loopback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from drivers.franka.arm import FrankaArm
from drivers.sim.xarm.stand_in import COMMANDS
from drivers.ur.arm import URArm
from drivers.xarm.arm import XArm
from station.devices.conformance import Subject, place
from tests.conformance.subject import Factory
from tests.drivers.franka.robot import FrankySim
from tests.drivers.metal import Metal


def _arm(driver: Callable[..., Any], metal_keys: dict[str, float], kind: str, stop: str, **keys: object) -> Factory:
    @contextmanager
    def factory(folder: Path) -> Iterator[Subject]:
        with Metal(kind, skew_ppm=80, **metal_keys) as metal:
            settings = msgspec.convert({"address": metal.address, **keys}, driver.Settings)  # type: ignore[attr-defined]
            yield Subject(
                lambda: driver(settings, place("follower_left", "follower")), metal.stop, metal.start, settings,
                stop=lambda: metal.press(stop), hush=metal.hush, speak=metal.speak,
            )  # fmt: skip

    return factory


UR_ARMS: dict[str, Factory] = {
    "ur5e_robotiq": _arm(
        URArm, {"unlock_s": 1}, "ur", "protective_stop", model="ur5e", gripper={"kind": "robotiq_2f85"}
    )
}


@contextmanager
def _fr3(_: Path) -> Iterator[Subject]:
    with FrankySim(skew_ppm=80) as robot:
        keys = {"model": "fr3", "address": robot.address, "gripper": {"kind": "franka"}}
        settings = msgspec.convert(keys, FrankaArm.Settings)
        yield Subject(
            lambda: FrankaArm(settings, place("follower_left", "follower")), robot.stop, robot.start, settings,
            stop=lambda: robot.press("reflex"), hush=robot.hush, speak=robot.speak,
        )  # fmt: skip


FRANKA_ARMS: dict[str, Factory] = {"fr3_hand": _fr3}
XARM_ARMS: dict[str, Factory] = {
    "xarm7_gripper": _arm(XArm, {}, "xarm", "collision", model="xarm7", command_port=COMMANDS, gripper={"kind": "xarm"})
}
