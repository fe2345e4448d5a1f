"""What devices say: what they are, and what they read.

Joint vectors are tuples in the order the arm's `describe()` gives: its joints in radians, then its gripper, 0 closed
to 1 open (the *command* gripper: the servo's angle normalised, as ALOHA's action).
"""

from typing import Literal

import msgspec

from station.bus.messages.arms import Act, ArmMode, Chain, CheckItem, EffortUnit, GripperFacts, Zeros
from station.bus.messages.header import Message
from station.files.calibration_files import Calibration


class Dimension(Message, frozen=True):
    """One number of an arm's vector. Positions are in `unit`."""

    name: str
    unit: str
    lower: float
    upper: float
    rad_per_unit: float = 1.0
    """How far the servo turns per unit: limits in rad/s become unit/s by it (grippers run 0…1)."""
    compliant: bool = False
    """It may be far from its goal on purpose: a gripper on an object, or let go of for a hand (`TorqueOn.free`)."""
    effort_unit: EffortUnit = ""
    overload: float | None = None
    """Near this effort the joint shuts itself down, in `effort_unit`; None where that is not known."""
    velocity_limit: float | None = None
    """Of its goals, `unit`/s; None: the rig file's. The tighter of the two counts."""
    acceleration_limit: float | None = None
    """Of its goals, `unit`/s²; None: the rig file's. The tighter of the two counts."""
    sleep: float | None = None
    """Where the arm may lose torque without falling far: what `park` ramps to. None: it has no such pose; a gripper stays as it is."""
    start: float | None = None
    """Where an episode usually begins. None: it has no such pose; a gripper stays as it is."""


class StreamDescription(Message, frozen=True):
    """One stream a device publishes."""

    kind: str
    rate_hz: float
    dimensions: tuple[Dimension, ...] = ()
    width: int = 0
    height: int = 0
    clock: Literal["", "request", "controller"] = ""
    """What an arm's samples are stamped by: the time the read request went out, or the controller's own clock, mapped to the
    station's. "" where each sample says it itself (pictures).
    """


class Fault(Message, frozen=True):
    """Something that the driver found when it opened the device and could not put right. An arm that has one is not engaged."""

    what: str
    """Where, what was found, what it means."""
    next: str
    """What to do about it."""


class Limit(Message, frozen=True):
    """Between which numbers a reading of a device's health must be; None: no such bound."""

    warn_below: float | None = None
    fail_below: float | None = None
    nominal: float | None = None
    """What it should be: a stricter limit from elsewhere means this device only if it is on the same side of that."""
    warn_above: float | None = None
    fail_above: float | None = None


class Description(Message, frozen=True):
    """What a device is, asked once after `open()`; published when it is opened and every second, and recorded."""

    model: str
    serial: str
    firmware: str
    streams: tuple[StreamDescription, ...]
    commands: Literal["position", "read-only"] = "read-only"
    notes: tuple[str, ...] = ()
    """What the driver changed or could not set when it opened the device: shown by `status`."""
    calibration: Calibration | None = None
    """The calibration file in force since it was opened, reference picture left out. The device's process fills it in."""
    changed: tuple[str, ...] = ()
    """Those of the notes that say what was not as it must be and was put right."""
    faults: tuple[Fault, ...] = ()
    settings: dict[str, int] = {}
    """What the device's own memory holds that a calibration rests on: kept with it, and compared each time it is opened."""
    limits: dict[str, Limit] = {}
    """By name of the reading in health: what this very device bears. `station check` holds every reading that is named here to it."""
    chain: Chain | None = None
    """An arm's geometry; None where it is not known (no VR, no wrist camera)."""
    zeros: Zeros | None = None
    """In force, of an arm whose zeros people measure; None where its maker did."""
    gripper: GripperFacts | None = None
    acts: tuple[Act, ...] = ()
    """What an operator beside the arm may ask of it."""
    checks: tuple[CheckItem, ...] = ()
    """What the driver checked when it opened the device, beside what every device is checked for."""
    gentle: str = ""
    """How it is driven where one hand must be able to stop it, and what limits its force then; "" for an arm that has no such way."""
    at_exit: Literal["holds", "brakes", "sinks"] = "holds"
    """How an orderly exit of its driver leaves an arm that had torque: it holds its goal by itself, its brakes hold it, or it loses its
    stiffness and has to be supported.
    """
    power: Literal["station", "elsewhere"] = "station"
    """Where an arm's torque is taken off: here, when asked, or elsewhere (its maker's own page, say), and its driver refuses it."""


class ArmState(Message, frozen=True):
    """One complete reading of one arm. Shapes: (D,) each."""

    position: tuple[float, ...]
    velocity: tuple[float, ...]
    effort: tuple[float, ...]
    """In each dimension's `effort_unit`."""
    aperture: float | None = msgspec.field(name="opening")
    """The finger aperture, 0 closed to 1 open, through the linkage (ALOHA's qpos gripper); None where the arm has none."""
    aperture_velocity: float | None = msgspec.field(name="opening_velocity")
    """1/s."""
    torque: bool
    uncertainty_ns: int = 0
    """Captured at `captured_at_ns`, at the latest this much later (request to reply)."""
    mode: ArmMode = "ready"
    """Filled in by the arm's process, with the next two."""
    why: str = ""
    """Why it is not ready; or, of one that is, why it does not go on by itself after a stall."""
    next: str = ""
    """What to do about it."""


class Frame(Message, frozen=True):
    """One picture; the bytes are the payload."""

    encoding: Literal["jpeg", "bgr8", "rgb8", "z16"]
    width: int
    height: int
    stamp: Literal["device", "driver", "arrival"]
    """Whose clock gave the capture time."""
    device_sequence: int | None = None
    """The device's own frame number, where it counts."""


class Hand(Message, frozen=True):
    """One hand of a VR operator. A pose the headset made up (controller out of its sight) is no pose: None."""

    position_m: tuple[float, float, float] | None
    """Of the grip, in the operator's room: x forward, y left, z up, as the headset was started."""
    quaternion_wxyz: tuple[float, float, float, float] | None
    grip: float = 0.0
    """The squeeze button, 0 to 1."""
    trigger: float = 0.0
    stick_x: float = 0.0
    stick_y: float = 0.0
    stick_pressed: bool = False
    primary: bool = False
    """A or X."""
    secondary: bool = False
    """B or Y."""


class HandPose(Message, frozen=True):
    """One sample of a VR operator; None for a hand without a controller."""

    left: Hand | None
    right: Hand | None
    head_yaw_rad: float | None = None
    """Where the operator faces, about z in the same room; None if the headset does not know."""
    space: int = 0
    """Changes whenever the room's axes may have: another headset session, a re-centring."""


class Vector(Message, frozen=True):
    """Named numbers; the names are in `describe()`."""

    values: tuple[float, ...]
