"""What a page asks for that moves arms outside a sitting, and what somebody at the rig is told before they do. Pure.

What moves them within one (to begin it, to go on, to hand over) is held back by the session itself.
"""

from collections.abc import Callable
from typing import Any

from station.bus.requests import AskLeave
from station.console.wire import AnswerStep, ArmAct, Calibrate, Evaluate, FromPage, Park, Replay

LONGEST_WISH = 200
"""Characters that a request takes: an evaluation may be of many policies."""
_WISHES: dict[type, Callable[[Any], str]] = {
    Park: lambda _: "park the arms",
    ArmAct: lambda said: f"{said.act} {said.arm}, support it",
    Replay: lambda said: f"replay {said.episode}",
    Calibrate: lambda said: f"calibrate {said.what}",
    Evaluate: lambda said: f"evaluate {', '.join(said.policies)}: {said.trials} trials each",
    AnswerStep: lambda said: f"go on evaluating: {said.answer}",
}
"""The TABLE of them. An answer to a job needs leave only where arms move because of it (`Jobs.moves`)."""


def leave_for(said: FromPage, does: str = "") -> AskLeave:
    """The session is asked for it: at once for a page at the rig, else somebody there has to allow it. `does`: what happens, in words.

    KeyError for what moves no arm.
    """
    wish = _WISHES[type(said)](said)
    return AskLeave((f"{wish}: {does}" if does else wish)[:LONGEST_WISH])
