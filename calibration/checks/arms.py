"""What the check makes of the arms: a survey, what calibration knows and the limits in, findings out. Pure."""

import datetime
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from calibration.arms import grippers
from calibration.arms import zeros as arms
from calibration.checks.survey import ArmSeen, Survey
from calibration.checks.verdict import above, below, same, sharing, told, unchecked
from station.bus.messages import Description, Limit
from station.errors import MeasurementPoor
from station.files.calibration_files import Calibration, GripperRange
from station.files.check_results import Finding
from station.rig.file import Check
from station.rig.rig import Device, Rig

Array = NDArray[np.float64]
Known = dict[str, Calibration]
"""Calibrations by serial."""

_PUT_RIGHT = "it was put right; if it comes back, a servo was replaced or reset"
_POWER = "check the power supply and its plugs"
_TOO_MUCH = "take the power off and look at the supply: this servo is not built for that voltage"
_REST = "let the arm rest; look for what it pushes against"
_ORDER = ("fail", "unchecked", "warn", "pass")
_GRIPPERS = "`station calibrate grippers`"
_SERVOS = (".temperature_c", ".voltage_v")
"""Readings of every servo, of which the worst is told."""


def check(rig: Rig, seen: Survey, known: Known, today: datetime.date) -> list[Finding]:
    """Every arm by itself, then leader against follower."""
    found: list[Finding] = []
    drifts: dict[str, Array] = {}
    for node, arm in seen.arms.items():
        found += sharing(node, seen.sharing(node))
        found += _arm(rig.device(node), arm, known, rig.check, drifts, today)
    for side in rig.sides:
        if side.leader and side.follower:
            found.append(_pair(side.leader, side.follower, seen, drifts, rig.check))
    return found


def _arm(
    device: Device, arm: ArmSeen, known: Known, limits: Check, drifts: dict[str, Array], today: datetime.date
) -> Iterator[Finding]:
    node, about = device.node, arm.description
    calibration = known.get(about.serial) if about is not None else None
    yield from itself(node, arm, calibration, limits)
    if not present(arm) or about is None:
        return
    yield from _wire(device, arm, about, limits)
    if about.zeros is not None:
        yield from _zeros(node, arm, calibration, limits, drifts)
    if about.gripper is not None and about.gripper.travel is not None:
        yield _gripper(device, about.gripper.travel, calibration, limits, today)


def present(arm: ArmSeen) -> bool:
    """Has it said what it is, and where it is?"""
    return arm.description is not None and len(arm.at_ns) >= 3


def itself(node: str, arm: ArmSeen, calibration: Calibration | None, limits: Check) -> Iterator[Finding]:
    """Is it there, is it the arm that was calibrated under this name, are its servos and settings as they must be?"""
    about = arm.description
    if about is None or not present(arm):
        said = arm.last.error if arm.last and arm.last.error else f"{len(arm.at_ns)} readings"
        yield told(node, "present", "fail", said, "check its cable and power; `station status` tells more")
        return
    yield told(node, "present", "pass", f"{about.model}, serial {about.serial}, firmware {about.firmware}", "")
    if calibration is not None:
        yield same(node, "identity", node, calibration.device, f"serial {about.serial} was calibrated as "
                   f"{calibration.device}: swap the cables back, or correct the rig file")  # fmt: skip
    yield from _servos(node, arm, about, limits)
    yield from _own(node, arm, about)


def _servos(node: str, arm: ArmSeen, about: Description, limits: Check) -> Iterator[Finding]:
    readings = arm.last.readings if arm.last else {}
    for warning in arm.last.error.split("; ") if arm.last and arm.last.error else ():
        yield told(node, "servos", "fail", warning, "do what it says, then check again")
    for fault in about.faults:
        yield told(node, "settings", "fail", fault.what, fault.next)
    for note in about.changed:
        yield told(node, "settings", "warn", note, _PUT_RIGHT)
    if not about.faults and not about.changed:
        yield told(node, "settings", "pass", "as they must be", "")
    for suffix, name in (("temperature_c", "temperature"), ("voltage_v", "supply")):
        found = [
            _reading(node, name, key, value, about.limits.get(key, Limit()), limits)
            for key, value in readings.items()
            if key.endswith(f".{suffix}")
        ]
        named = any(key.endswith(f".{suffix}") for key in about.limits)
        if not found and named:
            yield unchecked(node, name, "the arm does not report it", "")
        elif found:
            yield min(found, key=lambda judged: (_ORDER.index(judged[0].verdict), judged[1]))[0]


def _own(node: str, arm: ArmSeen, about: Description) -> Iterator[Finding]:
    """What the driver checked itself, and readings of its own that it says the bounds of."""
    for item in about.checks:
        yield told(node, item.name, item.verdict, item.value, item.next)
    readings = arm.last.readings if arm.last else {}
    for key, limit in about.limits.items():
        if key.endswith(_SERVOS) or key not in readings:
            continue
        value, do = readings[key], f"see what its driver says of {key}"
        low, high = (limit.warn_below, limit.fail_below), (limit.warn_above, limit.fail_above)
        if low != (None, None):
            yield below(node, key, value, "", _both(low), do)
        if high != (None, None):
            yield above(node, key, value, "", _both(high), do)


def _both(limits: tuple[float | None, float | None]) -> tuple[float, float]:
    """(warn, fail); a driver that gives one of the two means both."""
    warn, fail = limits
    one = warn if warn is not None else fail
    assert one is not None
    return one, one if fail is None else fail


