"""Which rig needs the computer, from what its session and its pilot say."""

import pytest

from station.bus.messages import PilotState, SessionState
from station.client.at_work import RigsAtWork, why


def session(phase: str, finalising: int = 0) -> SessionState:
    return SessionState(phase, "t", "", 0, 0, 0, 0, 0, (), finalising=finalising)  # type: ignore[arg-type]


def pilot(state: str) -> PilotState:
    return PilotState(state, "leader", "", ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "moves", "expected"),
    [
        (session("ended"), pilot("idle"), ""),
        (session("ended"), pilot("hold"), ""),
        (session("recording"), pilot("engaged"), "rig r has a sitting open (recording)"),
        (session("ready"), pilot("hold"), "rig r has a sitting open (ready)"),
        (session("ended", finalising=1), pilot("idle"), "rig r is saving"),
        (session("ended"), pilot("engaged"), "the arms of rig r follow (engaged)"),
        (session("ended"), None, "rig r says nothing yet"),
        (None, None, "rig r says nothing yet"),
    ],
)
def test_why(said: SessionState | None, moves: PilotState | None, expected: str) -> None:
    assert why("r", said, moves) == expected


def test_where_nothing_runs_nothing_works(runtime: str) -> None:
    with RigsAtWork() as at_work:
        assert at_work() == ""
