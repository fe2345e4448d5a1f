"""What a page says, and which role may say it. Pure: a tagged union of small structs, unknown fields refused."""

from typing import get_args

import msgspec

from station.borders.bounds import Count
from station.borders.decoding import Decoder
from station.console.seats import Role
from station.console.wire.episodes import Edit, KeepPlan, Recover, Restore, Trash, Unedit
from station.console.wire.itself import Alive, Drawn, Hello, Watch
from station.console.wire.jobs import AnswerStep, Calibrate, Check, EndJob, Export, Replay
from station.console.wire.message import LONGEST_BYTES, Message
from station.console.wire.policies import Evaluate, Load, Shadow
from station.console.wire.rig import (
    ArmAct,
    Control,
    Deny,
    HandBack,
    Hold,
    Open,
    Park,
    Press,
    RestartNode,
    Rollouts,
    TakeOver,
)
from station.console.wire.setup import Find, NewRig, TryRig

__all__ = [
    "LONGEST_BYTES",
    "NEEDS",
    "Alive",
    "AnswerStep",
    "ArmAct",
    "Beside",
    "Calibrate",
    "Check",
    "Control",
    "Deny",
    "Drawn",
    "Edit",
    "EndJob",
    "Evaluate",
    "Export",
    "Find",
    "FromPage",
    "HandBack",
    "Hello",
    "Hold",
    "KeepPlan",
    "Load",
    "Message",
    "NewRig",
    "OfEpisodes",
    "OfItself",
    "OfJobs",
    "OfPolicies",
    "OfSetup",
    "OfTheSession",
    "Open",
    "Park",
    "Press",
    "Recover",
    "Replay",
    "RestartNode",
    "Restore",
    "Rollouts",
    "Shadow",
    "TakeOver",
    "Trash",
    "TryRig",
    "Unedit",
    "Watch",
    "decode",
    "id_of",
]

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
