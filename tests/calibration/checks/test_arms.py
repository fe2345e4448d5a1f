"""What the check makes of what an arm says of itself: each finding says what was done, or what to do; limits are the servo's."""

from typing import Any

import pytest

from calibration.checks.arms import _servos
from calibration.checks.survey import ArmSeen
from station.bus.messages import Description, Fault, Health, Limit
from station.files.check_results import Finding
from station.rig.file import Check

SMALL_V, SMALL_C = Limit(4.35, 3.7, 5.0, None, 6.6), Limit(None, None, None, 48.1, 59.5)
LARGE_V, LARGE_C = Limit(11.0, 10.0, 12.0, None, 15.4), Limit(None, None, None, 55.0, 68.0)


def findings(
    readings: dict[str, float], limits: dict[str, Limit] | None = None, check: Check | None = None, **about: Any
) -> dict[str, Finding]:
    description = Description("x", "1", "1", (), limits=limits or {}, **about)
    arm = ArmSeen(description=description, last=Health("arm", "ok", "", readings=readings))
    return {finding.name: finding for finding in _servos("arm", arm, description, check or Check())}


def test_what_was_put_right_and_what_is_to_be_done_are_told_apart() -> None:
    about = Description("x", "1", "1", (), changed=("elbow: set X",), faults=(Fault("waist: off", "do this"),))
    found = list(_servos("arm", ArmSeen(), about, Check()))
    told = {finding.value: (finding.verdict, finding.next) for finding in found if finding.name == "settings"}
    assert told["waist: off"] == ("fail", "do this")
    assert told["elbow: set X"][0] == "warn"
    assert told["elbow: set X"][1].startswith("it was put right")
    assert findings({}, notes=("Homing Offset of anything: set it",))["settings"].verdict == "pass", (
        "words decide nothing"
    )


@pytest.mark.parametrize(
    ("volts", "limit", "check", "verdict"),
    [
        (5.0, SMALL_V, Check(), "pass"),  # an XL330 on USB power
        (4.3, SMALL_V, Check(), "warn"),
        (3.6, SMALL_V, Check(), "fail"),
        (7.4, SMALL_V, Check(), "fail"),  # too much for it
        (9.8, LARGE_V, Check(supply_v=(4.5, 4.0)), "fail"),  # a limit lowered for another arm
        (10.5, LARGE_V, Check(), "warn"),
        (11.6, LARGE_V, Check(supply_v=(11.8, 11.0)), "warn"),  # stricter on purpose
        (16.0, LARGE_V, Check(), "fail"),
        (9.8, Limit(), Check(), "fail"),  # an arm that does not say what it bears
        (9.8, Limit(), Check(supply_v=(4.5, 4.0)), "pass"),
    ],
)
def test_the_supply_is_judged_by_the_servo_that_reports_it(
    volts: float, limit: Limit, check: Check, verdict: str
) -> None:
    found = findings({"waist.voltage_v": volts}, {"waist.voltage_v": limit}, check)
    assert found["supply waist"].verdict == verdict


@pytest.mark.parametrize(
    ("celsius", "limit", "check", "verdict"),
    [
        (58.0, SMALL_C, Check(), "warn"),
        (60.0, SMALL_C, Check(), "fail"),
        (60.0, LARGE_C, Check(), "warn"),
        (69.0, LARGE_C, Check(temperature_c=(90.0, 95.0)), "fail"),
        (50.0, LARGE_C, Check(temperature_c=(45.0, 60.0)), "warn"),
        (50.0, Limit(), Check(), "pass"),
    ],
)
def test_so_is_the_temperature(celsius: float, limit: Limit, check: Check, verdict: str) -> None:
    found = findings({"waist.temperature_c": celsius}, {"waist.temperature_c": limit}, check)
    assert found["temperature waist"].verdict == verdict


def test_of_several_servos_the_one_nearest_to_its_own_limit_is_told() -> None:
    limits = {"waist.voltage_v": LARGE_V, "wrist.voltage_v": Limit(8.8, 6.5, 11.1, None, 12.6)}
    found = findings({"waist.voltage_v": 10.4, "wrist.voltage_v": 9.9}, limits)
    assert found["supply wrist"].verdict == "fail", "11.0 and 10.0 V are the rig's, and below what it should get"
    assert "supply waist" not in found
    found = findings({"waist.voltage_v": 12.0, "wrist.voltage_v": 13.0}, limits)
    assert found["supply wrist"].verdict == "fail"
    assert "not built for that voltage" in found["supply wrist"].next
