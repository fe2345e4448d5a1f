"""Names that become paths, and texts that go into files: one border for every client."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.borders.names import LONGEST_LINE, LONGEST_TASK_BYTES, LONGEST_TEXT, bad_task
from station.bus.requests import Note, OpenSession, Refused
from station.cli import main
from station.session.asked import impossible
from station.session.names import bad_sitting
from tests.station.session.world import World

BAD_TASKS = [
    "", " ", "\n", "../x", "/abs", "a/b", "a\\b", ".", "..", ".hidden", "-rf", "~root", "a\nb", "a\0b", "a\x1b[2Jb", "\u202egnp",
    "a" * 101, "é" * 51, "pick ", " pick", "x.hdf5", "x.HDF5", "x.hdf5.deleted", "x.mcap.part", "x.labels.json", "x.tmp",
    "caf\udce9",
]  # fmt: skip
GOOD_TASKS = ["pick", "pick_cube", "Pick the red cube", "würfel-2", "立方体", "a" * 100, "v1.2", "x.hdf5s"]


@pytest.mark.parametrize("task", BAD_TASKS)
def test_a_bad_name_is_refused_with_its_reason_and_makes_no_folder(task: str) -> None:
    world = World()
    world.press(OpenSession(task))
    (refused,) = world.replies
    assert isinstance(refused, Refused)
    assert refused.why.isascii() and refused.why.isprintable(), "what is told can be shown anywhere"
    assert "Next:" in refused.why
    assert (world.phase(), world.pilot_asked) == ("ended", [])


@pytest.mark.parametrize("task", GOOD_TASKS)
def test_a_good_name_is_one(task: str) -> None:
    assert bad_task(task) == ""


@given(st.text(max_size=130))
def test_what_is_accepted_is_a_folder_in_the_data_folder(task: str) -> None:
    if bad_task(task) == "":
        path = Path("/data") / task
        assert path.parent == Path("/data")
        assert path.name == task
        assert len(task.encode()) <= LONGEST_TASK_BYTES


@pytest.mark.parametrize("data", ["relative", "~nosuchuser/x", "/a\0b", "/x\ny", "/" + "a" * 2000, "/caf\udce9"])
def test_a_data_folder_that_cannot_be_is_refused(data: str) -> None:
    world = World()
    world.press(OpenSession("pick", data))
    (refused,) = world.replies
    assert isinstance(refused, Refused)
    assert "cannot be the data folder" in refused.why


@pytest.mark.parametrize("what", ["operator", "scene", "instruction"])
@pytest.mark.parametrize("text", ["\0", "\x1b]0;owned\x07", "caf\udce9", "\u202e", "x" * 5000])
def test_texts_are_bounded_and_can_be_shown(what: str, text: str) -> None:
    assert what in bad_sitting(msgspec.structs.replace(OpenSession("pick"), **{what: text}))


def test_a_paragraph_is_for_instructions_and_notes_alone() -> None:
    lines = "first\nthen\tthat"
    assert bad_sitting(OpenSession("pick", instruction=lines)) == ""
    assert impossible(Note(lines)) == ""
    assert "operator" in bad_sitting(OpenSession("pick", operator=lines))
    assert impossible(Note("x" * LONGEST_TEXT)) == ""
    assert "note" in impossible(Note("x" * (LONGEST_TEXT + 1)))
    assert bad_sitting(OpenSession("pick", operator="ä" * LONGEST_LINE)) == ""


@pytest.mark.parametrize(
    ("command", "task"),
    [("record", "../x"), ("record", ""), ("record", "caf\udce9"), ("vr", "/abs"), ("run", "x.hdf5")],
)
def test_the_command_line_says_the_same_before_it_starts_anything(
    command: str, task: str, runtime: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {
        "record": ["--headless"],
        "run": ["--policy", "handover", "--record", "--headless", "--seconds", "1"],
        "vr": [],
    }
    rig = "sim_vr" if command == "vr" else "sim"
    monkeypatch.setattr("sys.argv", ["station", command, "--rig", rig, "--task", task, *more[command]])
    monkeypatch.setattr("station.client.Station.start", lambda *_, **__: pytest.fail("a station was started"))
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err.strip()
    assert left.value.code == 2
    assert bad_task(task) in " ".join(said.split())
