"""What a page's words ask of the station's nodes. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from station.bus.actions import BY_NAME, request_of
from station.bus.messages import Description, PolicyState
from station.bus.requests import (
    Allow,
    ControlRequest,
    HandOver,
    KeepControl,
    LeaveControl,
    Note,
    OpenSession,
    OperatorAct,
    PilotRequest,
    PolicyRequest,
    Restart,
    SessionRequest,
    Start,
    SupervisorRequest,
    TakeControl,
    Who,
)
from station.bus.requests import Hold as HoldArms
from station.bus.requests import Park as ParkArms
from station.console.leave import leave_for
from station.console.seats import Seat
from station.console.wire import (
    ArmAct,
    Calibrate,
    Control,
    Deny,
    FromPage,
    HandBack,
    Hold,
    Open,
    Park,
    Press,
    RestartNode,
    Rollouts,
    TakeOver,
)
from station.rig.rig import Rig


class Question(NamedTuple):
    """One request to one node; `after` is asked once it is done."""

    node: str
    request: SessionRequest | ControlRequest | PilotRequest | SupervisorRequest | PolicyRequest
    seen: int = 0
    after: "Question | None" = None


_CONTROL: dict[str, type[TakeControl | LeaveControl | KeepControl]] = {
    "take": TakeControl, "leave": LeaveControl, "keep": KeepControl,
}  # fmt: skip


class Known(NamedTuple):
    """What the console knows beside the word."""

    seconds: float | None = None
    """How long an episode that begins is to be."""
    policy: PolicyState | None = None
    """What the runner has loaded."""
    hands: Literal["leader", "vr"] = "leader"
    """Whose hands take over at this rig."""
    descriptions: Mapping[str, Description] = MappingProxyType({})
    """Of devices, by node: which acts an arm has."""


def questions(said: FromPage, who: str, known: Known) -> tuple[Question, ...]:
    """What is asked because of it, the first of which is answered to the page; () for what asks nothing.

    Raises ValueError for an action that nobody knows, or that needs more than a press, or more than is known.
    """
    request = _of_the_session(said, known)
    if request is not None:
        return (Question("session", request, getattr(said, "seen", 0)),)
    match said:
        case Hold():
            return Question("pilot", HoldArms(f"held by {who}")), Question("session", Allow(False))
        case Park():
            return (Question("session", leave_for(said), after=Question("pilot", ParkArms())),)
        case ArmAct():
            leave = leave_for(said, _does(said, known))
            return (Question("session", leave, after=Question("pilot", OperatorAct(said.arm, said.act))),)
        case RestartNode():
            return (Question("supervisor", Restart(said.node)),)
    return ()


def _does(said: ArmAct, known: Known) -> str:
    """What happens then, as the arm's driver says."""
    acts = known.descriptions[said.arm].acts if said.arm in known.descriptions else ()
    does = next((act.does for act in acts if act.name == said.act), "")
    if not does:
        raise ValueError(f"{said.arm!r} has no act {said.act!r}. Next: look at the Rig page again")
    return does


def _of_the_session(said: FromPage, known: Known) -> SessionRequest | ControlRequest | None:
    match said:
        case Press():
            return _pressed(said, known.seconds)
        case Open():
            return _opened(said)
        case Rollouts():
            return _rollouts(said, known.policy)
        case TakeOver():
            return HandOver(known.hands, held=True)
        case HandBack():
            return HandOver("policy")
        case Control():
            return _CONTROL[said.what]()
        case Deny():
            return Allow(False)
    return None


def _pressed(said: Press, seconds: float | None) -> SessionRequest:
    action = BY_NAME.get(said.name)
    if action is None or action.request is OpenSession:
        raise ValueError(f"{said.name!r} is no button")
    if action.request is HandOver:
        raise ValueError("hands take over on the Policies page, while somebody presses that they hold the leaders")
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


def _rollouts(said: Rollouts, policy: PolicyState | None) -> OpenSession:
    if policy is None or not policy.identity:
        raise ValueError("no policy is loaded. Next: load one of the list")
    if said.kept and not said.task:
        raise ValueError("recorded rollouts need a task: the folder of their episodes")
    return OpenSession(
        said.task or policy.folder.rpartition("/")[2], operator=said.operator, instruction=policy.instruction, scene=said.scene,
        source="policy", policy=policy.identity, policy_folder=policy.folder, episodes=said.episodes,
        reset="timed" if said.reset_s else "operator", reset_s=said.reset_s, override=said.override, kept=said.kept,
    )  # fmt: skip


def calibrate_command(said: Calibrate, rig: Rig, operator: str) -> list[str]:
    """The command of the house that does it, without the word `station`. An option and its value are one word: none can be another."""
    options = [("--operator", operator)]
    if said.what == "arms":
        options += [("--placings", f"{said.placings}"), ("--pose", said.pose), ("--compare", f"{said.compare or ''}")]
    elif said.what == "cameras":
        options += [("--on", said.on)]
    elif said.what in ("grippers", "latency") and said.seconds:
        options += [("--seconds", f"{said.seconds:g}")]
    told = [f"{name}={value}" for name, value in (*options, *(("--only", node) for node in said.only)) if value]
    board = ["--board"] if said.board and said.what == "cameras" else []
    return ["calibrate", said.what, "--rig", str(rig.file), *told, *board]


def who_asks(seat: Seat, tab: str, address: str) -> Who:
    """As the station's nodes are told. Whoever has a link that names nobody has no name: a role answers for nothing."""
    client, person = f"console, {seat.role} at {address}", ""
    if seat.person:
        client, person = "console", f"{seat.person} at {address}"
    return Who(client[:120], person[:120], seat=f"{seat.id}.{tab}", at_rig=seat.at_rig)
