"""Which requests make sense in which phase of a sitting. Pure."""

from station.bus.messages import Phase
from station.bus.requests import (
    Align,
    CloseSession,
    Discard,
    Label,
    Note,
    OpenSession,
    Pause,
    SessionRequest,
    Start,
    Stop,
    Undo,
)

_BETWEEN = (Start, Label, Note, Undo, Pause, CloseSession)
BUTTONS: dict[Phase, tuple[type[SessionRequest], ...]] = {
    "opening": (CloseSession,),
    "ready": _BETWEEN,
    "starting": (Stop, Discard, CloseSession),
    "recording": (Stop, Discard, Note, Pause, Align, CloseSession),
    "saving": (CloseSession,),
    "reset": _BETWEEN,
    "hold": (Align, Label, Note, Undo, CloseSession),
    "ended": (OpenSession,),
}
"""Anything else is refused."""


def shown(phase: Phase, paused: bool, newest: int | None, saved: int) -> tuple[type[SessionRequest], ...]:
    """Those that would be done, or refused for a reason of their own: what every client shows."""
    nothing: set[type[SessionRequest]] = set()
    if phase == "recording":
        nothing.add(Pause if paused else Align)
    elif newest is None:
        nothing |= {Label, Note}
    if not saved:
        nothing.add(Undo)
    return tuple(button for button in BUTTONS[phase] if button not in nothing)
