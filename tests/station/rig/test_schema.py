"""The schema that editors check with takes what the loader takes, and marks what the loader refuses."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from station.rig import schema
from station.rig.rig import SHIPPED, find_rig, shipped_rigs

VALIDATOR = jsonschema.Draft202012Validator(schema.rig_schema())


@pytest.mark.slow
def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.rig_schema())


@pytest.mark.parametrize("name", shipped_rigs())
def test_shipped_rigs_pass_and_name_it_in_their_first_line(name: str) -> None:
    text = find_rig(name).read_text()
    VALIDATOR.validate(yaml.safe_load(text))
    assert text.startswith(schema.modeline(schema.NAME))
    assert json.loads((SHIPPED / schema.NAME).read_text()) == json.loads(schema.encoded())


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        (lambda rig: rig.update(tick=50), []),
        (lambda rig: rig.pop("name"), []),
        (lambda rig: rig.update(images="png"), ["images"]),
        (lambda rig: rig["arms"]["left"]["leader"].update(model="wx25"), ["arms", "left", "leader"]),
        (lambda rig: rig["arms"]["left"]["leader"].pop("port"), ["arms", "left", "leader"]),
        (lambda rig: rig["cameras"]["cam_high"].update(widht=640), ["cameras", "cam_high"]),
        (lambda rig: rig["cameras"]["cam_high"].update(driver="kinect"), ["cameras", "cam_high"]),
        (lambda rig: rig.update(safety={"stale_ms": "soon"}), ["safety", "stale_ms"]),
    ],
)
def test_what_the_loader_refuses_is_marked_at_its_place(
    edit: Callable[[dict[str, Any]], object], where: list[str]
) -> None:
    rig = copy.deepcopy(yaml.safe_load(find_rig("aloha").read_text()))
    edit(rig)
    (error,) = VALIDATOR.iter_errors(rig)
    assert list(error.absolute_path) == where


def test_keys_have_their_words() -> None:
    keys = schema.rig_schema()["$defs"]["Safety"]["properties"]
    assert keys["stale_ms"]["description"] == "Without a command for this long an arm decelerates."


def test_a_clone_and_a_wheel_find_it_beside_the_rigs() -> None:
    assert Path(SHIPPED / schema.NAME).is_file()
