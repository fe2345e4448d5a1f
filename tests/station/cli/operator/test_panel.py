import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from station.bus.actions import offered
from station.bus.messages import (
    Chosen,
    Health,
    Motion,
    Phase,
    PilotState,
    ProcessState,
    RecorderState,
    SessionState,
    Staging,
    StationState,
    StreamHealth,
    Tick,
)
from station.bus.requests import OpenSession
from station.cli.operator.bindings import Confirm, Plan
from station.cli.operator.board import Board
from station.cli.operator.note import Line
from station.cli.operator.panel import HEIGHT, WIDTH, render
from station.cli.operator.screen import as_text
from station.client.session import UNHEARD
from station.episodes.cadence import Cadence, StreamCadence
from station.episodes.form import Form, drifted
from station.rig.file import Safety
from station.rig.rig import Device, Rig, find_rig, load_rig

S = 1_000_000_000
NOW = 100 * S
RIG = load_rig(find_rig("bench"))


def board(phase: Any = "ready", **session: Any) -> Board:
    counts = {"recorded_ticks": 0, "saved": 2, "discarded": 1, "ended_early": 0, "wanted": 10, "newest": 6, **session}
    state = SessionState(phase, "pick", "ada", 7, actions=(), disk_left_s=7200.0, **counts)
    made = Board(RIG, Plan(OpenSession("pick", operator="ada"), None), session=state, session_ns=NOW)
    made.recorder = RecorderState(True, "", 0, None, 1000, 3, (), lost=0)
    return made


def station(**errors: str) -> StationState:
    made = []
    for device in RIG.devices:
        error = errors.get(device.node, "")
        streams = (StreamHealth("arm_state", 199.6, 200.0, 0),) if not error else ()
        health = Health(device.node, "fault" if error else "ok", error, streams)
        made.append(ProcessState(device.node, 1, True, 0, 1.0, 30.0, health, 0, ""))
    return StationState("bench", "bench.yaml", 1, 0, tuple(made))


def shown(made: Board, now_ns: int = NOW) -> str:
    return Text.from_ansi(as_text(render(made, now_ns))).plain


def test_recording_shows_the_take_and_what_ends_it() -> None:
    text = shown(board("recording", recorded_ticks=625))
    assert "R E C O R D I N G" in text
    assert "episode 7 (3 of 10)   0:12.5" in text
    assert "Space: stop and save" in text
    assert "saved 2 · discarded 1 · ended early 0 · late ticks 0.3 % · lost 0" in text
    assert "disk: 120 minutes left" in text


STAGED = Staging("left of the bowl", "red cube", 2, 5, 12, 60, 48, ("scene",))


def test_a_collection_plan_says_what_to_stage_and_how_far_it_is() -> None:
    text = shown(board("reset", staging=STAGED))
    assert "Stage scene left of the bowl, object red cube (other scene)." in text and "Put the scene back" not in text
    assert "plan 12 of 60 · scene left of the bowl, object red cube 2 of 5" in text
    text = shown(board("recording", staging=STAGED))
    assert "Stage" not in text and "plan 12 of 60" in text
    done = msgspec.structs.replace(STAGED, scene="", object="", done=60, left=0)
    assert "plan 60 of 60: complete" in shown(board("reset", staging=done))
    mine = msgspec.structs.replace(done, done=40)
    assert "plan 40 of 60, nothing is left for this operator" in shown(board("reset", staging=mine))
    broken = Staging("", "", 0, 0, 0, 0, 0, why="plan.yaml: each: Expected `int`")
    text = shown(board("reset", staging=broken))
    assert "no plan is followed: plan.yaml: each: Expected `int`" in text and "Put the scene back" in text


@example("left", "\u2e80" * 60, "hold")  # each takes two cells
@given(st.text(max_size=100), st.text(max_size=100), st.sampled_from(get_args(Phase)))
def test_it_fits_whatever_scenes_and_objects_are_called(scene: str, what: str, phase: Phase) -> None:
    staging = msgspec.structs.replace(STAGED, scene=scene, object=what)
    made = board(phase, staging=staging, why="x" * 400)
    made.station = station(**{device.node: "silent " * 40 for device in RIG.devices})
    lines = shown(made).splitlines()
    assert len(lines) <= HEIGHT and all(cell_len(line) <= WIDTH for line in lines)


def unrecorded(phase: Phase, **session: Any) -> Board:
    made = board(phase, source="policy", kept=False, wanted=0, **session)
    made.plan = Plan(OpenSession("handover", source="policy", kept=False), None)
    made.phase_ns = NOW - 72 * S
    return made


def test_a_rollout_that_nobody_records_says_so_and_never_speaks_of_files() -> None:
    made = unrecorded("running")
    assert made.session is not None
    made.session = msgspec.structs.replace(made.session, actions=tuple(a.name for a in offered(made.session)))
    text = shown(made)
    assert "R U N N I N G" in text and "rollout 7   1:12.0" in text
    assert "Space: stop" in text and "t: take over" in text and "p: pause" in text
    assert "nothing is recorded (`--record --task NAME` does)" in text
    assert not re.search("saved|discarded|disk|undo|note|episode", text)
    made = unrecorded("running", paused=True)
    assert "P A U S E D" in shown(made) and "still recording" not in shown(made)


def test_after_a_hold_of_such_a_rollout_its_cause_stands_above_what_leads_on() -> None:
    made = unrecorded("reset", why="hold: follower_left has been silent for 0.5 s", ended_early=1)
    made.tell("hold: follower_left has been silent for 0.5 s", "bad", NOW)
    text = shown(made)
    assert text.count("hold: follower_left has been silent") == 1 and "ended early 1" in text


