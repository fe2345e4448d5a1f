"""What each key means in each phase. Pure: a key and what the session says, in; a request or a local act, out."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from station.bus.messages import Phase, SessionState
from station.bus.requests import (
    Align,
    CloseSession,
    Discard,
    Label,
    OpenSession,
    Pause,
    SessionRequest,
    Start,
    Stop,
    Undo,
)

Question = Literal["undo", "quit"]


class SendRequest(NamedTuple):
    """Send this to the session."""

    request: SessionRequest


class Confirm(NamedTuple):
    """Ask the operator first; the same key again means yes."""

    question: Question
    words: str


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

    def checked(self, result: str) -> "Plan":
        """With what the check before this session said."""
        return self._replace(open_session=msgspec.structs.replace(self.open_session, check_result=result))


class Binding(NamedTuple):
    """One row of the table."""

    keys: tuple[str, ...]
    shown: str
    meaning: str
    act: Callable[[SessionState, Plan, Question | None], Act]


_WAIT: dict[Phase, str] = {
    "opening": "the arms are being aligned: wait", "starting": "the recording is being opened: wait a moment",
    "saving": "saving: wait a moment",
}  # fmt: skip


def _advance(state: SessionState, plan: Plan, _: Question | None) -> Act:
    if state.phase == "recording":
        return SendRequest(Align()) if state.paused else SendRequest(Stop())
    if state.phase in ("ready", "reset"):
        return SendRequest(Start(plan.seconds))
    if state.phase == "hold":
        return SendRequest(Align())
    return SendRequest(plan.open_session) if state.phase == "ended" else Nothing(_WAIT[state.phase])


def _verdict(success: bool) -> Callable[[SessionState, Plan, Question | None], Act]:
    def act(state: SessionState, _plan: Plan, _asked: Question | None) -> Act:
        if state.phase == "recording":
            return SendRequest(Stop(success))
        if state.newest < 0:
            return Nothing("there is no episode to label yet")
        return SendRequest(Label(success))

    return act


def _discard(state: SessionState, _plan: Plan, _asked: Question | None) -> Act:
    if state.phase == "recording":
        return SendRequest(Discard())
    return Nothing("nothing is being recorded; u takes back the last saved episode")


def _pause(state: SessionState, _plan: Plan, _asked: Question | None) -> Act:
    if state.phase == "hold" or state.paused:
        return SendRequest(Align())
    if state.phase in ("ready", "reset", "recording"):
        return SendRequest(Pause())
    return Nothing(f"nothing to pause while {state.phase}")


def _undo(state: SessionState, _plan: Plan, asked: Question | None) -> Act:
    if state.phase == "recording":  # an answer to a question that was open when it began, too
        return Nothing("first end this take: d throws it away, Space saves it")
    if asked == "undo":
        return SendRequest(Undo())
    if state.saved == 0:
        return Nothing("nothing was saved in this sitting" + (" yet: it is being built" if state.finalising else ""))
    return Confirm("undo", f"delete episode {state.newest}?  u = yes, any other key = no")


def _quit(state: SessionState, _plan: Plan, asked: Question | None) -> Act:
    if state.phase == "recording" and asked != "quit":
        return Confirm("quit", "save this take and end the sitting?  q = yes, any other key = no")
    return SendRequest(CloseSession())


def _note(state: SessionState, _plan: Plan, _asked: Question | None) -> Act:
    if state.phase != "recording" and state.newest < 0:
        return Nothing("there is no episode to write a note to yet")
    return Local("note")


def _help(_state: SessionState, _plan: Plan, _asked: Question | None) -> Act:
    return Local("help")


BINDINGS: tuple[Binding, ...] = (
    Binding(("space", "enter", "advance"), "Space", "start · stop and save · go on after a hold", _advance),
    Binding(("s", "success"), "s", "success: stop and label, or label the last one", _verdict(True)),
    Binding(("f",), "f", "failure: stop and label, or label the last one", _verdict(False)),
    Binding(("d", "left", "discard"), "d or ←", "throw this take away and do it again", _discard),
    Binding(("n",), "n", "write a note to this take, or to the last one", _note),
    Binding(("p",), "p", "pause: the arms hold · go on", _pause),
    Binding(("u",), "u", "undo: delete the last saved episode (asks)", _undo),
    Binding(("q",), "q", "end the sitting (asks while recording)", _quit),
    Binding(("?",), "?", "this table", _help),
)
"""The table. Pedals press `advance`, `success` and `discard`."""

_BY_KEY = {key: binding for binding in BINDINGS for key in binding.keys}


def act(key: str, state: SessionState, plan: Plan, asked: Question | None = None) -> Act:
    """What `key` does now. `asked`: the question that is open; another key than its own answers no (and does no more)."""
    binding = _BY_KEY.get(key.lower() if len(key) == 1 else key)
    if asked is not None and (binding is None or binding.keys[0] != asked[0]):
        return Nothing("no")
    if binding is None:
        return Nothing(f"{key} means nothing here; ? shows the keys")
    answer = binding.act(state, plan, asked)
    wanted = type(answer.request).__name__ if isinstance(answer, SendRequest) else ""
    if wanted and wanted != "CloseSession" and wanted not in state.buttons:
        return Nothing(_WAIT.get(state.phase, f"{binding.shown} makes no sense now ({state.phase}); ? shows the keys"))
    return answer
