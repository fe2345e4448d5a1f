"""What one node may ask of another. The answer is Done, or Refused with the reason and what to do.

A node serves one tagged union of these and nothing else; anything that does not decode is refused.
"""

from typing import Literal

import msgspec

from station.borders.bounds import Count, Name, PathText, Seconds, Text
from station.bus.messages import SourceName


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of every request."""


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It is done (not: it has been noted). `detail` is for people."""

    detail: str = ""
    token: str = ""
    """What was asked for, or what the next request must carry (`Park.confirmation`)."""


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It was not done. `why` says the reason and the next act."""

    why: str


Reply = Done | Refused


# -- to an arm's driver, from the pilot alone --
class TorqueOn(Request, frozen=True):
    """Goal := present position, then torque on, then the watchdog is armed.

    Dimensions in `free` go limp instead; only compliant ones may (a leader's gripper, for the hand that closes it).
    """

    free: tuple[Name, ...] = ()


Why = Literal["parked", "in a hand"]


class TorqueLeave(Request, frozen=True):
    """Leave to take this arm's torque off once, soon: the number that `TorqueOff` must carry. A newer one takes its place.

    `parked`: the operator asked twice for it. `in a hand`: an operator holds the leader, and has said so by its gripper or by
    taking over; no follower takes that.
    """

    number: Name
    why: Why


class TorqueOff(Request, frozen=True):
    """Torque off, with the leave that the pilot gave for it."""

    leave: Name


class RebootServo(Request, frozen=True):
    """Clear a tripped servo's latch. `joint` is its dimension's name."""

    joint: Name


class Resume(Request, frozen=True):
    """End the gate's own hold: the operator has acted, a fresh alignment follows."""


ArmRequest = TorqueOn | TorqueLeave | TorqueOff | RebootServo | Resume


# -- to the pilot --
class Engage(Request, frozen=True):
    """Align every follower with the source by the bounded ramp, then let the source command."""

    source: SourceName


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


class Disengage(Request, frozen=True):
    """The source no longer commands; followers hold."""


class Reboot(Request, frozen=True):
    """Reboot one servo of one arm, on an operator's act."""

    arm: Name
    joint: Name


PilotRequest = Engage | Opening | Hold | Park | Disengage | Reboot


# -- to the synchronizer, from the session --
class RecordingInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about an episode before its first row; becomes the file's attributes."""

    task: str
    episode: Count
    instruction: str = ""
    operator: str = ""
    scene: str = ""
    check_result: str = ""
    policy: str = ""


class BeginRecording(Request, frozen=True):
    """Open the journal at `path` and record from the next tick; exactly `ticks` rows, or open-ended when None."""

    path: PathText
    info: RecordingInfo
    ticks: Count | None = None


class KeepHold(Request, frozen=True):
    """Keep rows while in hold instead of ending the episode: the operator paused it."""

    keep: bool


class EndRecording(Request, frozen=True):
    """Close the journal after the row that is open. Refused where no recording of that name goes on or is to begin.

    `path` names it, so that an end that comes late ends no other; "": whichever goes on.
    """

    why: Text = ""
    path: PathText = ""


SyncRequest = BeginRecording | KeepHold | EndRecording


# -- to the session --
class OpenSession(Request, frozen=True):
    """Open a sitting: where episodes go, whose they are, and what lies between two of them."""

    task: Name
    data: PathText = ""
    operator: Name = ""
    instruction: Text = ""
    scene: Text = ""
    source: SourceName = "leader"
    policy: str = ""
    """Which policy runs, as its runner says: it is written into every episode."""
    reset: Literal["none", "operator", "timed"] = "none"
    """After an episode: ready at once, when the operator says so, or after `reset_s` (the next one then starts by itself)."""
    reset_s: Seconds = 0.0
    episodes: Count = 0
    """How many are wanted: no timed reset starts one more. 0: no limit."""
    check_result: str = ""
    """What the check before this session said (JSON of a `check_results.SessionCheck`): it is written into every episode."""
    opening: bool | None = False
    """Begin with ALOHA's start sequence (`Opening`); None: where the leaders can be driven."""


class Start(Request, frozen=True):
    """Start the next episode; `seconds` None is open-ended."""

    seconds: Seconds | None = None


class Stop(Request, frozen=True):
    """End the episode and save it, labelled if `success` says so."""

    success: bool | None = None


class Discard(Request, frozen=True):
    """End the episode and throw it away (undoable: `station episodes delete --undo`)."""


class Label(Request, frozen=True):
    """Label the newest finished episode: success True or False, or None to unset."""

    success: bool | None


class Note(Request, frozen=True):
    """Write a line of text to the episode being recorded, or to the newest finished one."""

    text: Text


class Undo(Request, frozen=True):
    """Delete the newest saved episode of this sitting (undoable in turn: `station episodes delete --undo`)."""


class Pause(Request, frozen=True):
    """Hold the arms on purpose. While recording, the rows of the pause are kept and say hold."""


class Align(Request, frozen=True):
    """After a hold or a pause: align the followers with the source again. This is the act that resuming takes."""


class CloseSession(Request, frozen=True):
    """End the sitting: an episode being recorded is saved, the source no longer commands, the arms hold."""


SessionRequest = OpenSession | Start | Stop | Discard | Label | Note | Undo | Pause | Align | CloseSession


# -- to the policy runner --
class LoadPolicy(Request, frozen=True):
    """Load the policy in `folder`, check it against the rig, warm it up. Done once it may start.

    Takes seconds to minutes: ask patiently.
    """

    folder: PathText
    instruction: Text = ""
    """What a language-conditioned policy is told, in place of what its folder says."""


class StartPolicy(Request, frozen=True):
    """Begin a rollout: infer, and ask the pilot at every tick. Done once the first setpoint is out; then the
    pilot may engage it.

    With `shadow` the setpoints go to the stream `command/policy_shadow`, which no pilot hears: nothing moves.
    """

    shadow: bool = False


class StopPolicy(Request, frozen=True):
    """End the rollout: nothing is asked any more. The policy stays loaded."""


PolicyRequest = LoadPolicy | StartPolicy | StopPolicy


# -- to the supervisor --
class Shutdown(Request, frozen=True):
    """Stop every node in order, arms held."""


class Restart(Request, frozen=True):
    """Restart one node."""

    node: Name


class LendKey(Request, frozen=True):
    """The key of a node that is a command (`replay`), not a row of the process table: Done's `token` is its secret."""

    node: Name


SupervisorRequest = Shutdown | Restart | LendKey


# -- to the world of a simulated rig (drivers may offer more, such as faults) --
class PrepareScene(Request, frozen=True):
    """Put the scene as it is at the start of this episode. Done when the scripted operator waits there."""

    episode: Count


class ScoreScene(Request, frozen=True):
    """Has the scene's task been done since its scene was prepared? Done says `done` or `not done`; a world without a task
    refuses.
    """


class SaveTruth(Request, frozen=True):
    """Write what really happened lately to `path` (NPZ): where the leaders' shafts were, when goals reached the servos.

    Per arm node `<node>_t_ns` int64 (N,) and `<node>_rad` float64 (N, 7): six joints and the gripper's servo, rad, in the
    arm's own frame. Leaders: the hand's path, 1000 a second. Followers: goal registers, one row per accepted write, and per
    servo how often its torque went off since the world began (`<node>_torque_losses` int64).
    """

    path: PathText
    seconds: Seconds = 10.0
