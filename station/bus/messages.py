"""What crosses the bus: frozen typed structs, unknown fields refused, units in the names, every number finite (`station.borders.bounds`).

Joint vectors are tuples in the order the arm's `describe()` gives: its joints in radians, then its gripper, 0 closed
to 1 open (the *command* gripper: the servo's angle normalised, as ALOHA's action).
"""

from typing import Literal

import msgspec

from station.borders.bounds import Count, Name, Whole
from station.files.calibration_files import Calibration

SCHEMA = 2
"""2: the header names the body."""

SourceName = Literal["none", "leader", "vr", "policy", "replay", "park", "hold", "opening"]
SOURCES: tuple[SourceName, ...] = ("none", "leader", "vr", "policy", "replay", "park", "hold", "opening")
"""The order is what `/control/source` stores (its attribute `names`)."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Base of every body on the bus."""


class Header(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Goes before every body. `start_id` is drawn at random when a node starts: a change means it is another life."""

    schema: Count
    start_id: Count
    sequence: Count
    captured_at_ns: Whole
    sent_at_ns: Whole
    body: Name = ""
    """The struct that follows, by name. Journals do not keep it: there the stream's kind says it."""


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
    overload_ma: float | None = None
    """Near this current the servo shuts itself down; None where it cannot say."""
    sleep: float = 0.0
    """Where the arm may lose torque without falling far: what `park` ramps to."""
    start: float = 0.0
    """Where an episode usually begins."""


class StreamDescription(Message, frozen=True):
    """One stream a device publishes."""

    kind: str
    rate_hz: float
    dimensions: tuple[Dimension, ...] = ()
    width: int = 0
    height: int = 0


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
    """By name of the reading in health: what this very device bears."""


class ArmState(Message, frozen=True):
    """One complete reading of one arm. Shapes: (D,) each."""

    position: tuple[float, ...]
    velocity: tuple[float, ...]
    current_ma: tuple[float, ...]
    aperture: float | None = msgspec.field(name="opening")
    """The finger aperture, 0 closed to 1 open, through the linkage (ALOHA's qpos gripper); None where the arm has none."""
    aperture_velocity: float | None = msgspec.field(name="opening_velocity")
    """1/s."""
    torque: bool
    uncertainty_ns: int = 0
    """Captured at `captured_at_ns`, at the latest this much later (request to reply)."""


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


class Command(Message, frozen=True):
    """What an arm is told to do: by which source, for which tick, derived from which setpoint.

    As kind `command` by a policy or replay: its setpoint for all arms (D of the rig); by the pilot: the goal of one arm. As kind
    `applied` by the arm's driver: the goal it really wrote, after its gate; then `captured_at_ns` is when it was written.
    """

    arm: str
    """The arm's node, or `rig` for a setpoint for all arms."""
    source: SourceName
    tick: int
    """The tick it is for; −1 where a leader's sample made it."""
    setpoint_sequence: int = msgspec.field(name="ask_sequence")
    """The sequence of the source's setpoint (leader sample, policy or replay command) it was derived from."""
    setpoint_at_ns: int = msgspec.field(name="ask_at_ns")
    """When that setpoint was captured or issued for; the gate's dt comes from it."""
    goal: tuple[float, ...]
    hold: bool = False
    """Do not follow `goal`: decelerate and hold."""
    limited: bool = False
    """The gate changed the goal to keep a limit (set by drivers only)."""
    why: str = ""
    """Why it holds, for people; "" while it does not."""
    stalled: bool = False
    """From the pilot: do not follow `goal`, decelerate until a setpoint comes. Of a goal that was written: it decelerates in a
    stall, or is catching up after one."""


class Chosen(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The sample of one stream that a tick took: the newest captured at or before t_k."""

    stream: str
    start_id: int
    sequence: int
    captured_at_ns: int
    age_ns: int
    is_new: bool


class Tick(Message, frozen=True):
    """One instant of the grid: observations only. Vectors are the followers', in the rig's order. (D,) each."""

    tick: int
    t_ns: int
    chosen: tuple[Chosen, ...]
    qpos: tuple[float, ...]
    qvel: tuple[float, ...]
    effort: tuple[float, ...]


class Row(Message, frozen=True):
    """What closes tick k at t_{k+1} while recording."""

    tick: int
    row: int
    action: tuple[float, ...]
    action_sent: tuple[float, ...]
    source: SourceName
    intervention: bool = False
    policy_action: tuple[float, ...] | None = None
    human_action: tuple[float, ...] | None = None
    late: bool = False
    stalled: bool = False
    """Source or arm was silent for a moment, or the followers are catching up after it."""


class ArmPilot(Message, frozen=True):
    """How one arm stands to the source that may command it."""

    arm: str
    torque: bool
    worst_joint: str = ""
    difference_rad: float = 0.0


class PilotState(Message, frozen=True):
    """Who commands, and the state of engagement."""

    state: Literal["idle", "aligning", "waiting", "engaged", "hold"]
    """`waiting`: the arms stand at the start pose and wait for both leader grippers to be closed by hand."""
    source: SourceName
    why: str
    arms: tuple[ArmPilot, ...]
    holds: int = 0
    """How often anything has put the pilot in hold since it started."""
    stiff: tuple[str, ...] = ()
    """Leaders that have torque: nobody can lead with them until the start sequence (`Opening`) or `Park(release)` lets go of them."""
    stalled: bool = False
    """A source or an arm is silent for a moment: the followers decelerate and are followed again if it ends in time."""
    stalls: int = 0
    """Such moments that ended in time, since it started."""
    stalled_ms: float = 0.0
    """How long they were, all together."""
    longest_stall_ms: float = 0.0


class HandTeleop(Message, frozen=True):
    """How one hand stands to its arm."""

    arm: str
    clutched: bool
    why: str = ""
    """Why it let go by itself; "" if the operator did."""
    position_error_m: float = 0.0
    """From the pose the hand asks for to the one the arm is asked for."""
    rotation_error_rad: float = 0.0
    damped: bool = False
    """Near a singularity: it follows slowly."""


class TeleopState(Message, frozen=True):
    """How a VR operator's hands stand to the arms."""

    state: Literal["idle", "engaged", "hold"]
    """Idle: the pilot follows somebody else or nobody. Engaged: hands may move arms. Hold: something let go by itself."""
    why: str
    hands: tuple[HandTeleop, ...]
    forward_rad: float = 0.0
    """The operator's yaw that counts as the rig's forward."""


class RecorderState(Message, frozen=True):
    """What the synchronizer has safely written."""

    recording: bool
    path: str
    recorded_ticks: int
    """Rows flushed to the journal: acknowledged. They survive kill -9."""
    ended: str
    """Why the last recording ended: "" while it runs or was asked to stop."""
    ticks: int
    late_ticks: int
    missing: tuple[str, ...]
    """Recorded streams that have no sample yet: recording cannot start."""
    lost: int = 0
    """Samples lost on the bus (counted from sequence numbers) since the recording began."""
    bytes_per_s: float = 0.0
    """What flows from the devices, recording or not."""
    journal_bytes: int = 0
    """How long the journal is by now."""
    stalls: int = 0
    """Stalls in the rows of this recording."""
    stalled_rows: int = 0
    unrecorded: tuple[str, ...] = ()
    """Streams that appeared after the recording had begun: they are no part of it."""


Phase = Literal["opening", "ready", "starting", "recording", "saving", "reset", "hold", "ended"]


class SessionState(Message, frozen=True):
    """The phase of the sitting, its counts, and which buttons make sense now."""

    phase: Phase
    task: str
    operator: str
    episode: int
    """The number of the episode being recorded, or of the next one."""
    recorded_ticks: int
    saved: int
    discarded: int
    ended_early: int
    buttons: tuple[str, ...]
    """The requests that make sense now, by name."""
    disk_left_s: float = 0.0
    """Recording that the disk still holds at the present rate, its HDF5 included; the largest number while nothing flows."""
    paused: bool = False
    """The operator holds the arms on purpose."""
    reset_ends_ns: int = 0
    """When a timed reset ends and the next episode starts; 0 where an operator decides."""
    finalising: int = 0
    """Episodes whose journal is safe and whose HDF5 is still being built."""
    saved_path: str = ""
    """The newest saved episode."""
    why: str = ""
    """Why the phase is what it is, when that is not plain: the cause of a hold, of an early end."""
    newest: int = -1
    """The newest episode that was kept, which labels and notes go to between two episodes; −1 if there is none."""
    wanted: int = 0
    """How many episodes the operator wants; 0: as many as come."""
    stalls: int = 0
    """Stalls in the episode being recorded, or in the last one."""
    stalled_rows: int = 0


class StreamHealth(Message, frozen=True):
    """One stream as its publisher knows it."""

    kind: str
    rate_hz: float
    declared_hz: float
    age_ns: int


class Health(Message, frozen=True):
    """How a node is, about twice a second."""

    node: str
    state: Literal["opening", "ok", "warn", "fault"]
    error: str
    """The last error, whole, "" if none since the start."""
    streams: tuple[StreamHealth, ...] = ()
    readings: dict[str, float] = {}
    """Slow numbers with their unit in the name: `shoulder.temperature_c`, `bad_packets`."""
    notes: tuple[str, ...] = ()
    """What an operator should know: what the driver changed when it opened the device, which clock stamps, which controls did not take."""
    lost: int = 0
    """Messages this node lost on the bus."""
    realtime: int = 0
    """The SCHED_FIFO priority its loop has; 0 under the ordinary scheduler. The node fills it in."""


class ProcessState(Message, frozen=True):
    """One process as the supervisor sees it."""

    node: str
    pid: int | None
    running: bool
    restarts: int
    cpu_percent: float
    rss_mb: float
    health: Health | None
    health_age_ns: int
    last_exit: str


class StationState(Message, frozen=True):
    """The supervisor's view of every process."""

    rig: str
    rig_file: str
    pid: int
    since_ns: int
    processes: tuple[ProcessState, ...]
