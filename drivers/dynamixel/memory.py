"""What the servos' own memory says about the arm's angles: kept with a calibration, and held against what must be. Pure.

Present Position = actual position + Homing Offset (ROBOTIS e-manual, Homing Offset), with the sign of a joint's turning
direction in front of both. Drive Mode's lowest bit is that direction; Operating Mode says whether turns are counted.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from drivers.dynamixel.control_table import register
from drivers.dynamixel.joints import RAD_PER_TICK
from drivers.dynamixel.models import HOT_SHARE, RATINGS, SPARE_V, WARM_SHARE, Servo
from station.bus.messages import Fault, Limit
from station.files.calibration_files import ArmCalibration

KEPT = ("Drive Mode", "Homing Offset", "Operating Mode")
"""What an angle means depends on these."""


def settings(servos: Sequence[Servo], blocks: Mapping[int, bytes]) -> dict[str, int]:
    """`waist.Homing Offset` → its value, of every servo, shadows included."""
    return {f"{servo.name}.{name}": register(name).of(blocks[servo.id], 0) for servo in servos for name in KEPT}


def faults(
    servos: Sequence[Servo], blocks: Mapping[int, bytes], signs: Mapping[str, int], zeros: ArmCalibration | None
) -> tuple[Fault, ...]:
    """What makes the arm's angles wrong and is not set by bring-up: homing offsets, and settings that calibration knew otherwise.

    `signs`: by joint, as the vector counts it.
    """
    found = settings(servos, blocks)
    return (*_homing(servos, found, signs), *_changed_since(servos, found, signs, zeros))


def _homing(servos: Sequence[Servo], found: Mapping[str, int], signs: Mapping[str, int]) -> Iterator[Fault]:
    """The limits and zeros of an arm whose table is ours hold without an offset. A GELLO's servos are its builder's business."""
    for servo in servos:
        ticks = found[f"{servo.name}.Homing Offset"]
        if not ticks or servo.limits_ticks is None:
            continue
        yield Fault(
            f"{servo.name}: Homing Offset is {ticks} ticks where 0 belongs (another program has written it): "
            f"{_shift(signs.get(servo.name, 1) * ticks, 'where it is')}",
            f"support the arm, take its torque off and set Homing Offset of servo ID {servo.id} to 0 (Dynamixel Wizard), then "
            "switch its power off and on",
        )


def _changed_since(
    servos: Sequence[Servo], found: Mapping[str, int], signs: Mapping[str, int], zeros: ArmCalibration | None
) -> Iterator[Fault]:
    for name, before in (zeros.settings if zeros is not None else {}).items():
        now = found.get(name)
        joint, _, what = name.partition(".")
        servo = next((servo for servo in servos if servo.name == joint), None)
        if now == before or servo is None or zeros is None:
            continue
        if what == "Homing Offset" and servo.limits_ticks is not None and now:
            continue  # told as a homing offset that must not be
        means = ""
        if what == "Homing Offset" and now is not None:
            means = f": {_shift(signs.get(joint, 1) * (now - before), 'where it was calibrated')}"
        elif what == "Drive Mode" and now is not None and (now ^ before) & 1:
            means = ": it counts the other way round"
        yield Fault(
            f"{joint}: {what} is {now}, and was {before} when the arm was calibrated on {zeros.made.date[:10]}{means}",
            f"set {what} of servo ID {servo.id} back to {before} (Dynamixel Wizard, torque off), or calibrate the arm anew "
            "(`station calibrate gello`, `station calibrate arms`)",
        )


def _shift(ticks: int, where: str) -> str:
    degrees = math.degrees(ticks * RAD_PER_TICK)
    return f"the joint reads {abs(degrees):.1f}° {'more' if degrees > 0 else 'less'} than {where}, and a goal puts it as far the other way"


def limits(servos: Sequence[Servo], blocks: Mapping[int, bytes], names: Mapping[int, str]) -> dict[str, Limit]:
    """What each servo bears, by its model (`names`: by ID), and by its own Temperature Limit where that is lower."""
    found = {}
    for servo in servos:
        rated = RATINGS.get(names.get(servo.id, ""))
        if rated is None:
            continue
        found[f"{servo.name}.voltage_v"] = Limit(
            (rated.nominal_v + rated.least_v) / 2, rated.least_v, rated.nominal_v, None, rated.most_v + SPARE_V
        )
        hottest = hottest_c(blocks[servo.id], rated.hottest_c)
        found[f"{servo.name}.temperature_c"] = Limit(None, None, None, WARM_SHARE * hottest, HOT_SHARE * hottest)
    return found


def hottest_c(block: bytes, rated_c: float) -> float:
    """Where the servo shuts down: its own Temperature Limit, unless it is set above what the model bears."""
    own = register("Temperature Limit").of(block, 0)
    return min(rated_c, own) if own else rated_c
