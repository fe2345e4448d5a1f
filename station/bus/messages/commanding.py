"""Who commands the arms, and what they are told."""

from typing import Literal

import msgspec

from station.bus.messages.arms import ArmMode
from station.bus.messages.header import Message

SourceName = Literal["none", "leader", "vr", "policy", "replay", "park", "hold", "opening"]


SOURCES: tuple[SourceName, ...] = ("none", "leader", "vr", "policy", "replay", "park", "hold", "opening")
"""The order is what `/control/source` stores (its attribute `names`)."""


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
