"""What is said of a change of the session."""

import pytest

from station.bus.messages import Motion, SessionState, Staging
from station.client.cue import cue

ASKED = Motion(1, "bob", "go on: the arms align again", 5)
LEFT = Staging("left", "red cube", 0, 2, 0, 4, 4)
RIGHT = Staging("right", "red cube", 0, 2, 1, 4, 3, ("scene",))
COMPLETE = Staging("", "", 0, 2, 4, 4, 0)
ALLOWED = Motion(1, "bob", "go on: the arms align again", 5, 9)


def state(phase: str, **keys: object) -> SessionState:
    counts = {"episode": 4, "recorded_ticks": 0, "saved": 0, "discarded": 0, "ended_early": 0, **keys}
    return SessionState(phase, "pick", "ada", actions=(), **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (state("opening"), state("ready"), "ready"),
        (state("ready"), state("recording"), "recording 4"),
        (state("reset"), state("reset", saved=1, newest=4), "saved 4"),
        (state("reset"), state("reset", saved=1, newest=4, wanted=1), "saved. all 1 done"),
        (state("reset"), state("reset", discarded=1), "discarded"),
        (state("reset", saved=1), state("reset", saved=0, discarded=1), "deleted"),
        (state("ready"), state("hold", why="leader_left silent: check"), "hold. leader left silent"),
        (state("ready"), state("hold", why="x", paused=True), "paused"),
        (state("recording"), state("recording", paused=True), "paused"),
        (state("recording", paused=True), state("recording"), "go on"),
        (state("recording"), state("reset", ended_early=1, why="cam_high lost"), "ended early. cam high lost"),
        (state("opening"), state("ended", why="too far: lower it"), "not ready. too far"),
        (state("opening"), state("ready", staging=LEFT), "ready. next: scene left, object red cube"),
        (state("saving", staging=LEFT), state("reset", staging=RIGHT), "next: scene right, object red cube"),
        (state("saving", staging=LEFT), state("reset", staging=LEFT), "next: scene left, object red cube"),
        (state("reset", staging=RIGHT), state("reset", staging=LEFT), "next: scene left, object red cube"),
        (state("reset", staging=RIGHT), state("reset", staging=RIGHT, saved=1, newest=4), "saved 4"),
        (
            state("reset", staging=LEFT),
            state("reset", staging=RIGHT, saved=1, newest=4),
            "saved 4. next: scene right, object red cube",
        ),
        (state("saving", staging=LEFT), state("reset", staging=COMPLETE), "the plan is complete"),
        (state("hold"), state("hold", motion=ASKED), "somebody elsewhere asks to move the arms. go on"),
        (state("hold", motion=ASKED), state("hold", motion=ALLOWED), "arms move in 3 seconds"),
    ],
)
def test_a_change_is_said(before: SessionState, now: SessionState, words: str) -> None:
    said = cue(before, now)
    assert said is not None
    assert said.words == words
    assert cue(now, now) is None


def test_the_first_word_of_a_session_is_no_change() -> None:
    assert cue(None, state("hold")) is None
