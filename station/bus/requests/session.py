"""What the session is asked: by keys, pedal, headset, commands."""

from typing import Literal

from station.borders.bounds import Count, Name, PathText, Seconds, Text
from station.bus.messages.commanding import SourceName
from station.bus.requests.request import Request


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
    policy_folder: PathText = ""
    """Where that policy is: a runner that is restarted during the sitting loads it again."""
    reset: Literal["none", "operator", "timed"] = "none"
    """After an episode: ready at once, when the operator says so, or after `reset_s` (the next one then starts by itself)."""
    reset_s: Seconds = 0.0
    episodes: Count = 0
    """How many are wanted: no timed reset starts one more. 0: no limit."""
    override: Text = ""
    """Why it is opened although the check failed: kept in every episode, with the name of `operator`, or of who asks."""
    opening: bool | None = False
    """Begin with ALOHA's start sequence (`Opening`); None: where the leaders can be driven."""
    kept: bool = True
    """False: a policy's rollouts that nobody records; `task` is what the sitting is called, and no folder is touched."""
    blind: bool = False
    """Somebody judges the policy who is not to know which it is: no log and no screen names it, its episodes do."""


class Start(Request, frozen=True):
    """Start the next episode; `seconds` None is open-ended. Where a policy runs, it begins a rollout: the policy is engaged first."""

    seconds: Seconds | None = None
    trial: Count = 0
    """Which trial of an evaluation it is, from 1; 0: none. It is written into the episode, like `condition`."""
    condition: Text = ""
    """Under which condition of the evaluation: which scene, whose turn."""


class Stop(Request, frozen=True):
    """End the episode and save it, labelled if `success` says so; or end a rollout that nobody records."""

    success: bool | None = None


class Discard(Request, frozen=True):
    """End the episode and throw it away (undoable: `station episodes delete --undo`)."""


class Label(Request, frozen=True):
    """Label the newest finished episode: success True or False, or None to unset."""

    success: bool | None


class Note(Request, frozen=True):
    """Write a line of text to the episode being recorded, or to the newest finished one."""

    text: Text


class SetMark(Request, frozen=True):
    """Mark this moment of the episode being recorded. "": the sitting's next name, after the last one the first again."""

    name: Name = ""


class Undo(Request, frozen=True):
    """Delete the newest saved episode of this sitting (undoable in turn: `station episodes delete --undo`)."""


class Pause(Request, frozen=True):
    """Hold the arms on purpose. While recording, the rows of the pause are kept and say hold."""


class Align(Request, frozen=True):
    """After a hold or a pause: align the followers with the source again. This is the act that resuming takes."""


class HandOver(Request, frozen=True):
    """While a policy's sitting goes on: who commands from now on, None for the other one of policy and hands.

    A take-over whose leaders are too far from the followers is refused, and the policy goes on. So is one from leaders that were
    driven, until a hand is felt on each or the operator says `held`: "I hold the leaders". They go limp then.
    """

    to: SourceName | None = None
    held: bool = False


class LeadersAlong(Request, frozen=True):
    """While a policy's sitting goes on: may the leaders go along with their followers, gently? None: the other way than now.

    The answer holds for this sitting (`teleop.driven_leaders: ask` in the rig file).
    """

    along: bool | None = None


class Allow(Request, frozen=True):
    """Let happen what somebody who is not at the rig asked for (`SessionState.motion`); arms move after a count-down of 3 s. Only
    whoever is at the rig may; not to let it happen (`yes` False) is anybody's.
    """

    yes: bool = True


class CloseSession(Request, frozen=True):
    """End the sitting: an episode being recorded is saved, the source no longer commands, the arms hold."""


SessionRequest = (
    OpenSession
    | Start
    | Stop
    | Discard
    | Label
    | Note
    | SetMark
    | Undo
    | Pause
    | Align
    | HandOver
    | LeadersAlong
    | Allow
    | CloseSession
)
