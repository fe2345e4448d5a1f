"""Rig files with many things wrong: every one of them is told at once, on its line, with what was expected."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.errors import RigError
from station.rig.rig import find_rig, inspect, load_rig

GOOD = """\
name: lab
tick_hz: 50
data: ~/station-data
images: jpeg
arms:
  left:
    base:
      xyz_m: [0, 0.3, 0]
    leader:
      driver: dynamixel
      model: wx250s
      port: /dev/leader_left
      generation: aloha1
    follower:
      driver: dynamixel
      model: vx300s
      port: /dev/follower_left
      generation: aloha1
  right:
    leader:
      driver: dynamixel
      model: gello
      port: /dev/leader_right
      baud: 1000000
      offsets_rad: [0, 0, 0, 0, 0, 0]
      signs: [1, 1, 1, 1, 1, 1]
      gripper: {open_rad: 1.0, close_rad: 0.0}
    follower:
      driver: dynamixel
      model: vx300s
      port: /dev/follower_right
      generation: aloha1
cameras:
  cam_high:
    driver: opencv
    source: /dev/CAM_HIGH
    width: 640
    height: 480
    fps: 30
safety:
  velocity_rad_s: 3.14
check:
  zero_deg: [0.5, 0.9]
"""


class Fault(NamedTuple):
    """A line of GOOD, what stands there instead, and what must be told of it."""

    line: str
    instead: str
    found: str
    fix: str


FAULTS = [
    Fault("name: lab", "name: Lab 1", "'Lab 1'", "use 1 to 24 of a–z"),
    Fault("tick_hz: 50", "tick_hz: 500", "500.0", "use 1 to 200"),
    Fault("data: ~/station-data", "data: ''", "'' is no folder", "name the folder"),
    Fault("images: jpeg", "images: png", "'png' is not allowed", "one of jpeg, raw"),
    Fault("      xyz_m: [0, 0.3, 0]", "      xyz: [0, 0.3, 0]", "unknown field `xyz`", "did you mean `xyz_m`?"),
    Fault("      model: wx250s", "      model: wx250", "'wx250' is not allowed", "did you mean `wx250s`?"),
    Fault("      port: /dev/leader_left", "      prot: /dev/leader_left", "unknown field `prot`", "did you mean `port`?"),
    Fault("      port: /dev/follower_left", "      port: 3", "Expected `str`, got `int`", "text"),
    Fault("      baud: 1000000", "      baud: 1000", "baud 1000 is none a servo knows", "correct the value"),
    Fault("      offsets_rad: [0, 0, 0, 0, 0, 0]", "      offsets_rad: [0, 0, 0]", "offsets_rad has 3 numbers", "correct the value"),
    Fault("      signs: [1, 1, 1, 1, 1, 1]", "      signs: [1, 1, 1, 2, 1, 1]", "signs are 1 or -1", "correct the value"),
    Fault("      gripper: {open_rad: 1.0, close_rad: 0.0}", "      gripper: {open_rad: 1.0}", "give open_rad and close_rad", "correct"),
    Fault("    width: 640", "    widht: 640", "unknown field `widht`", "did you mean `width`?"),
    Fault("    fps: 30", "    fps: 900", "fps must be 5 to 240", "correct the value"),
    Fault("  velocity_rad_s: 3.14", "  velocity_rad_s: -3", "velocity_rad_s must be a number above 0", "correct the value"),
    Fault("  zero_deg: [0.5, 0.9]", "  zero_deg: 0.5", "Expected `array`, got `float`", "a list of 2 numbers"),
]  # fmt: skip


def written(folder: Path, text: str) -> Path:
    path = folder / "rig.yaml"
    path.write_text(text)
    return path


def test_the_file_that_they_are_put_into_is_good(tmp_path: Path, runtime: str) -> None:
    assert inspect(written(tmp_path, GOOD)).problems == ()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(range(len(FAULTS))), min_size=1))
def test_whatever_is_wrong_together_each_is_told_on_its_line(tmp_path: Path, runtime: str, chosen: set[int]) -> None:
    text = GOOD
    for number in chosen:
        assert text.count(FAULTS[number].line + "\n") == 1
        text = text.replace(FAULTS[number].line + "\n", FAULTS[number].instead + "\n")
    problems = inspect(written(tmp_path, text)).problems
    lines = text.splitlines()
    for number in chosen:
        fault = FAULTS[number]
        if fault.instead.startswith("      baud") or not (
            {8} & chosen and number == 9
        ):  # a bus of no baud has no cycle
            (told,) = [problem for problem in problems if fault.found in problem.found]
            assert lines[told.line - 1] == fault.instead
            assert fault.fix in told.fix
    assert len(problems) <= len(chosen), "nothing that is right is called wrong"


def test_a_side_needs_what_its_parts_need(tmp_path: Path, runtime: str) -> None:
    follower = "    follower:\n      driver: dynamixel\n      model: vx300s\n      port: /dev/follower_left\n"
    text = GOOD.replace("      generation: aloha1\n" + follower + "      generation: aloha1\n", "")
    problems = inspect(written(tmp_path, text)).problems
    assert [(problem.line, problem.key) for problem in problems] == [(9, "arms.left.leader")] * 2
    assert "a leader without a follower" in problems[0].found + problems[1].found
    assert "give generation: aloha1, mobile or aloha2, or gripper" in problems[0].found + problems[1].found


def test_a_key_given_twice_is_told_beside_the_rest(tmp_path: Path, runtime: str) -> None:
    text = GOOD.replace("tick_hz: 50\n", "tick_hz: 50\ntick_hz: 60\n").replace("fps: 30", "fps: 900")
    found = [(problem.line, problem.found) for problem in inspect(written(tmp_path, text)).problems]
    assert found == [(3, "given twice, on line 2 already"), (40, "fps must be 5 to 240")]


def test_a_misplaced_key_is_sent_where_it_belongs(tmp_path: Path, runtime: str) -> None:
    (told,) = inspect(written(tmp_path, GOOD + "stale_ms: 100\n")).problems
    assert (told.line, told.fix) == (GOOD.count("\n") + 1, "it belongs below `safety:`")


def test_two_devices_on_one_port_are_told_where_the_second_stands(tmp_path: Path, runtime: str) -> None:
    (told,) = inspect(written(tmp_path, GOOD.replace("/dev/follower_right", "/dev/leader_left"))).problems
    assert GOOD.splitlines()[told.line - 1].strip().startswith("port: /dev/follower_right")
    assert "already leader_left's" in told.found


def test_who_loads_it_is_told_the_first_its_line_and_how_many_more(tmp_path: Path, runtime: str) -> None:
    path = written(tmp_path, GOOD.replace("tick_hz: 50", "tick_hz: 500").replace("fps: 30", "fps: 900"))
    with pytest.raises(RigError, match=re.escape(f"(line 2; 1 more: `station rig check {path}`)")):
        load_rig(path)


def test_a_file_that_is_no_yaml_has_its_line(tmp_path: Path, runtime: str) -> None:
    with pytest.raises(RigError) as told:
        inspect(written(tmp_path, "name: lab\narms: {left: [}\n"))
    assert told.value.line == 2


@pytest.mark.parametrize(
    "edit", [lambda text: "", lambda text: "[]", lambda text: "arms: 5\ncameras: [1]\nvr: x\nworld: 3\nname: [a]"]
)
def test_what_is_no_rig_at_all_is_told_not_fallen_over(
    tmp_path: Path, runtime: str, edit: Callable[[str], str]
) -> None:
    assert inspect(written(tmp_path, edit(GOOD))).problems


@pytest.mark.parametrize("name", ["aloha", "aloha2", "bench", "gello", "sim", "sim_vr"])
def test_shipped_rigs_have_nothing_wrong(name: str, runtime: str) -> None:
    assert inspect(find_rig(name)).problems == ()
