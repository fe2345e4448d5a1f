"""The TABLE of actions of a sitting: what an operator may do when, by which key, pedal or button.

The session, the terminal, the pedal, the headset's board and docs/reference/session.md derive from it, and so does whoever draws buttons
next. One key may stand for several actions: the first in the table that makes sense is meant.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from station.bus.messages.session import Phase, SessionState
from station.bus.requests.session import (
    Align,
    Allow,
    CloseSession,
    Discard,
    HandOver,
    Label,
    LeadersAlong,
    Note,
    OpenSession,
    Pause,
    SessionRequest,
    SetMark,
    Start,
    Stop,
    Undo,
)

Need = Literal[
    "paused",
    "not paused",
    "an episode",
    "a saved episode",
    "a policy",
    "a motion",
    "drivable leaders",
    "stiff leaders",
    "marks",
]
About = Literal["episode", "newest", "saved", "hold", "motion"]
"""The episode that is recorded or comes next; the newest finished one; the newest saved one; the hold that is to end; what is asked
from afar.
"""
PEDALS = 4
"""Pedals that may mean something."""


class Action(NamedTuple):
    """One row."""

    name: str
    """What it is called in `SessionState.actions`, and by a client that presses it."""
    request: type[SessionRequest]
    label: str
    """On a button, and in the line of keys."""
    phases: tuple[Phase, ...]
    """When it is offered."""
    keys: tuple[str, ...] = ()
    """In the terminal. The first is the one that is shown."""
    pedal: int = 0
    """Which pedal, from 1; 0: none."""
    headset: str = ""
    """Which of the controllers' buttons: a, b, x or y; "" where the headset has none for it."""
    success: bool | None = None
    """What is said about the episode with it."""
    needs: tuple[Need, ...] = ()
    also: tuple[Phase, ...] = ()
    """Phases in which the session does it although no key means it: a finger that bounces on `start` must not stop."""
    confirm: tuple[Phase, ...] | Literal["headset"] = ()
    """When the operator is asked first, with `question`; `headset`: there it is pressed twice."""
    question: str = ""
    """`{newest}`: the newest finished episode."""
    moves: bool = False
    """It may move the arms."""
    about: About | None = None
    """What must still be as it was seen. Else the request was overtaken, and is refused; None: it is done all the same."""
    line: Literal["act", "more", ""] = "act"
    """Where the panel names it: among what leads on, in the line below, or in its help alone."""
    otherwise: str = ""
    """What is said where its key makes no sense."""
    told: str = ""
    """What it does, for the panel's help; "" where the label says it."""
    held: bool = False
    """It says that hands hold the leaders."""

    @property
    def meaning(self) -> str:
        """What it does, in words that need no manual."""
        return self.told or self.label


MARK_KEYS = "123456789"
"""The keys of the sitting's marks, in their order: no task has more of them."""
_RESTING: tuple[Phase, ...] = ("ready", "reset")
_BETWEEN: tuple[Phase, ...] = (*_RESTING, "hold")
_ALWAYS: tuple[Phase, ...] = tuple(phase for phase in get_args(Phase) if phase != "ended")

