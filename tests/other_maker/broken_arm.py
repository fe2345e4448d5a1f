"""An arm whose driver breaks rules, under the kit. Not collected by itself: `test_broken.py` runs it and reads what fails."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from station.devices.conformance import ArmConformance, Subject, place
from station.devices.contract import Condition, Description
from tests.other_maker.conftest import Metal


class TestBrokenArm(ArmConformance):
    @contextmanager
    def device(self, folder: Path) -> Iterator[Subject]:
        from acme_arm.driver import AcmeArm

        class Broken(AcmeArm):
            """Each method breaks one rule."""

            ended = threading.Event()

            def open(self) -> None:
                super().open()
                threading.Thread(target=self.ended.wait, daemon=True).start()  # and close() leaves it

            def describe(self) -> Description:
                about = super().describe()
                assert about.chain is not None
                chain = msgspec.structs.replace(about.chain, hinges=about.chain.hinges[1:])
                joints = [msgspec.structs.replace(d, effort_unit="") for d in about.streams[0].dimensions]
                stream = msgspec.structs.replace(about.streams[0], dimensions=tuple(joints))
                return msgspec.structs.replace(about, chain=chain, streams=(stream,))

            def write(self, goal: tuple[float, ...]) -> int:
                return self._place.clock()  # whatever it is

            def condition(self) -> Condition:
                found = super().condition()
                if found.mode == "stopped":
                    self._send("clear")  # nobody asked
                return found

        with Metal() as metal:
            settings = AcmeArm.Settings(metal.address)
            yield Subject(
                lambda: Broken(settings, place("follower_left", "follower")), metal.stop, metal.start, settings,
                stop=lambda: metal.press("stop"), hush=metal.hush, speak=metal.speak,
                shift=lambda rad: metal.press("push", rad=rad),
            )  # fmt: skip
        Broken.ended.set()