def _reading(node: str, name: str, key: str, value: float, own: Limit, limits: Check) -> tuple[Finding, float]:
    """One servo's temperature or supply, and how near it is to failing: which of several servos is told."""
    label = f"{name} {key.partition('.')[0]}"
    if name == "temperature":
        warn, fail = (
            min(mine, bound) if bound is not None else mine
            for mine, bound in zip(limits.temperature_c, (own.warn_above, own.fail_above), strict=True)
        )
        return above(node, label, value, "°C", (warn, fail), _REST), fail - value
    if own.fail_above is not None and value > own.fail_above:
        return above(node, label, value, "V", (own.fail_above, own.fail_above), _TOO_MUCH), 0.0
    warn, fail = (
        mine if bound is None else max(mine, bound) if own.nominal is None or mine < own.nominal else bound
        for mine, bound in zip(limits.supply_v, (own.warn_below, own.fail_below), strict=True)
    )
    return below(node, label, value, "V", (warn, fail), _POWER), value - fail


def _wire(device: Device, arm: ArmSeen, about: Description, limits: Check) -> Iterator[Finding]:
    node = device.node
    declared = about.streams[0].rate_hz
    span_s = (arm.at_ns[-1] - arm.at_ns[0]) / 1e9
    achieved = 100 * (len(arm.at_ns) - 1) / span_s / declared if span_s else 0.0
    yield below(
        node,
        "bus rate",
        achieved,
        "%",
        limits.rate_percent,
        "look for other programs on this computer, and at the cable",
    )
    if about.streams[0].clock != "controller":  # what is stamped by the arm's own clock is asked for by nobody
        serial_ms = float(np.median(arm.replies_ns)) / 1e6
        do = "set the adapter's latency timer to 1 (`station udev`)"
        if device.networked:
            do = "give the arm a cable of its own to this computer; no Wi-Fi, no other traffic between"
        yield above(node, "reply time" if device.networked else "serial latency", serial_ms, "ms", limits.serial_ms, do)
    first, last = (arm.first.readings if arm.first else {}), (arm.last.readings if arm.last else {})
    lost = sum(last.get(key, 0) - first.get(key, 0) for key in ("missing_samples",))
    percent = 100 * max(0.0, lost) / (len(arm.at_ns) + max(0.0, lost))
    yield above(
        node,
        "failed readings",
        percent,
        "%",
        limits.error_percent,
        "check the arm's cables, most of all where they bend",
    )


def _zeros(
    node: str, arm: ArmSeen, calibration: Calibration | None, limits: Check, drifts: dict[str, Array]
) -> Iterator[Finding]:
    zeros = calibration.arm if calibration else None
    if zeros is None or zeros.rest_rad is None:
        yield unchecked(node, "zero drift", "the arm was never zeroed", "`station calibrate arms`")
        return
    if arm.torque:
        yield unchecked(node, "zero drift", "torque is on", "park first: `station park --release`, then check again")
        return
    try:
        drift = arms.drift_rad(arm.joint_rad, np.array(zeros.rest_rad), node)
    except MeasurementPoor as error:
        yield unchecked(node, "zero drift", str(error), "lay the arm on its rest stops and let go")
        return
    drifts[node] = drift
    degrees = np.degrees(drift)
    bad = [i for i in range(len(degrees)) if abs(degrees[i]) > limits.zero_deg[0]]
    for place in bad or [int(np.argmax(np.abs(degrees)))]:
        yield above(
            node, f"zero {arm.joints[place]}", abs(float(degrees[place])), "°", limits.zero_deg,
            f"it reads {degrees[place]:+.2f}° on the rest stop: lay the arm properly; if it stays, the horn slipped or the servo "
            "was replaced: `station calibrate arms`",
        )  # fmt: skip


def _pair(leader: str, follower: str, seen: Survey, drifts: dict[str, Array], limits: Check) -> Finding:
    name, device = "leader against follower", f"{leader}, {follower}"
    do = "`station calibrate arms` zeroes the one whose zero drifted"
    if leader in drifts and follower in drifts and drifts[leader].shape == drifts[follower].shape:
        difference = arms.wrap(drifts[leader] - drifts[follower])
    elif seen.pilot is not None and seen.pilot.state == "engaged":
        one, other = seen.arms[leader], seen.arms[follower]
        try:
            difference = arms.wrap(arms.resting(one.joint_rad, leader) - arms.resting(other.joint_rad, follower))
        except MeasurementPoor as error:
            return unchecked(device, name, str(error), "keep the arms still while they are checked")
    else:
        return unchecked(device, name, "neither both on their rest stops nor engaged", "park first, then check again")
    joints = seen.arms[leader].joints
    worst = int(np.argmax(np.abs(difference)))
    value = abs(float(np.degrees(difference[worst])))
    return above(device, f"{name} {joints[worst]}", value, "°", limits.leader_follower_deg, do)


def _gripper(
    device: Device, expected: GripperRange, calibration: Calibration | None, limits: Check, today: datetime.date
) -> Finding:
    arm = calibration.arm if calibration is not None else None
    measured = arm.gripper if arm is not None else None
    made = arm.gripper_made if arm is not None else None
    if measured is None:
        return unchecked(device.node, "gripper range", "its travel was never measured", _GRIPPERS)
    if made is None:
        return unchecked(device.node, "gripper range", "nobody noted when its travel was measured", _GRIPPERS)
    if (days := made.age_days(today)) > limits.gripper_days:
        return unchecked(device.node, "gripper range", f"its travel was measured {days} days ago", _GRIPPERS)
    short = grippers.shortfall(measured.open_rad, measured.close_rad, expected).travel_percent
    return above(
        device.node, "gripper range", short, "%", limits.gripper_percent,
        f"look for what blocks the fingers; then {_GRIPPERS}",
    )  # fmt: skip
