"""The conformance kit as somebody uses it who has nothing to do with this repository, on an arm that keeps the rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from station.devices.conformance import ArmConformance, Subject, place
from tests.other_maker.conftest import Metal


class TestAcmeArm(ArmConformance):
    """Every rule."""

    @contextmanager
    def device(self, folder: Path) -> Iterator[Subject]:
        from acme_arm.driver import AcmeArm

        with Metal(skew_ppm=80) as metal:
            settings = AcmeArm.Settings(metal.address)
            yield Subject(
                lambda: AcmeArm(settings, place("follower_left", "follower")), metal.stop, metal.start, settings,
                stop=lambda: metal.press("stop"), hush=metal.hush, speak=metal.speak,
                shift=lambda rad: metal.press("push", rad=rad),
            )  # fmt: skip
