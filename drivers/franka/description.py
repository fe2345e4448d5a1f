"""What a Franka arm says of itself: joints, limits, geometry, what an operator may ask of it, what was checked. Pure."""

from drivers.franka import kernel
from drivers.franka.acts import ACTIVATE, RECOVER
from drivers.franka.models import (
    ACCELERATION_RAD_S2,
    GRIPPER,
    GRIPPERS,
    JOINTS,
    REACH_RAD,
    START_RAD,
    VELOCITY_RAD_S,
    chain,
)
from drivers.franka.settings import FrankaSettings
from drivers.franka.states import Note, State
from station.bus.messages import CheckItem, Description, Dimension, GripperFacts, StreamDescription
from station.devices.networked.readings import OBJECT_HZ

_LIGHT_KG = 0.3
"""The hand weighs 0.73 kg."""
_FIRM_NM = 40.0
_FIRM_N = 40.0
"""Above these it hurts before it stops."""


def dimensions(settings: FrankaSettings) -> tuple[Dimension, ...]:
    """Its vector: seven joints, and the hand if it has one."""
    joints = tuple(
        Dimension(
            name, "rad", low, high, effort_unit="N·m", velocity_limit=most, acceleration_limit=ACCELERATION_RAD_S2,
            sleep=start, start=start,
        )
        for name, (low, high), most, start in zip(JOINTS, REACH_RAD, VELOCITY_RAD_S, START_RAD, strict=True)
    )  # fmt: skip
    model = GRIPPERS.get(settings.gripper.kind)
    if model is None:
        return joints
    speed = settings.gripper.speed_m_s / model.width_m
    return (*joints, Dimension(GRIPPER, "1", 0.0, 1.0, compliant=True, velocity_limit=max(4.0, speed)))


def description(settings: FrankaSettings, note: Note, clocked: bool, checks: tuple[CheckItem, ...]) -> Description:
    """All of it."""
    model = GRIPPERS.get(settings.gripper.kind)
    streams: tuple[StreamDescription, ...] = (
        StreamDescription(
            "arm_state", settings.rate_hz, dimensions(settings), clock="controller" if clocked else "request"
        ),
    )
    if model is not None:
        streams = (*streams, StreamDescription("vector", OBJECT_HZ, (Dimension("object_detected", "1", 0.0, 1.0),)))
    return Description(
        settings.model, settings.address, f"server {note.server}" if note.server else "", streams, "position",
        chain=chain(model.tip_m if model is not None else 0.0),
        gripper=GripperFacts(model.name) if model is not None else None, checks=checks,
        acts=(RECOVER, ACTIVATE) if model is not None else (RECOVER,), at_exit="holds", power="elsewhere",
    )  # fmt: skip


def checks(
    node: str, settings: FrankaSettings, state: State, note: Note, clocked: bool, gripper: str
) -> tuple[CheckItem, ...]:
    """What was found when it was opened. `gripper`: what is wrong with it, "" where nothing is."""
    collision, gripped = settings.collision, settings.gripper.kind in GRIPPERS
    firm = max(collision.torque_nm) > _FIRM_NM or max(collision.force_n) > _FIRM_N
    light = gripped and state.payload_kg < _LIGHT_KG
    items = [
        CheckItem(
            "payload", "warn" if light else "pass", f"{state.payload_kg:.2f} kg, as Desk has it",
            "say in Desk (Settings, End-Effector) that the hand is there: without it the arm sags and stops without cause" if light else "",
        ),
        CheckItem(
            "collision thresholds", "warn" if firm else "pass",
            f"{max(collision.torque_nm):g} N·m, {max(collision.force_n):g} N",
            "lower collision.torque_nm, collision.force_n in the rig file: with these it hurts before it stops" if firm else "",
        ),
        CheckItem(
            "real time", "warn" if note.real_time else "pass", note.real_time or "its commands leave in real time",
            kernel.next_act(note.real_time) if note.real_time else "",
        ),
    ]  # fmt: skip
    if not clocked:
        why = "its clock does not go as fast as ours: stamps are when a reading came"
        items.append(CheckItem("clock", "warn", why, "look at the network"))
    if gripped:
        activate = f"`station recover {node} --act activate_gripper`, where its fingers are free to move"
        items.append(
            CheckItem("gripper", "fail" if gripper else "pass", gripper or "well", activate if gripper else "")
        )
    return tuple(items)
