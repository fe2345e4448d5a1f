"""What a page says, and which role may say it. Pure: a tagged union of small structs, unknown fields refused."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from station.borders.bounds import Count, Name, PathText, Seconds
from station.borders.decoding import Decoder
from station.console.seats import Role

LONGEST_BYTES = 64 << 10
Line = Annotated[str, Meta(max_length=4000)]
FolderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}\Z")]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=str.lower):
    """Base of all of them."""


class Hello(Message, frozen=True):
    """The first word on a link."""

    tab: Annotated[str, Meta(pattern=r"^[a-z0-9]{8,32}\Z")]
    """Which window of this browser: the same after a reload, so that control comes through it."""


class Alive(Message, frozen=True):
    """Every two seconds. `seen`: somebody can see the page."""

    seen: bool


class Watch(Message, frozen=True):
    """Which cameras it shows now."""

    cameras: Annotated[tuple[Name, ...], Meta(max_length=8)]
    fps: Annotated[float, Meta(ge=1, le=15)] = 10.0
    processes: bool = False
    """Does it show every process, too?"""
    policy: bool = False
    """And what a policy asks for?"""
    job: bool = False
    """And what a job sees?"""
    arm: Name = ""
    """Whose joints' effort?"""


class Drawn(Message, frozen=True):
    """At most ten times a second, while pictures come: so many of this link's are on the screen."""

    pictures: Count


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


Chosen = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1000)]


class Edit(Message, frozen=True):
    """Say something of recorded episodes; what is left out stays as it is."""

    id: Count
    episodes: Chosen
    success: Literal["yes", "no", "unset"] | None = None
    note: Line | None = None
    task: Name | None = None
    instruction: Line | None = None


class Unedit(Message, frozen=True):
    """Take the newest change of these episodes back."""

    id: Count
    episodes: Chosen


class Trash(Message, frozen=True):
    """Take episodes out of every loader's way."""

    id: Count
    episodes: Chosen


class Restore(Message, frozen=True):
    """Bring them back."""

    id: Count
    episodes: Chosen


class KeepPlan(Message, frozen=True):
    """Make this the task's collection plan."""

    id: Count
    task: Name
    plan: msgspec.Raw = msgspec.Raw(b"null")
    """As `plan.yaml` has it, read where it is kept: what is wrong in it is an answer. null: it has none any more."""


class Recover(Message, frozen=True):
    """Make episodes of journals that were left."""

    id: Count


class Check(Message, frozen=True):
    """Run the rig's check. It only listens: nothing moves."""

    id: Count


class Calibrate(Message, frozen=True):
    """Begin a wizard of `station calibrate`."""

    id: Count
    what: Literal["arms", "gello", "grippers", "cameras", "latency"]
    only: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()
    """Devices; (): all that it is for."""
    placings: Annotated[int, Meta(ge=1, le=10)] = 3
    pose: Annotated[str, Meta(max_length=200, pattern=r"^[-+0-9., ]*\Z")] = ""
    """Of an arm that lies in a jig: its joints' true angles, degrees, with commas between."""
    compare: Annotated[int, Meta(ge=0, le=20)] = 0
    board: bool = False
    """Lens and place of cameras, too."""
    on: Name = ""
    """The arm that carries these cameras, where their names do not say it."""
    seconds: Seconds = 0.0
    """How long is measured; 0: as the command has it."""


class Replay(Message, frozen=True):
    """Have the arms play an episode again."""

    id: Count
    episode: Name


class AnswerStep(Message, frozen=True):
    """To what a job asks."""

    id: Count
    step: Count
    answer: Name


class EndJob(Message, frozen=True):
    """End the job where it is."""

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


class Export(Message, frozen=True):
    """Make a training set of what the page shows, but for what was ticked."""

    id: Count
    format: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}\Z")]
    name: FolderName
    """Of its folder, beside all others."""
    where: Annotated[tuple[Line, ...], Meta(max_length=40)] = ()
    left_out: Annotated[tuple[Name, ...], Meta(max_length=1000)] = ()
    reason: Line = ""
    """Why those are left out."""


class Load(Message, frozen=True):
    """Have the runner load a policy of the list. Nothing moves."""

    id: Count
    policy: Name
    instruction: Line = ""
    """In place of the folder's own."""


class Shadow(Message, frozen=True):
    """Let the loaded policy think beside whoever commands, or end that. Nothing moves."""

    id: Count
    on: bool


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


class Evaluate(Message, frozen=True):
    """Make trials of policies, in turn."""

    id: Count
    name: FolderName
    """Of the folder of its results and episodes."""
    policies: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=8)]
    trials: Annotated[int, Meta(ge=1, le=1000)]
    """Of each."""
    seconds: Annotated[float, Meta(ge=1.0, le=3600.0)]
    """How long each may take."""
    blind: bool = False
    by_hand: bool = False
    """A person says how each went, also where physics could."""
    seed: Count = 0
    instruction: Line = ""
    override: Name = ""


Ports = Annotated[tuple[PathText, ...], Meta(max_length=16)]
"""Look at these only; (): at all there are."""


class Find(Message, frozen=True):
    """Look what is plugged in, while the rig is not up. Nothing is written to any device."""

    id: Count
    ports: Ports = ()


class NewRig(Message, frozen=True):
    """Begin `station rig new`: the file of a rig, from what is plugged in."""

    id: Count
    name: Name
    ports: Ports = ()


class TryRig(Message, frozen=True):
    """Begin `station rig try`: each joint moved by hand, nothing has torque."""

    id: Count
    rig: Name


OfJobs = Check | Calibrate | Export | Replay | AnswerStep | EndJob
OfEpisodes = Edit | Unedit | Trash | Restore | Recover | KeepPlan
OfPolicies = Load | Shadow | Evaluate
OfSetup = Find | NewRig | TryRig
Beside = OfJobs | OfEpisodes | OfPolicies | OfSetup
"""What is asked of no node, or of one after the other: it is done beside the loop."""
OfTheSession = Press | Open | Rollouts | TakeOver | HandBack | Control | Deny
OfItself = Hello | Alive | Watch | Drawn
"""What a page says of itself; nobody is asked for anything."""
FromPage = OfItself | OfTheSession | Hold | Park | ArmAct | RestartNode | Beside
NEEDS: dict[type, Role] = {
    **dict.fromkeys((*get_args(OfItself), Hold, Deny), "viewer"),
    **dict.fromkeys((Press, Open, Rollouts, TakeOver, HandBack, Shadow, Control, Park), "operator"),
    **dict.fromkeys((Check, Export, Replay, AnswerStep, EndJob, *get_args(OfEpisodes)), "operator"),
    **dict.fromkeys((ArmAct, RestartNode, Load, Evaluate, Calibrate, *get_args(OfSetup)), "engineer"),
}
"""The TABLE of who may say what: each role may what the ones before it may. To stop the arms is everybody's."""

_decoder: Decoder[FromPage] = Decoder("json", FromPage)


def id_of(raw: str) -> int:
    """The number of a word that is none, so that whoever waits for its answer hears why; 0 where it has none either."""
    try:
        return msgspec.convert(msgspec.json.decode(raw), _Numbered).id
    except msgspec.MsgspecError:
        return 0


class _Numbered(msgspec.Struct):
    id: Count


def decode(raw: str) -> FromPage:
    """Raises Undecodable, a ValueError."""
    return _decoder.decode(raw)
