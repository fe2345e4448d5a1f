"""What each key means in each phase, by the table of actions. Pure: a key and what the session says, in; a request or a local act, out."""

from typing import Literal, NamedTuple

import msgspec

from station.bus.actions import (
    ACTIONS,
    MARK_KEYS,
    PEDALS,
    Action,
    mark_of,
    meant,
    next_mark,
    offered,
    pedal_words,
    request_of,
)
from station.bus.messages import Phase, SessionState
from station.bus.requests import OpenSession, SessionRequest, SetMark, Start
from station.terminal.shown import shown

YES = "y"
"""Means yes wherever yes is asked; the key that asked does too."""


class SendRequest(NamedTuple):
    """Send this to the session."""

    request: SessionRequest
    seen: SessionState
    """What it is meant for."""


class Confirm(NamedTuple):
    """Ask the operator first."""

    key: str
    """The key that asked: again, it means yes."""
    words: str
    seen: SessionState
    """What the question was asked about."""


class Local(NamedTuple):
    """The panel's own business."""

    what: Literal["help", "note"]


class Nothing(NamedTuple):
    """The key makes no sense now; `words` say why and what does. "" for a key that has no meaning at all."""

    words: str


Act = SendRequest | Confirm | Local | Nothing


class Plan(NamedTuple):
    """What the command line said about episodes."""

    open_session: OpenSession
    seconds: float | None

    @property
    def rollouts(self) -> bool:
        """Are the episodes a policy's?"""
        return self.open_session.source == "policy"

    def of_policy(self, identity: str) -> "Plan":
        """With the policy that was loaded, as its runner calls it."""
        return self._replace(open_session=msgspec.structs.replace(self.open_session, policy=identity))


_WAIT: dict[Phase, str] = {
    "opening": "the arms are being aligned: wait", "starting": "the recording is being opened: wait a moment",
    "saving": "saving: wait a moment",
}  # fmt: skip
_SHOWN = {"space": "Space", "enter": "Enter", "left": "←"}
HELP = "?"


def shown_key(key: str) -> str:
    """As it stands on the keyboard."""
    return _SHOWN.get(key, key)


def act(key: str, state: SessionState, plan: Plan, asked: Confirm | None = None) -> Act:
    """What `key` does now. `asked`: the question that is open; another key than yes answers no (and does no more)."""
    key = key.lower() if len(key) == 1 else key
    if asked is not None:
        if key not in (YES, asked.key):
            return Nothing("no")
        key = asked.key
    elif key == HELP:
        return Local("help")
    action = meant(key, state)
    if action is None:
        return Nothing(_why_not(key, state))
    if asked is None and action.question and state.phase in action.confirm:
        yes = f"{YES} = yes" if key == YES else f"{YES} or {shown_key(key)} = yes"
        return Confirm(key, f"{action.question.format(newest=state.newest)}  {yes}, any other key = no", state)
    if action.request is SetMark:
        name = mark_of(key, state)
        if key in MARK_KEYS and not name:
            return Nothing(
                f"the marks here are {', '.join(f'{k} {shown(n)}' for k, n in zip(MARK_KEYS, state.marks, strict=False))}"
            )
        return SendRequest(SetMark(name), state)
    return _asks(action, plan, asked.seen if asked is not None else state)


def _asks(action: Action, plan: Plan, seen: SessionState) -> Act:
    if action.name == "note":
        return Local("note")
    if action.request is OpenSession:
        return SendRequest(plan.open_session, seen)
    if action.request is Start:
        return SendRequest(Start(plan.seconds), seen)
    request = request_of(action)
    assert request is not None
    return SendRequest(request, seen)


def _why_not(key: str, state: SessionState) -> str:
    actions = [action for action in ACTIONS if key in action.keys or key == f"pedal {action.pedal}"]
    if not actions:
        return f"{key} means nothing here; ? shows the keys"
    if state.phase in _WAIT:
        return _WAIT[state.phase]
    if state.phase == "running":
        return "first end this rollout: Space"
    if state.phase == "recording":
        return "first end this take: d throws it away, Space saves it"
    otherwise = next((action.otherwise for action in actions if action.otherwise), "")
    return otherwise or f"{shown_key(key)} makes no sense now ({state.phase}); ? shows the keys"


class Binding(NamedTuple):
    """One line of the panel's help."""

    shown: str
    meaning: str


def bindings() -> tuple[Binding, ...]:
    """The keys, each once, with all that they may mean; then the pedals."""
    groups: dict[str, list[Action]] = {}
    for action in ACTIONS:
        if "a motion" in action.needs:  # the panel asks then, and names the key
            continue
        for key in dict.fromkeys(action.keys[:1] + tuple(key for key in action.keys[1:] if key == "p")):
            # what only a policy's sitting has stands in one line, or the help would not fit
            line = next((key for key, of in groups.items() if _policys(action) and _policys(of[0])), key)
            groups.setdefault(line, []).append(action)
    found = []
    for key, actions in groups.items():
        others = [other for other in dict.fromkeys(k for action in actions for k in action.keys[1:]) if other == "left"]
        others += [action.keys[0] for action in actions[1:] if _policys(action)]
        words = " · ".join(dict.fromkeys(action.meaning + _asks_first(action) for action in actions))
        found.append(Binding(" or ".join(map(shown_key, (key, *others))), words))
    found.append(Binding("pedal 1", pedal_words(1)))
    found.append(Binding(f"pedals 2–{PEDALS}", "; ".join(pedal_words(pedal) for pedal in range(2, PEDALS + 1))))
    return tuple(found)


def _policys(action: Action) -> bool:
    return "a policy" in action.needs


def _asks_first(action: Action) -> str:
    if not action.question:
        return ""
    return " (asks)" if set(action.phases) <= set(action.confirm) else f" (asks while {', '.join(action.confirm)})"


BINDINGS = bindings()


def hints(state: SessionState) -> str:
    """The keys that lead on, on one line."""
    return "   ".join(
        f"{shown_key(action.keys[0])}: {_label(action, state)}"
        for action in offered(state)
        if action.line == "act" and action.keys
    )


def _label(action: Action, state: SessionState) -> str:
    if action.request is SetMark and len(state.marks) > 1:
        return f"mark {shown(next_mark(state.marks, state.mark))}"
    return action.label


def more(kept: bool) -> str:
    """The keys for what is rarer. `kept`: in a sitting that records; where nothing is, notes and undoing make no sense."""
    rarer = (action for action in ACTIONS if action.line == "more" and (kept or "running" in action.phases))
    return "   ".join(f"{action.keys[0]}: {action.label}" for action in rarer)