ACTIONS: tuple[Action, ...] = (
    Action("allow", Allow, "allow", get_args(Phase), ("y",), needs=("a motion",), moves=True, about="motion",
           otherwise="nobody asks for anything that would move the arms", told="allow what somebody elsewhere asks for"),
    # by foot and by hand only where the same pedal and button start the arms anyway: no Stop must become a yes
    Action("allow_at_once", Allow, "allow", ("ended", "hold"), (), 1, "a", needs=("a motion",), moves=True, about="motion",
           line=""),
    Action("open", OpenSession, "begin", ("ended",), ("space", "enter"), 1, moves=True),
    Action("go_on", Align, "go on", ("hold", "recording", "running"), ("space", "enter", "p"), 1, "a", needs=("paused",), moves=True,
           about="hold"),
    Action("start", Start, "start", _RESTING, ("space", "enter"), 1, "a", about="episode"),
    Action("hand_over", HandOver, "take over · hand back", ("recording", "running", "reset"), ("t",), 1,
           needs=("not paused", "a policy"), moves=True, otherwise="no policy runs in this sitting that something could be taken from"),
    Action("held", HandOver, "I hold the leaders", ("recording", "running", "reset"), ("i",), held=True,
           needs=("not paused", "a policy", "stiff leaders"), moves=True, otherwise="no leader has torque that it would have to give up"),
    Action("leaders", LeadersAlong, "leaders along", ("recording", "running", "reset"), ("g",), needs=("a policy", "drivable leaders"),
           moves=True, line="", otherwise="no leader of this rig goes along in this sitting"),
    Action("stop", Stop, "stop and save", ("recording",), ("space", "enter"), 1, needs=("not paused",), also=("starting",),
           about="episode"),
    Action("end", Stop, "stop", ("running",), ("space", "enter"), 0, "a", needs=("not paused",), about="episode"),
    Action("success", Stop, "success", ("recording",), ("s",), 2, "a", True, also=("starting",), about="episode",
           told="stop and save as a success"),
    Action("failure", Stop, "failure", ("recording",), ("f",), 0, "x", False, also=("starting",), about="episode",
           told="stop and save as a failure"),
    Action("discard", Discard, "discard", ("starting", "recording"), ("d", "left"), 3, "b", confirm="headset", about="episode",
           otherwise="nothing is being recorded; u takes back the last saved episode", told="throw this take away and do it again"),
    Action("label_success", Label, "last one: success", _BETWEEN, ("s",), 2, "y", True, ("an episode",),
           about="newest", line="", otherwise="there is no episode to label yet",
           told="the last one was a success"),
    Action("label_failure", Label, "last one: failure", _BETWEEN, ("f",), 0, "x", False, ("an episode",),
           about="newest", line="", otherwise="there is no episode to label yet",
           told="the last one was a failure"),
    Action("note", Note, "note", ("recording", *_BETWEEN), ("n",), needs=("an episode",),
           line="more", otherwise="there is no episode to write a note to yet", told="write a note to this take, or to the last one"),
    Action("mark", SetMark, "mark", ("recording",), ("m", *MARK_KEYS), 4, "y", needs=("marks",), about="episode",
           otherwise="marks are set while an episode is recorded", told="mark this moment, with the next name; 1 to 9: that name"),
    Action("pause", Pause, "pause", (*_RESTING, "recording", "running"), ("p",), needs=("not paused",),
           line="more", otherwise="there is nothing to pause", told="pause: the arms hold"),
    Action("undo", Undo, "undo", _BETWEEN, ("u",), needs=("a saved episode",), confirm=_BETWEEN,
           question="delete episode {newest}?", about="saved", line="more",
           otherwise="nothing was saved in this sitting that could be taken back", told="delete the last saved episode"),
    Action("close", CloseSession, "quit", _ALWAYS, ("q",), confirm=("recording",),
           question="save this take and end the sitting?", line="more", told="end the sitting"),
)  # fmt: skip
BY_NAME = {action.name: action for action in ACTIONS}

_MET: dict[Need, Callable[[SessionState], bool]] = {
    "paused": lambda state: state.paused or state.phase == "hold",
    "not paused": lambda state: not state.paused,
    "an episode": lambda state: state.newest >= 0 or state.phase == "recording",
    "a policy": lambda state: state.source == "policy",
    "a motion": lambda state: state.motion is not None and state.motion.moves_ns == 0,
    "marks": lambda state: bool(state.marks),
    "a saved episode": lambda state: state.saved > 0,
    "drivable leaders": lambda state: state.leaders != "",
    "stiff leaders": lambda state: state.stiff,
}


def offered(state: SessionState) -> tuple[Action, ...]:
    """What makes sense in that state, in the table's order."""
    return tuple(
        action for action in ACTIONS if state.phase in action.phases and all(_MET[need](state) for need in action.needs)
    )


def allowed(phase: Phase) -> tuple[type[SessionRequest], ...]:
    """The requests that the session does in this phase, or refuses for a reason of their own; anything else is refused."""
    kinds = (action.request for action in ACTIONS if phase in (*action.phases, *action.also))
    return tuple(dict.fromkeys(kinds))


def meant(key: str, state: SessionState) -> Action | None:
    """The action that a key, or `pedal 1`, means now; None if none that makes sense."""
    return next((action for action in offered(state) if key in action.keys or key == f"pedal {action.pedal}"), None)


def request_of(action: Action) -> SessionRequest | None:
    """What it asks, where nothing else has to be known for it."""
    if action.request in (OpenSession, Start, Note):
        return None
    if action.held:
        return HandOver("leader", held=True)
    if action.success is not None:
        return action.request(success=action.success)  # type: ignore[call-arg]
    return action.request()  # type: ignore[call-arg]


def mark_of(key: str, state: SessionState) -> str:
    """The name of the mark that a key sets, where it is one mark's own; "" for the next."""
    place = MARK_KEYS.find(key) if len(key) == 1 else -1
    return state.marks[place] if 0 <= place < len(state.marks) else ""


def next_mark(names: tuple[str, ...], last: str) -> str:
    """The name that comes after the one that was set last, and after the last one the first; "" where there are none."""
    return names[(names.index(last) + 1 if last in names else 0) % len(names)] if names else ""


def about(request: SessionRequest) -> About | None:
    """What must still be as it was seen when that was asked."""
    return next(action.about for action in ACTIONS if isinstance(request, action.request))


def pedal_words(pedal: int) -> str:
    """What a pedal does, in words; but for what somebody elsewhere has to ask for first."""
    return " · ".join(
        dict.fromkeys(action.label for action in ACTIONS if action.pedal == pedal and "a motion" not in action.needs)
    )
