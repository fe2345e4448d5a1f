"""The kit that a driver is tested with, ours and yours (it needs pytest). docs/guide/drivers.md shows how.

A test module subclasses what its device is, and says how to set one up and how to break it:

    class TestMyArm(ArmConformance):
        @contextmanager
        def device(self, folder):
            with MyController() as controller:
                settings = MySettings(address=controller.address)
                yield Subject(
                    lambda: MyArm(settings, place("follower_left", "follower")),
                    unplug=controller.stop, replug=controller.start, stop=controller.protective_stop, settings=settings,
                )

Every rule of `station.devices.contract` that can be seen from outside is one test, whose name says the rule.
"""

import pytest

pytest.register_assert_rewrite("station.devices.conformance.arms", "station.devices.conformance.rules")

from station.devices.conformance.arms import ArmConformance  # noqa: E402 (asserts are rewritten before they are imported)
from station.devices.conformance.rules import DriverConformance, WornConformance  # noqa: E402
from station.devices.conformance.subject import Subject, place  # noqa: E402

__all__ = ["ArmConformance", "DriverConformance", "Subject", "WornConformance", "place"]