def test_a_hold_says_its_cause_and_the_one_act() -> None:
    text = " ".join(
        shown(board("hold", why="follower_left has been silent for 500 ms: check its power and cable")).split()
    )
    assert "H O L D" in text
    assert "Held: follower_left has been silent for 500 ms: check its power" in text
    assert "Space: go on. Hold the leaders still" in text


def test_what_somebody_elsewhere_asks_for_stands_above_all_with_its_key_and_its_count_down() -> None:
    asked = Motion(1, "bob (console)", "go on: the arms align again", NOW + 14 * S)
    text = shown(board("hold", why="follower_left has been silent " * 12, motion=asked))
    assert "y allows it (14 s): go on: the arms align again, asks bob (console)" in text
    assert "follower_left has been silent" in text and len(text.splitlines()) <= 24
    allowed = Motion(1, "bob (console)", asked.what, asked.until_ns, NOW + 2 * S)
    assert "Arms move in 2 s: go on" in shown(board("hold", motion=allowed))


def test_a_start_sequence_says_what_the_hands_have_to_do() -> None:
    made = board("opening")
    made.pilot = PilotState("waiting", "opening", "close both grippers to start (open: leader_left)", ())
    assert "Close both grippers to start (open: leader_left)" in shown(made)


def test_streams_are_told_by_their_own_devices_and_the_newest_tick() -> None:
    made = board()
    made.station = station(cam_low="cam_low on http://x: expected pictures; found none for 1 s. Next: check its cable")
    chosen = tuple(Chosen(node, 1, 1, 0, 12_000_000, True) for node in ("leader_left", "cam_high"))
    made.tick = Tick(1, NOW, chosen, (), (), ())
    text = shown(made)
    assert "leader_left       200/200 Hz     12 ms" in text
    assert "cam_low on http://x: expected pictures" in text
    assert "All devices answer" not in shown(made)
    levels = {stream.node: stream.level for stream in made.streams(NOW)}
    assert (levels["leader_left"], levels["cam_low"]) == ("ok", "bad")


def in_a_line(text: str) -> str:
    """Without the frame."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("phase", ["opening", "ready", "reset"])
def test_camera_drift_stands_in_the_panel_whole_until_an_episode_is_recorded(phase: Phase) -> None:
    was, now = ({"cam_high": {"exposure": exposure}} for exposure in (157, 120))
    form = Form("bench", True, 50.0, (), "jpeg", (), (), {}, {})
    told = drifted(3, msgspec.structs.replace(form, controls=was), msgspec.structs.replace(form, controls=now))
    made = board(phase, drift=told)
    made.station = station()
    assert told in in_a_line(shown(made)), "with the act that leads on"
    made.tell("episode_6 is saved", "say", NOW)
    assert "cam_high: exposure is 120, was 157" in in_a_line(shown(made))
    made.station = station(cam_low="cam_low: no picture for 1 s")
    assert "no picture" in shown(made) and "exposure" not in shown(made), "a device that fails comes first"
    assert "exposure" not in shown(board("recording", drift=told))


def test_a_session_that_went_silent_is_not_shown_by_its_last_words() -> None:
    text = shown(board("recording"), NOW + 4 * S)
    assert "S I L E N T" in text
    assert "R E C O R D I N G" not in text
    assert "station status --rig bench" in text


def test_a_note_and_a_question_take_the_line_of_what_is_next() -> None:
    made = board()
    made.note = Line("grip late")
    assert "note: grip late" in shown(made)
    made.note, made.asked = None, Confirm("u", "delete episode 6?  y or u = yes, any other key = no", UNHEARD)
    assert "delete episode 6?" in shown(made)


def test_the_last_episodes_cadence_is_shown() -> None:
    made = board()
    made.last = Cadence(500, 10.0, 50.0, 2, 0, 1, 20, {"cam_high": StreamCadence(9.0, 31.0, 0.6, 4)})
    assert "last: 500 rows, 10.0 s at 50.00 Hz · late 2 · lost 4 · holds 1" in shown(made)


PHASES = st.sampled_from(get_args(Phase))
LONG = st.sampled_from(
    ["", "x", "follower_left on /dev/ttyDXL_follower_left: expected 9 servos; found none has answered. " * 3]
)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 8, 12])
@given(
    phase=PHASES,
    why=LONG,
    message=LONG,
    trouble=LONG,
    help_=st.booleans(),
    paused=st.booleans(),
    saved=st.integers(0, 999),
)
def test_it_always_fits(
    count: int, phase: str, why: str, message: str, trouble: str, help_: bool, paused: bool, saved: int
) -> None:
    made = board(phase, why=why, paused=paused, saved=saved)
    devices = tuple(Device(f"cam_number_{n}", "camera", "", None) for n in range(count))
    made.rig = Rig("r", Path("r.yaml"), "", 50.0, 3.0, Path("d"), "jpeg", (), devices, Safety(), None)
    made.tell(message, "bad", NOW)
    made.pedal, made.help = trouble, help_
    made.last = Cadence(500, 10.0, 50.0, 2, 3, 1, 20, {"cam_left_wrist": StreamCadence(9.0, 31.0, 0.6, 4)})
    lines = shown(made).splitlines()
    assert len(lines) <= HEIGHT
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[-1].startswith("╰")


def test_every_phase_has_its_colour() -> None:
    for phase in get_args(Phase):
        assert " ".join(phase.upper()) in shown(board(phase))
