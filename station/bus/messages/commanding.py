"""Who commands the arms, and what they are told."""

from typing import Literal

from station.bus.messages.arms import ArmMode
from station.bus.messages.header import Message

SourceName = Literal["none", "leader", "vr", "policy", "replay", "park", "hold", "opening"]


SOURCES: tuple[SourceName, ...] = ("none", "leader", "vr", "policy", "replay", "park", "hold", "opening")
"""The order is what `/control/source` stores (its attribute `names`)."""


class Setpoint(Message, frozen=True):
    """What a source that asks for all arms at once wants of them: a policy, a replay, a headset's hands. For the pilot."""

    source: SourceName
    tick: int
    """The tick it is for; −1 where a hand's pose made it."""
    at_ns: int
    """When what it was made of was captured, or which instant it is for: setpoints of a source rise by it."""
    goal: tuple[float, ...]
    """Of all followers, in the rig's order. (D of the rig,)"""
    hold: bool = False
    """Nothing is wanted: whoever is commanded by this source decelerates and holds."""
    why: str = ""
    """Why it holds, for people; "" while it does not."""


class Command(Message, frozen=True):
    """What the pilot tells one arm to do: by which source, for which tick, derived from which setpoint."""

    arm: str
    """The arm's node."""
    source: SourceName
    tick: int
    """The tick it is for; −1 where a leader's sample made it."""
    setpoint_sequence: int
    """The sequence of the source's message it was derived from: a leader's sample, a `Setpoint`."""
    setpoint_at_ns: int
    """When that setpoint was captured or issued for; the gate's dt comes from it."""
    goal: tuple[float, ...]
    """(D of the arm,)"""
    hold: bool = False
    """Do not follow `goal`: decelerate and hold."""
    why: str = ""
    """Why it holds, for people; "" while it does not."""
    stalled: bool = False
    """Do not follow `goal`, decelerate until a setpoint comes."""


class Applied(Message, frozen=True):
    """What an arm's driver did with the newest command: the goal it really wrote, after its gate. Captured when it was written."""

    arm: str
    source: SourceName
    """Whose setpoint the goal answers; `hold` while the gate holds, `none` while it is ready and nobody commands."""
    tick: int
    setpoint_sequence: int
    setpoint_at_ns: int
    """These three as the command had them."""
    goal: tuple[float, ...]
    """(D of the arm,)"""
    hold: bool = False
    """The gate holds."""
    limited: bool = False
    """The gate changed the goal to keep a limit."""
    why: str = ""
    """Why it holds, for people; "" while it does not."""
    stalled: bool = False
    """It decelerates in a stall, or is catching up after one."""
    pressed: bool = False
    """It holds because of where it was led: against something, or near overload."""


Doer = Literal["", "station", "source", "operator"]


class ArmPilot(Message, frozen=True):
    """How one arm stands to the source that may command it."""

    arm: str
    torque: bool
    worst_joint: str = ""
    difference_rad: float = 0.0
    mode: ArmMode = "off"
    why: str = ""
    """Why it is not ready."""
    next: str = ""
    """What to do about it."""


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
    asked: bool = False
    """Somebody asked for this hold (`Hold`): nothing is wrong."""
    drivable: tuple[str, ...] = ()
    """Leaders that can go along while a policy commands: they take goals, and can be driven so that one hand stops them."""
    along: bool = False
    """Do they?"""
    held_by: Doer = ""
    """Whose doing the hold is: a device's or a node's (`station`), that of the source, which asked for it or led an arm against
    something, or the operator's; "" where nothing holds.
    """
    to_fit: str = ""
    """Which joints of leaders that others command beside are to be brought where, until a take-over is possible; "" where they fit."""


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
