"""What a VR operator is shown beside the pictures, and what the buttons ask of the session. Pure."""

from station.bus.actions import BY_NAME, request_of
from station.bus.messages import PilotState, SessionState, TeleopState
from station.bus.requests import SessionRequest, Start
from station.client import staged
from station.devices.headset import Board, Button
from station.terminal.shown import shown


def request(name: str) -> SessionRequest | None:
    """What a button asks of the session; None for a name that is no button."""
    action = BY_NAME.get(name)
    if action is None or not action.headset:
        return None
    return Start() if action.request is Start else request_of(action)


def board(session: SessionState | None, pilot: PilotState | None, teleop: TeleopState | None, tick_hz: float) -> Board:
    """The board, from what the nodes say of themselves; None for one that says nothing."""
    state, why = _state(pilot, teleop)
    hands = tuple(hand.arm for hand in teleop.hands if hand.clutched) if teleop is not None else ()
    if session is None:
        return Board(state, why, "", "no session runs", (), hands)
    return Board(
        state, shown(why or session.why), session.phase, shown(_text(session, tick_hz)), _buttons(session), hands
    )


def _buttons(session: SessionState) -> tuple[Button, ...]:
    """Those of the table's actions that the controllers have a key for, each key once; while paused, what goes on and nothing else."""
    found: dict[str, Button] = {}
    for name in session.actions:
        action = BY_NAME.get(name)
        if action is not None and action.headset and (not session.paused or "paused" in action.needs):
            button = Button(name, action.label, action.headset, confirm=action.confirm == "headset")
            found.setdefault(action.headset, button)
    return tuple(found.values())


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
    if session.phase == "running":
        return f"{where}: rollout {session.episode}, nothing is recorded"
    if session.phase == "ended":
        return "no sitting is open. Next: `station vr --task T` on the station"
    finalising = f", {session.finalising} being written" if session.finalising else ""
    counts = f"{where}: {session.saved} saved, {session.discarded} discarded{finalising}"
    return f"{counts}. {next_}" if (next_ := staged.stage(session.staging)) else counts
