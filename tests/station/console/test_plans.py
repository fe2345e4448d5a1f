"""Collection plans for pages: what is kept, what is told, and how a scene is staged by the last success."""

import json
from pathlib import Path

import pytest

from station.console import plans
from station.console.shelf import Shelf
from station.episodes.collection_file import NAME
from station.episodes.naming import delete
from station.errors import UsageError
from tests.station.console.served import Console, served
from tests.station.datasets.recorded import Recorded, make

CAMERAS = ("cam_high", "cam_left_wrist")
PLAN = {"each": 2, "scenes": ["left", "right"], "objects": ["red cube"], "places": {"left": {"cam_high": [0.3, 0.6]}}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three of the left, a failure of the right, a success elsewhere."""
    data = tmp_path_factory.mktemp("plans") / "data"
    for number, (scene, success) in enumerate([("left", True), ("left", None), ("right", False), ("elsewhere", True)]):
        make(data, Recorded(rows=3, episode=number, scene=scene, object="red cube", success=success))
    return data


def test_it_is_counted_from_the_episodes_and_says_what_is_next(made: Path) -> None:
    assert plans.keep(made, "cube", json.dumps(PLAN).encode()) == "4 episodes of cube"
    told = plans.plan(made, "cube")
    assert told["plan"]["places"] == {"left": {"cam_high": (0.3, 0.6)}} and "each: 2" in told["text"]
    assert (told["done"], told["wanted"], told["uncounted"], told["tasks"]) == (
        2,
        4,
        0,
        [{"name": "cube", "planned": True}],
    )
    left, right = told["rows"]
    assert (left["scene"], left["counted"], left["failures"]) == ("left", 2, 0)
    assert (right["scene"], right["counted"], right["failures"]) == ("right", 0, 1)
    assert told["next"] == [{"operator": "", "staged": {"scene": "right", "object": "red cube", "operator": ""}}]
    json.dumps(told)
    (made / "cube" / NAME).write_text("each: none\n")
    assert "plan.yaml" in plans.plan(made, "cube")["why"]
    assert plans.keep(made, "cube", b"null") == "cube has no plan any more"
    assert plans.plan(made, "cube")["plan"] is None


@pytest.mark.parametrize("task", ["../x", "/abs", ".hidden", "a/b", "x.hdf5", "\0"])
def test_no_path_is_made_of_what_is_no_tasks_name(task: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        plans.keep(tmp_path, task, b'{"each": 2}')
    with pytest.raises(UsageError, match="cannot be called"):
        plans.plan(tmp_path, task)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "raw", [b"[]", b'{"each": 0}', b'{"each": 1e400}', b"[" * 5000, b'{"each": 2, "scenes": ["<b>", "<b>"]}']
)
def test_what_is_no_plan_is_refused_and_nothing_is_kept(raw: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the plan: .*Next: correct it"):
        plans.keep(tmp_path, "cube", raw)
    assert list(tmp_path.iterdir()) == []


def test_a_scene_is_staged_by_the_last_success_of_the_same_or_of_any(made: Path) -> None:
    shelf = Shelf(made)
    try:
        assert shelf.example("cube", "left", "red cube") == {"name": "cube/0", "alike": True, "cameras": CAMERAS}
        assert shelf.example("cube", "right", "red cube") == {"name": "cube/3", "alike": False, "cameras": CAMERAS}
        assert shelf.example("other", "", "") == {"name": "", "alike": False, "cameras": []}
        delete(shelf.path("cube/3"))
        assert shelf.example("cube", "right", "red cube") == {"name": "cube/0", "alike": False, "cameras": CAMERAS}
    finally:
        shelf.close()


def test_a_page_keeps_a_plan_every_page_looks_again_and_a_viewer_may_not(tmp_path: Path) -> None:
    async def keeps(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as page:
            await page.say({"type": "keepplan", "id": 1, "task": "cube", "plan": PLAN})
            assert (await page.heard("answer"))["why"] == "4 episodes of cube"
            await page.heard("episodes")
            async with browser.get(f"{console.base}/episodes/plan", params={"task": "cube"}) as answer:
                assert (await answer.json())["wanted"] == 4
            async with browser.get(f"{console.base}/episodes/example", params={"task": "cube"}) as answer:
                assert (await answer.json())["name"] == ""
            async with browser.get(f"{console.base}/episodes/plan", params={"task": "../x"}) as answer:
                assert answer.status == 404
            await page.say({"type": "keepplan", "id": 2, "task": "cube", "plan": {"each": -1}})
            refused = await page.heard("answer")
            assert (refused["id"], refused["done"]) == (2, False) and ">= 1" in refused["why"]
        async with await console.paired("viewer") as browser, console.page(browser) as page:
            await page.say({"type": "keepplan", "id": 1, "task": "cube", "plan": None})
            assert not (await page.heard("answer"))["done"]
            assert (console.data / "cube" / NAME).exists()

    served(tmp_path, keeps, speaks=False)
