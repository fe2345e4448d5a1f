"""What a UR arm says of itself: joints, limits, geometry, what an operator may ask of it, what was checked. Pure."""

from drivers.ur.acts import ACTIVATE, POWER_ON, RECOVER
from drivers.ur.models import ACCELERATION_RAD_S2, GRIPPER, GRIPPERS, JOINTS, REACH_RAD, START_RAD
from drivers.ur.settings import URSettings
from station.bus.messages import CheckItem, Description, Dimension, GripperFacts, StreamDescription
from station.devices.networked.readings import OBJECT_HZ

_GRIPPER_PER_S = 4.0
_LIGHT_KG = 0.1


def dimensions(settings: URSettings) -> tuple[Dimension, ...]:
    """Its vector: six joints, and the gripper if it has one."""
    joints = tuple(
        Dimension(
            name, "rad", -reach, reach, effort_unit="A", velocity_limit=speed, acceleration_limit=ACCELERATION_RAD_S2,
            sleep=start, start=start,
        )
        for name, reach, speed, start in zip(JOINTS, REACH_RAD, settings.arm.velocity_rad_s, START_RAD, strict=True)
    )  # fmt: skip
    gripper = Dimension(GRIPPER, "1", 0.0, 1.0, compliant=True, velocity_limit=_GRIPPER_PER_S)
    return (*joints, gripper) if settings.gripper.kind != "none" else joints


def description(settings: URSettings, serial: str, firmware: str, checks: tuple[CheckItem, ...]) -> Description:
    """All of it."""
    gripper = GRIPPERS.get(settings.gripper.kind)
    streams: tuple[StreamDescription, ...] = (
        StreamDescription("arm_state", settings.rate_hz, dimensions(settings), clock="controller"),
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


def checks(node: str, payload_kg: float, gripped: bool, dashboard: str, gripper: str) -> tuple[CheckItem, ...]:
    """What was found when it was opened. `dashboard`, `gripper`: what is wrong with them, "" where nothing is."""
    light = gripped and payload_kg < _LIGHT_KG
    weigh = "set gripper and payload on the pendant (Installation): with a wrong one it stops without cause, and lunges in freedrive"
    items = [
        CheckItem(
            "payload",
            "warn" if light else "pass",
            f"{payload_kg:.2f} kg, as the pendant has it",
            weigh if light else "",
        )
    ]
    if dashboard:
        enable = "enable it on the pendant (Settings, Security, Services)"
        items.append(CheckItem("dashboard server", "warn", f"does not answer ({dashboard})", enable))
    if gripped:
        activate = f"`station recover {node} --act activate_gripper`, where its fingers are free to move"
        items.append(
            CheckItem("gripper", "fail" if gripper else "pass", gripper or "active", activate if gripper else "")
        )
    return tuple(items)
