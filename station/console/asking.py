"""What a page's words ask of the station's nodes. Pure."""

from typing import NamedTuple

from station.bus.actions import BY_NAME, request_of
from station.bus.requests import (
    Allow,
    AskLeave,
    ControlRequest,
    KeepControl,
    LeaveControl,
    Note,
    OpenSession,
    PilotRequest,
    Restart,
    SessionRequest,
    Start,
    SupervisorRequest,
    TakeControl,
    Who,
)
from station.bus.requests import Hold as HoldArms
from station.bus.requests import Park as ParkArms
from station.console.seats import Seat
from station.console.wire import Control, Deny, FromPage, Hold, Open, Park, Press, RestartNode


class Question(NamedTuple):
    """One request to one node; `after` is asked once it is done."""

    node: str
    request: SessionRequest | ControlRequest | PilotRequest | SupervisorRequest
    seen: int = 0
    after: "Question | None" = None


_CONTROL: dict[str, type[TakeControl | LeaveControl | KeepControl]] = {
    "take": TakeControl, "leave": LeaveControl, "keep": KeepControl,
}  # fmt: skip


def questions(said: FromPage, who: str, seconds: float | None) -> tuple[Question, ...]:
    """What is asked because of it, the first of which is answered to the page; () for what asks nothing.

    `seconds`: how long an episode that begins is to be. Raises ValueError for an action that nobody knows, or that needs more than a press.
    """
    match said:
        case Press():
            return (Question("session", _pressed(said, seconds), said.seen),)
        case Open():
            return (Question("session", _opened(said), said.seen),)
        case Control():
            return (Question("session", _CONTROL[said.what]()),)
        case Deny():
            return (Question("session", Allow(False)),)
        case Hold():
            return Question("pilot", HoldArms(f"held by {who}")), Question("session", Allow(False))
        case Park():
            return (Question("session", AskLeave("park the arms"), after=Question("pilot", ParkArms())),)
        case RestartNode():
            return (Question("supervisor", Restart(said.node)),)
    return ()


def _pressed(said: Press, seconds: float | None) -> SessionRequest:
    action = BY_NAME.get(said.name)
    if action is None or action.request is OpenSession:
        raise ValueError(f"{said.name!r} is no button")
    if action.request is Start:
        return Start(seconds)
    if action.request is Note:
        return Note(said.text)
    request = request_of(action)
    assert request is not None
    return request


def _opened(said: Open) -> OpenSession:
    return OpenSession(
        said.task, operator=said.operator, instruction=said.instruction, scene=said.scene, episodes=said.episodes,
        reset="timed" if said.reset_s else "operator", reset_s=said.reset_s, override=said.override, opening=None,
    )  # fmt: skip


def who_asks(seat: Seat, tab: str, address: str) -> Who:
    """As the station's nodes are told."""
    return Who("console", f"{seat.person or seat.role} at {address}"[:120], seat=f"{seat.id}.{tab}", at_rig=seat.at_rig)
