"""What a UFACTORY arm says of itself: joints, limits, geometry, what an operator may ask of it, what was checked. Pure."""

from drivers.xarm.acts import ACTIVATE, POWER_ON, RECOVER
from drivers.xarm.conditions import UNFELT
from drivers.xarm.models import ACCELERATION_RAD_S2, GRIPPER, GRIPPERS, VELOCITY_RAD_S
from drivers.xarm.reports import Status
from drivers.xarm.settings import XArmSettings
from station.bus.messages import CheckItem, Description, Dimension, GripperFacts, StreamDescription
from station.devices.networked.readings import OBJECT_HZ

_GRIPPER_PER_S = 4.0
_LIGHT_KG = 0.1


def dimensions(settings: XArmSettings) -> tuple[Dimension, ...]:
    """Its vector: its joints, and the gripper if it has one."""
    arm = settings.arm
    joints = tuple(
        Dimension(
            name, "rad", low, high, effort_unit="N·m", velocity_limit=VELOCITY_RAD_S, acceleration_limit=ACCELERATION_RAD_S2,
            sleep=start, start=start,
        )
        for name, (low, high), start in zip(arm.joints, arm.reach_rad, arm.start_rad, strict=True)
    )  # fmt: skip
    gripper = Dimension(GRIPPER, "1", 0.0, 1.0, compliant=True, velocity_limit=_GRIPPER_PER_S)
    return (*joints, gripper) if settings.gripper.kind != "none" else joints


def description(
    settings: XArmSettings, serial: str, firmware: str, clocked: bool, checks: tuple[CheckItem, ...]
) -> Description:
    """All of it."""
    gripper = GRIPPERS.get(settings.gripper.kind)
    clock = "controller" if clocked else "request"
    streams: tuple[StreamDescription, ...] = (
        StreamDescription("arm_state", settings.rate_hz, dimensions(settings), clock=clock),  # type: ignore[arg-type]
    )
    if gripper is not None:
        held = Dimension("object_detected", "1", 0.0, 1.0)
        streams = (*streams, StreamDescription("vector", OBJECT_HZ, (held,)))
    return Description(
        settings.model, serial or settings.address, firmware, streams, "position",
        chain=settings.arm.chain(gripper.tip_m if gripper is not None else 0.0),
        gripper=GripperFacts(gripper.name) if gripper is not None else None, checks=checks,
        acts=(RECOVER, POWER_ON, ACTIVATE) if gripper is not None else (RECOVER, POWER_ON), at_exit="holds",
    )  # fmt: skip


def checks(node: str, status: Status, clocked: bool, gripped: bool, gripper: str) -> tuple[CheckItem, ...]:
    """What was found when it was opened. `gripper`: what is wrong with it, "" where nothing is."""
    light = gripped and status.payload_kg < _LIGHT_KG
    weigh = (
        "set it in UFACTORY Studio (Settings, TCP): with a wrong one it stops without cause, and sinks in manual mode"
    )
    felt = status.collision_sensitivity
    items = [
        CheckItem("payload", "warn" if light else "pass", f"{status.payload_kg:.2f} kg, as its controller has it", weigh if light else ""),
        CheckItem(
            "collision detection", "pass" if felt else "fail", f"sensitivity {felt}" if felt else UNFELT,
            "" if felt else "set its sensitivity to 3 in UFACTORY Studio (Motion)",
        ),
    ]  # fmt: skip
    if not clocked:
        why = "its firmware does not tell its clock: stamps are when a report came, late by the network"
        items.append(CheckItem("clock", "warn", why, "update the firmware to 2.1 or later with UFACTORY Studio"))
    if gripped:
        activate = f"`station recover {node} --act activate_gripper`"
        items.append(
            CheckItem("gripper", "fail" if gripper else "pass", gripper or "well", activate if gripper else "")
        )
    return tuple(items)
