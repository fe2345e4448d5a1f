"""What is asked of the session, the pilot and the supervisor: sittings, control, arms, processes."""

from typing import Literal

from station.borders.bounds import Count, Name, Seconds
from station.console.wire.message import Line, Message


class Press(Message, frozen=True):
    """An action of the table (`station.bus.actions`), by name."""

    id: Count
    name: Name
    seen: Count
    """Of the state of the session that was shown."""
    text: Line = ""
    """Of a note."""


class Open(Message, frozen=True):
    """Begin a sitting."""

    id: Count
    seen: Count
    task: Name
    operator: Name = ""
    instruction: Line = ""
    scene: Name = ""
    episodes: Count = 0
    seconds: Seconds = 0.0
    """Of each episode; 0: until it is ended."""
    reset_s: Seconds = 0.0
    """Between two; 0: until the operator goes on."""
    override: Name = ""


class Rollouts(Message, frozen=True):
    """Begin a sitting of the policy that is loaded. Nothing moves before its first episode is started."""

    id: Count
    seen: Count
    task: Name = ""
    """Needed where it is kept."""
    operator: Name = ""
    scene: Name = ""
    episodes: Count = 0
    seconds: Seconds = 0.0
    reset_s: Seconds = 0.0
    kept: bool = True
    override: Name = ""


class TakeOver(Message, frozen=True):
    """Hands command from now on. Said only while somebody presses that they hold the leaders: those with torque go limp."""

    id: Count
    seen: Count


class HandBack(Message, frozen=True):
    """The policy commands again."""

    id: Count
    seen: Count


class Control(Message, frozen=True):
    """About control of this rig."""

    id: Count
    what: Literal["take", "leave", "keep"]


class Deny(Message, frozen=True):
    """What somebody asks for that moves arms shall not happen."""

    id: Count


class Hold(Message, frozen=True):
    """Stop the arms where they are."""

    id: Count


class Park(Message, frozen=True):
    """Drive the arms to where they rest. Nothing loses torque."""

    id: Count


class ArmAct(Message, frozen=True):
    """An act that an arm's driver has, for an operator beside it: `recover` restarts its servos that have shut down, which sink."""

    id: Count
    arm: Name
    act: Name


class RestartNode(Message, frozen=True):
    """End a process of the rig; the supervisor starts it again."""

    id: Count
    node: Name
