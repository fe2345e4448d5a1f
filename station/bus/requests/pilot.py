"""What the pilot is asked."""

from station.borders.bounds import Name, Text
from station.bus.messages.commanding import SourceName
from station.bus.requests.request import Request


class Engage(Request, frozen=True):
    """Align every follower with the source by the bounded ramp, then let the source command."""

    source: SourceName
    held: bool = False
    """The operator says that hands hold the leaders: those that were driven go limp then. Without it a hand must be felt on each."""


class Opening(Request, frozen=True):
    """ALOHA's start sequence: followers and leaders go to the start pose, then both leader grippers, opened and closed by hand,
    give the leaders away to the hands that hold them, and they command. Done then: it takes as long as the operator does.

    Where the leaders cannot be driven: plain `Engage("leader")`, or refused if it is `needed`.
    """

    needed: bool = True


class Hold(Request, frozen=True):
    """Stop where you are and keep torque."""

    why: Text


class Park(Request, frozen=True):
    """Ramp to the sleep pose. With `release`, torque off afterwards on the arms named (all if empty), but only when it is asked a
    second time, with the `token` that the first answer gave: the first only parks them, and says what would be let go.
    """

    release: bool = False
    arms: tuple[Name, ...] = ()
    confirmation: Name = ""


class DriveLeaders(Request, frozen=True):
    """May leaders go along with their followers while a policy commands? Those that did and may not any more hold where they are."""

    along: bool


class Disengage(Request, frozen=True):
    """The source no longer commands; followers hold."""


class Recover(Request, frozen=True):
    """End what stopped this arm: a protective stop, a reflex, a servo that shut down. For an operator beside it. Afterwards the arm
    holds where it is and is engaged by nobody.
    """

    arm: Name


class OperatorAct(Request, frozen=True):
    """Another act that the arm's driver describes, such as `activate_gripper` or `guide`. For an operator beside the arm."""

    arm: Name
    act: Name


PilotRequest = Engage | Opening | Hold | Park | DriveLeaders | Disengage | Recover | OperatorAct
