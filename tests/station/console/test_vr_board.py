from typing import Literal

import msgspec
import numpy as np
import pytest

from station.bus.actions import offered
from station.bus.messages import SCHEMA, Frame, HandTeleop, Header, Phase, PilotState, SessionState, TeleopState
from station.bus.requests import Align, Discard, Label, Start, Stop
from station.bus.wire import Sample
from station.console.pictures import as_jpeg
from station.console.vr_board import board, request
from station.devices.headset import Board
from tests.pictures import bgr

Encoding = Literal["jpeg", "bgr8", "rgb8", "z16"]
ENGAGED = PilotState("engaged", "vr", "", ())
HANDS = TeleopState("engaged", "", (HandTeleop("follower_left", True), HandTeleop("follower_right", False)))


def session(phase: Phase, saved: int = 0, paused: bool = False) -> SessionState:
    state = SessionState(phase, "cube", "", 3, 125, saved, 0, 0, (), paused=paused, newest=saved - 1)
    return msgspec.structs.replace(state, actions=tuple(action.name for action in offered(state)))


def names(shown: Board) -> list[str]:
    return [button.name for button in shown.buttons]


@pytest.mark.parametrize(
    ("phase", "saved", "expected"),
    [
        ("ready", 0, ["start"]),
        ("ready", 1, ["start", "label_success", "label_failure"]),
        ("recording", 1, ["success", "failure", "discard"]),
        ("hold", 0, ["go_on"]),
        ("saving", 1, []),
    ],
)
def test_the_buttons_are_those_that_make_sense(phase: Phase, saved: int, expected: list[str]) -> None:
    shown = board(session(phase, saved), ENGAGED, HANDS, 50)
    assert names(shown) == expected
    keys = [button.key for button in shown.buttons]
    assert len(set(keys)) == len(keys), "two buttons on one key"


def test_a_paused_recording_offers_only_to_go_on() -> None:
    assert names(board(session("recording", paused=True), ENGAGED, HANDS, 50)) == ["go_on"]


def test_an_action_that_nobody_knows_is_no_button() -> None:
    state = session("ready")
    state = msgspec.structs.replace(state, actions=("levitate", *state.actions))
    assert names(board(state, ENGAGED, HANDS, 50)) == ["start"]


def test_throwing_away_takes_two_presses() -> None:
    shown = board(session("recording"), ENGAGED, HANDS, 50)
    assert [button.name for button in shown.buttons if button.confirm] == ["discard"]


def test_the_board_says_what_holds() -> None:
    held = PilotState("hold", "hold", "follower_left is silent", ())
    shown = board(session("hold"), held, HANDS, 50)
    assert (shown.state, shown.why) == ("hold", "follower_left is silent")
    lost = TeleopState("hold", "left hand: it jumped", ())
    assert board(session("ready"), ENGAGED, lost, 50).why == "left hand: it jumped"


def test_the_board_says_who_else_commands() -> None:
    other = PilotState("engaged", "policy", "", ())
    shown = board(None, other, HANDS, 50)
    assert (shown.state, shown.why) == ("idle", "policy commands the arms")


def test_the_board_tells_how_long_it_has_recorded() -> None:
    assert "episode 3, 2.5 s" in board(session("recording"), ENGAGED, HANDS, 50).text
    assert "no sitting is open" in board(session("ended"), ENGAGED, HANDS, 50).text
    assert board(session("recording"), ENGAGED, HANDS, 50).hands == ("follower_left",)


def test_every_button_asks_something_and_nothing_else_does() -> None:
    asked = [request(name) for name in ("go_on", "start", "success", "failure", "discard", "label_failure")]
    assert asked == [Align(), Start(), Stop(True), Stop(False), Discard(), Label(False)]
    assert request("Shutdown") is None


def _sample(encoding: Encoding, data: bytes) -> Sample:
    return Sample("frame", "cam_high", Header(SCHEMA, 1, 0, 0, 0), Frame(encoding, 8, 6, "device"), (data,))


def test_a_jpeg_is_passed_on_as_it_is() -> None:
    assert as_jpeg(_sample("jpeg", b"as it is")) == b"as it is"


@pytest.mark.parametrize(("encoding", "pixel"), [("bgr8", (0, 0, 255)), ("rgb8", (255, 0, 0))])
def test_raw_pictures_become_jpegs_in_right_colours(encoding: Encoding, pixel: tuple[int, int, int]) -> None:
    made = as_jpeg(_sample(encoding, np.full((6, 8, 3), pixel, np.uint8).tobytes()))
    assert made is not None
    b, g, r = bgr(made).mean(axis=(0, 1))
    assert r > 240
    assert max(b, g) < 15


def test_depth_is_no_picture_for_a_panel() -> None:
    assert as_jpeg(_sample("z16", b"")) is None
