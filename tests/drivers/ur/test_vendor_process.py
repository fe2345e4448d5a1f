"""What is made of the library's answers, one cycle after the other."""

import sys
import time
from types import ModuleType

import pytest

from drivers.ur.vendor_process import Control, Settings

GIVEN = ["500", "127.9.9.9", "0.05", "300.0", "2.5", "0.4", "0", *["3.14"] * 6]
START = (0.0, -1.5, 1.5, -1.5, -1.5, 0.0)


class Library:
    """ur_rtde's control interface, which says what it is told to say."""

    FLAG_UPLOAD_SCRIPT, FLAG_UPPER_RANGE_REGISTERS = 1, 2

    def __init__(self, *_: object) -> None:
        self.targets: list[tuple[float, ...]] = []
        self.runs, self.kicks = True, 0

    def setWatchdog(self, hz: float) -> bool:  # noqa: N802
        return hz == 2.5

    def servoJ(self, target: tuple[float, ...], *_: float) -> bool:  # noqa: N802
        self.targets.append(target)
        return self.runs

    def kickWatchdog(self) -> bool:  # noqa: N802
        self.kicks += 1
        return self.runs


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    module = ModuleType("rtde_control")
    monkeypatch.setitem(sys.modules, "rtde_control", module)
    monkeypatch.setattr(module, "RTDEControlInterface", Library, raising=False)
    return Control(Settings(GIVEN), START)


def test_a_program_that_has_just_begun_may_refuse_for_a_moment(control: Control) -> None:
    begun_s, library = time.monotonic(), control._library
    library.runs = False
    assert control.cycle(begun_s + 0.1) == ""
    library.runs = True
    assert control.cycle(begun_s + 0.3) == ""
    library.runs = False
    assert "has ended" in control.cycle(begun_s + 1.0)


def test_an_arm_that_stands_is_not_told_its_target_again_but_its_watchdog_is_fed(control: Control) -> None:
    begun_s, library = time.monotonic(), control._library
    for cycle in range(1000):
        assert control.cycle(begun_s + cycle * 0.002) == ""
    told = len(library.targets)
    assert library.kicks >= 20
    for cycle in range(1000, 1200):
        control.cycle(begun_s + cycle * 0.002)
    assert len(library.targets) == told
