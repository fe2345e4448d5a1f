"""The TABLE of who may ask for what. A node's `RequestServer` holds every request against it before anybody sees it.

Who asks is known by key (`station.bus.keys`): a node by its name, everybody else as a client. What is not in the table, such as
what a driver or a world offers of its own, is for clients.
"""

from typing import NamedTuple, get_args

from station.bus import requests as r
from station.bus.keys import CLIENT


class Right(NamedTuple):
    """One row."""

    may: tuple[str, ...]
    """Nodes, or the clients."""
    instead: str
    """What somebody else should do."""


_ARM = Right(
    ("pilot",),
    "ask the pilot: `station teleop` engages, `station park --release` takes torque off, the web page or a session resumes",
)
_PILOT = Right((CLIENT, "session", "replay"), "let the operator ask, in a command or the session")
_RECORDER = Right(("session",), "ask the session: `station record`")
_SESSION = Right((CLIENT, "vr_teleop", "vr_panel"), "let the operator ask")
_POLICY = Right((CLIENT, "session"), "let the operator ask, in a command or the session")
_OPERATOR = Right((CLIENT,), "let the operator ask, in a command")

RIGHTS: dict[type[r.Request], Right] = {
    **dict.fromkeys(get_args(r.ArmRequest), _ARM),
    **dict.fromkeys(get_args(r.PilotRequest), _PILOT),
    **dict.fromkeys(get_args(r.PolicyRequest), _POLICY),
    **dict.fromkeys(get_args(r.SyncRequest), _RECORDER),
    **dict.fromkeys((*get_args(r.SessionRequest), *get_args(r.ControlRequest)), _SESSION),
    **dict.fromkeys((r.Recover, r.OperatorAct), _OPERATOR),
}


def who_may(request: type) -> tuple[str, ...]:
    """Nodes, or the clients, that may ask for it."""
    return RIGHTS.get(request, _OPERATOR).may


def refusal(sender: str, node: str, request: object) -> str:
    """Why `sender` may not ask `node` for that; "" if it may."""
    right = RIGHTS.get(type(request), _OPERATOR)  # type: ignore[arg-type]
    if sender in right.may:
        return ""
    who = "a client" if sender == CLIENT else sender
    allowed = " or ".join("a client" if name == CLIENT else name for name in right.may)
    return f"{who} asked {node} for {type(request).__name__}, which only {allowed} may. Next: {right.instead}"
