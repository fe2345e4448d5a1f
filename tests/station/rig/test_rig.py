"""Rig files that cannot be: one sentence with the file, the key and the fix; never a trace."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from station.errors import RigError, UsageError
from station.rig.entries import RESERVED
from station.rig.rig import find_rig, load_rig
from station.runtime.processes import processes

Edit = Callable[[dict[str, Any]], object]
CAMERA = {"driver": "opencv", "source": "/dev/video9", "width": 640, "height": 480, "fps": 30}
NUMBERS = (float("nan"), float("inf"), -1.0, 1e300, 10**5000)
FIELDS: dict[str, Edit] = {}


def put(*keys: str) -> Callable[[dict[str, Any], Any], None]:
    def edit(rig: dict[str, Any], value: Any) -> None:
        for key in keys[:-1]:
            rig = rig.setdefault(key, {})
        rig[keys[-1]] = value

    return edit


PLACES = [
    put("tick_hz"), put("settle_ms"), put("safety", "velocity_rad_s"), put("safety", "session_hours"), put("check", "scene_depth_m"),
    put("check", "latency_days"), put("board", "squares_x"), put("board", "square_m"), put("teleop", "scale"),
    put("arms", "left", "leader", "rate_hz"), put("arms", "left", "leader", "baud"), put("cameras", "cam_high", "width"),
    put("cameras", "cam_high", "fps"), put("vr", "port"), put("vr", "rate_hz"),
]  # fmt: skip
LISTS = [
    (put("check", "zero_deg"), 2), (put("teleop", "lower_m"), 3), (put("arms", "left", "base", "xyz_m"), 3),
    (put("arms", "left", "base", "rpy_rad"), 3), (put("arms", "left", "leader", "offsets_rad"), 6),
]  # fmt: skip


@pytest.fixture
def refused(tmp_path: Path, runtime: str) -> Callable[[str], str]:
    def load(text: str) -> str:
        path = tmp_path / "rig.yaml"
        path.write_text(text)
        with pytest.raises(RigError) as told:
            load_rig(path)
        said = str(told.value)
        assert said.startswith(f"{path}: ")
        assert "Fix: " in said and "\n" not in said and len(said) < 700
        assert told.value.exit_code == 2
        return said

    return load


def edited(edit: Edit) -> str:
    described = yaml.safe_load(find_rig("bench").read_text())
    described["vr"] = {"driver": "webxr"}
    edit(described)
    return re.sub(r"'@(.*)@'", r"\1", yaml.safe_dump(described, sort_keys=False))


def written(value: float) -> str:
    """As YAML's numbers; a whole number of 5,000 digits is longer than Python prints."""
    return (
        "@"
        + ("1" + "0" * 5000 if isinstance(value, int) else {"inf": ".inf", "nan": ".nan"}.get(str(value), "1.0e+300"))
        + "@"
    )


@pytest.mark.parametrize("number", NUMBERS, ids=["nan", "inf", "negative", "huge", "5,000 digits"])
@pytest.mark.parametrize("place", range(len(PLACES)))
def test_every_number_is_finite_and_bounded(refused: Callable[[str], str], place: int, number: float) -> None:
    value = -1 if number == -1.0 else written(number)
    refused(edited(lambda rig: PLACES[place](rig, value)))


@pytest.mark.parametrize("number", [n for n in NUMBERS if n != -1.0], ids=["nan", "inf", "huge", "5,000 digits"])
@pytest.mark.parametrize("place", range(len(LISTS)))
def test_every_number_of_a_list_too(refused: Callable[[str], str], place: int, number: float) -> None:
    put_it, count = LISTS[place]
    refused(edited(lambda rig: put_it(rig, [*[0.0] * (count - 1), written(number)])))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda rig: rig.update(settle_ms=20.0), "settle_ms: 20.0. Fix: use 0 to less than a tick, 20 ms"),
        (lambda rig: rig.update(data="~nosuchuser/data"), "data: Could not determine home directory"),
        (lambda rig: rig.update(data=""), "data: '' is no folder"),
        (lambda rig: rig.update(data="a\0b"), "data: 'a\\x00b' is no folder"),
        (lambda rig: rig["arms"]["left"].update(base={"rpy_rad": [0, 0, 180]}), "radians, not degrees"),
        (lambda rig: rig["cameras"].update({"leader_left": CAMERA}), "cameras.leader_left: the name is an arm's"),
        (lambda rig: rig["cameras"].update({"cam_high_depth": CAMERA}), "the name is that of cam_high's depth"),
        (lambda rig: rig["cameras"]["cam_high"].update(controls={"focus": 2**40}), "focus is no value of a control"),
        (lambda rig: rig["cameras"].update({"../x": CAMERA}), "not a name"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(refused: Callable[[str], str], edit: Edit, sentence: str) -> None:
    assert sentence in refused(edited(edit))


@pytest.mark.parametrize(
    "text",
    [
        "name: aloha\narms: &a\n  left: *a\n", "name: 2024-13-01\n", "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)),
        "[" * 5000, "x" * (2 << 20), "a: !!python/object:os.system x", "\ufeff", "- 1\n- 2", "name: 5\n", "name: \x00",
    ],
)  # fmt: skip
def test_yaml_that_is_no_rig(refused: Callable[[str], str], text: str) -> None:
    refused(text)


@pytest.mark.parametrize("name", RESERVED)
def test_no_camera_has_a_name_of_the_stations_own(refused: Callable[[str], str], name: str) -> None:
    assert f"cameras.{name}: the name is the station's own" in refused(
        edited(lambda rig: rig["cameras"].update({name: CAMERA}))
    )


def test_what_is_reserved_is_all_that_runs(tmp_path: Path, runtime: str) -> None:
    path = tmp_path / "rig.yaml"
    path.write_text(edited(lambda rig: None))
    rig = load_rig(path)
    devices = {device.node for device in rig.devices} - {"vr"}
    assert {row.node for row in processes(rig)} - devices <= set(RESERVED)


@pytest.mark.parametrize("name", ["~nosuchuser/rig.yaml", "x" * 5000, "", "/nowhere/\x01", "/proc/1/mem/x"])
def test_no_such_rig_is_one_sentence(name: str) -> None:
    with pytest.raises(UsageError, match="no such file"):
        find_rig(name)
