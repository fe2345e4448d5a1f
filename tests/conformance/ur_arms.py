"""UR arms on a simulated controller: the vendor's library, unchanged, over loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from drivers.ur.arm import URArm
from station.devices.conformance import Subject, place
from tests.conformance.subject import Factory
from tests.drivers.ur.metal import Metal


def _arm(**keys: object) -> Factory:
    @contextmanager
    def factory(folder: Path) -> Iterator[Subject]:
        with Metal(skew_ppm=80, unlock_s=1) as metal:
            settings = msgspec.convert({"address": metal.address, **keys}, URArm.Settings)
            yield Subject(
                lambda: URArm(settings, place("follower_left", "follower")), metal.stop, metal.start, settings,
                stop=lambda: metal.press("protective_stop"), hush=metal.hush, speak=metal.speak,
            )  # fmt: skip

    return factory


UR_ARMS: dict[str, Factory] = {"ur5e_robotiq": _arm(model="ur5e", gripper={"kind": "robotiq_2f85"})}
