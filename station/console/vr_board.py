"""What a VR operator is shown beside the pictures, and what the buttons ask of the session. Pure."""

from station.bus.messages import PilotState, SessionState, TeleopState
from station.bus.requests import Align, Discard, Label, SessionRequest, Start, Stop
from station.devices.headset import Board, Button
from station.terminal.shown import shown

_BUTTONS = (
    ("Align", Button("go_on", "go on", "a")),
    ("Start", Button("start", "start", "a")),
    ("Stop", Button("success", "save: success", "a")),
    ("Stop", Button("failure", "save: failure", "x")),
    ("Discard", Button("discard", "discard", "b", confirm=True)),
    ("Label", Button("label_success", "last one: success", "y")),
    ("Label", Button("label_failure", "last one: failure", "x")),
)
"""The session's request that has to make sense now, and the button for it."""

_REQUESTS: dict[str, SessionRequest] = {
    "go_on": Align(),
    "start": Start(),
    "success": Stop(success=True),
    "failure": Stop(success=False),
    "discard": Discard(),
    "label_success": Label(success=True),
    "label_failure": Label(success=False),
}


def request(name: str) -> SessionRequest | None:
    """What a button asks of the session; None for a name that is no button."""
    return _REQUESTS.get(name)


def board(session: SessionState | None, pilot: PilotState | None, teleop: TeleopState | None, tick_hz: float) -> Board:
    """The board, from what the nodes say of themselves; None for one that says nothing."""
    state, why = _state(pilot, teleop)
    hands = tuple(hand.arm for hand in teleop.hands if hand.clutched) if teleop is not None else ()
    if session is None:
        return Board(state, why, "", "no session runs", (), hands)
    buttons = tuple(button for needed, button in _BUTTONS if needed in session.buttons and _sensible(button, session))
    return Board(state, shown(why or session.why), session.phase, shown(_text(session, tick_hz)), buttons, hands)


def _sensible(button: Button, session: SessionState) -> bool:
    if button.name == "go_on":
        return session.paused or session.phase == "hold"
    if button.name in ("success", "failure", "discard"):
        return not session.paused
    return session.saved > 0 or not button.name.startswith("label")


def _state(pilot: PilotState | None, teleop: TeleopState | None) -> tuple[str, str]:
    if pilot is not None and pilot.state == "hold":
        return "hold", pilot.why
    if teleop is None:
        return "idle", "the teleoperation node says nothing"
    if pilot is not None and pilot.state == "engaged" and pilot.source != "vr":
        return "idle", f"{pilot.source} commands the arms"
    return teleop.state, teleop.why


def _text(session: SessionState, tick_hz: float) -> str:
    where = f"{session.task}, {session.phase}" if session.task else session.phase
    if session.phase == "recording":
        return f"{where}: episode {session.episode}, {session.recorded_ticks / tick_hz:.1f} s"
    if session.phase == "ended":
        return "no sitting is open. Next: `station vr --task T` on the station"
    finalising = f", {session.finalising} being written" if session.finalising else ""
    return f"{where}: {session.saved} saved, {session.discarded} discarded{finalising}"
