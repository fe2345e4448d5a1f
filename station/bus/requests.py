"""What one node may ask of another. The answer is Done, or Refused with the reason and what to do.

A node serves one tagged union of these and nothing else; anything that does not decode is refused.
"""

import msgspec

from station.bus.messages import SourceName


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of every request."""


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It is done (not: it has been noted). `detail` is for people."""

    detail: str = ""


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It was not done. `why` says the reason and the next act."""

    why: str


Reply = Done | Refused


# -- to an arm's driver, from the pilot alone --
class TorqueOn(Request):
    """Goal := present position, then torque on, then the watchdog is armed."""


class TorqueOff(Request):
    """Torque off. The pilot asks this only for `park --release`."""


class RebootServo(Request):
    """Clear a tripped servo's latch. `joint` is its dimension's name."""

    joint: str


class Resume(Request):
    """End the gate's own hold: the operator has acted, a fresh alignment follows."""


ArmRequest = TorqueOn | TorqueOff | RebootServo | Resume


# -- to the pilot --
class Engage(Request):
    """Align every follower with the source by the bounded ramp, then let the source command."""

    source: SourceName


class Hold(Request):
    """Stop where you are and keep torque."""

    why: str


class Park(Request):
    """Ramp to the sleep pose. With `release`, torque off afterwards on the arms named (all if empty)."""

    release: bool = False
    arms: tuple[str, ...] = ()


class Disengage(Request):
    """The source no longer commands; followers hold."""


class Reboot(Request):
    """Reboot one servo of one arm, on an operator's act."""

    arm: str
    joint: str


PilotRequest = Engage | Hold | Park | Disengage | Reboot


# -- to the synchronizer, from the session --
class RecordingInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about an episode before its first row; becomes the file's attributes."""

    task: str
    episode: int
    instruction: str = ""
    operator: str = ""
    scene: str = ""
    check_result: str = ""
    policy: str = ""


class BeginRecording(Request):
    """Open the journal at `path` and record from the next tick; exactly `ticks` rows, or open-ended when None."""

    path: str
    info: RecordingInfo
    ticks: int | None = None
    keep_hold: bool = False
    """Keep rows while in hold instead of ending."""


class EndRecording(Request):
    """Close the journal after the row that is open."""

    why: str = ""


SyncRequest = BeginRecording | EndRecording


# -- to the session --
class OpenSession(Request):
    """Open a sitting: where episodes go, whose they are."""

    task: str
    data: str = ""
    operator: str = ""
    instruction: str = ""
    scene: str = ""
    source: SourceName = "leader"


class Start(Request):
    """Start the next episode; `seconds` None is open-ended."""

    seconds: float | None = None


class Stop(Request):
    """End the episode and save it."""


class Discard(Request):
    """End the episode and throw it away (undoable: `station episodes delete --undo`)."""


class Label(Request):
    """Label an episode: success True/False, or None to unset; −1 is the last saved one."""

    success: bool | None
    episode: int = -1


class Align(Request):
    """After a hold: align the followers with the source again. This is the operator's act that resuming takes."""


class CloseSession(Request):
    """End the sitting: an episode being recorded is saved, the source no longer commands, the arms hold."""


SessionRequest = OpenSession | Start | Stop | Discard | Label | Align | CloseSession


# -- to the policy runner --
class LoadPolicy(Request):
    """Load the policy in `folder`, check it against the rig, warm it up. Done once it may start.

    Takes seconds to minutes: ask patiently.
    """

    folder: str


class StartPolicy(Request):
    """Begin a rollout: infer, and ask the pilot at every tick. Done once the first ask is out; then the
    pilot may engage it.

    With `shadow` the asks go to the stream `command/policy_shadow`, which no pilot hears: nothing moves.
    """

    shadow: bool = False


class StopPolicy(Request):
    """End the rollout: nothing is asked any more. The policy stays loaded."""


PolicyRequest = LoadPolicy | StartPolicy | StopPolicy


# -- to the supervisor --
class Shutdown(Request):
    """Stop every node in order, arms held."""


class Restart(Request):
    """Restart one node."""

    node: str


SupervisorRequest = Shutdown | Restart
