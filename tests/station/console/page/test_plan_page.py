"""The Plan page and what a plan puts over the live pictures, in a real browser: made by clicking, counted from the episodes."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from station.bus.messages import Control, Staging
from station.episodes import collection_file
from station.episodes.collection import CollectionPlan
from tests.drivers.vr.browser import Browser, wait
from tests.station.console.page import pages
from tests.station.console.page.pages import go
from tests.station.console.stage import AT_REST, Stage, staged
from tests.station.datasets.recorded import Recorded, make

pytestmark = pytest.mark.timeout(300)
STAGE = "Stage scene left, object red cube (other scene)."
STAGING = Staging("left", "red cube", 0, 2, 1, 4, 3, ("scene",), {"cam_high": (0.25, 0.5)})


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("plan")
    for number, scene in enumerate(("left", "right")):
        make(
            folder / "data",
            Recorded(rows=5, episode=number, scene=scene, object="red cube", cameras=("cam_high", "cam_low")),
        )
    with staged(folder) as stage:
        yield stage


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[Browser]:
    with pages.paired(stage) as page:
        yield page


@pytest.fixture(autouse=True)
def at_rest(stage: Stage) -> Iterator[None]:
    yield
    stage.do(lambda: setattr(stage.hub, "session", AT_REST))


def plan(stage: Stage) -> CollectionPlan | None:
    return collection_file.of_task(stage.data / "cube")


def type_into(page: Browser, name: str, text: str) -> None:
    field = page.driver.find_element("css selector", f"#plan [name={name}]")
    field.clear()
    field.send_keys(text)


def test_a_plan_is_made_by_typing_and_clicking_into_a_picture(stage: Stage, page: Browser) -> None:
    go(page, "#/plan/cube")
    page.until("no plan yet", "return document.querySelector('.none')?.textContent.includes('has no plan')")
    page.js("document.querySelector('[data-act=edit]').click()")
    page.until("the form", "return document.querySelector('#plan')")
    type_into(page, "each", "2")
    type_into(page, "scenes", f"left{Keys.ENTER}right{Keys.ENTER}")
    type_into(page, "objects", "red cube")
    type_into(page, "instruction", "put the {object} away")
    page.until("how many", "return document.querySelector('#plan .picked').textContent === '4 episodes in all'")
    page.until("a picture", "return document.querySelector('[data-camera=cam_high].ok .pick')")
    tile = page.driver.find_element("css selector", "[data-camera=cam_high] .pick")
    ActionChains(page.driver).move_to_element(tile).click().perform()
    page.until(
        "its cross", "return document.querySelector('[data-camera=cam_high] .marks text')?.textContent === 'left'"
    )
    assert page.js("return document.activeElement.className") == "pick", "the keyboard goes on where it was clicked"
    ActionChains(page.driver).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).perform()
    page.js("document.querySelector('[data-act=keep]').click()")
    page.until("it is counted", "return document.querySelectorAll('[data-row]').length === 2")
    made = plan(stage)
    assert made is not None
    x, y = made.places["left"]["cam_high"]
    assert (made.each, made.scenes, made.objects, made.instruction) == (
        2,
        ("left", "right"),
        ("red cube",),
        "put the {object} away",
    )
    assert x == pytest.approx(0.52, abs=0.015) and y == pytest.approx(0.5, abs=0.015)
    rows = page.js(
        "return [...document.querySelectorAll('[data-row]')].map((row) => row.innerText.replace(/\\s+/g, ' ').trim())"
    )
    assert sorted(row.removeprefix("next ") for row in rows) == ["left red cube 1 of 2", "right red cube 1 of 2"]
    assert "plan 2 of 4" in page.js("return document.querySelector('.bar').textContent")


def test_what_cannot_be_a_plan_is_told_and_the_form_stays(stage: Stage, page: Browser) -> None:
    go(page, "#/plan/cube")
    page.until("the plan", "return document.querySelector('[data-row]')")
    page.js("document.querySelector('[data-act=edit]').click()")
    page.until("the form", "return document.querySelector('#plan')")
    type_into(page, "scenes", f"left{Keys.ENTER}left")
    page.js("document.querySelector('[data-act=keep]').click()")
    page.until("why not", "return document.querySelector('.told').textContent.includes('is there twice')")
    assert page.js("return document.querySelector('#plan [name=scenes]').value") == "left\nleft"
    page.js(
        "[...document.querySelectorAll('.acts .act')].find((one) => one.textContent === 'leave it as it was').click()"
    )
    page.until("the plan again", "return document.querySelector('[data-row]')")
    assert plan(stage) is not None


def test_what_to_stage_stands_over_the_pictures_and_in_the_line_that_leads_on(stage: Stage, page: Browser) -> None:
    stage.say(phase="reset", task="cube", staging=STAGING)
    go(page, "#/now")
    page.until(
        "the words",
        "return document.querySelector('.banner').textContent.includes(arguments[0])",
        STAGE,
    )
    page.until(
        "the cross", "return document.querySelector('[data-camera=cam_high] .marks text')?.textContent === 'left'"
    )
    assert page.js("return document.querySelectorAll('.marks').length") == 1
    assert page.js("return document.querySelector('.stage').textContent") == "scene left, object red cube"
    assert "plan 1 of 4" in page.js("return document.querySelector('.counts').textContent")
    where = page.js("""const at = (one) => document.querySelector(one).getBoundingClientRect();
        const tile = at('[data-camera=cam_high] canvas'), mark = at('.marks circle');
        return [(mark.left + mark.width / 2 - tile.left) / tile.width, (mark.top + mark.height / 2 - tile.top) / tile.height]""")
    assert where == pytest.approx([0.25, 0.5], abs=0.01)
    stage.say(phase="recording", task="cube", staging=STAGING)
    page.until(
        "it is out of the way",
        "return app.store.state.session.phase === 'recording' && !document.querySelector('.marks')",
    )
    stage.say(phase="reset", task="cube", staging=STAGING)
    go(page, "#/wall")
    page.until(
        "on the wall",
        "return document.querySelector('.cause')?.textContent === arguments[0]",
        STAGE,
    )
    stage.say(phase="reset", task="cube", staging=Staging("", "", 0, 0, 0, 0, 0, why="plan.yaml: no"))
    go(page, "#/now")
    page.until("not followed", "return document.querySelector('.counts').textContent.includes('no plan is followed')")


def test_the_ghost_of_the_last_success_lies_over_the_live_picture_and_goes(stage: Stage, page: Browser) -> None:
    stage.say(phase="reset", task="cube", staging=STAGING, control=Control("", ""))
    go(page, "#/now")
    page.until("its button", "return document.querySelector('[data-act=ghost]')")
    page.js("document.querySelector('[data-act=ghost]').click()")
    alike = "cube/0: the last success of just this"
    page.until("of what", "return document.querySelector('.ghosts').textContent.includes(arguments[0])", alike)
    # after its name: what stood there of another scene goes as soon as it is known
    page.until("the ghost", "return document.querySelector('canvas[data-ghost=cam_high]:not([hidden])')?.width === 160")
    seen = page.js("""const of = (one) => document.querySelector(one).getBoundingClientRect();
        const live = of('[data-camera=cam_high] canvas'), ghost = of('canvas[data-ghost]');
        return [live.left - ghost.left, live.top - ghost.top, live.width - ghost.width, live.height - ghost.height].map(Math.abs)""")
    assert max(seen) <= 1
    stage.say(phase="reset", task="cube", staging=Staging("elsewhere", "red cube", 0, 2, 1, 4, 3))
    page.until("another", "return document.querySelector('.ghosts').textContent.includes('of another scene or object')")
    stage.say(phase="recording", task="cube")
    page.until("not while it is recorded", "return !document.querySelector('canvas[data-ghost]')")
    stage.say(phase="reset", task="nothing like it")
    page.until("none", "return document.querySelector('.ghosts').textContent.includes('No success was recorded yet')")
    page.js("document.querySelector('[data-act=ghost]').click()")
    page.until("off", "return document.querySelector('[data-act=ghost]').ariaPressed === 'false'")
    assert page.log() == []


def test_a_plan_that_goes_is_asked_about_first(stage: Stage, page: Browser) -> None:
    go(page, "#/plan/cube")
    page.until("the plan", "return document.querySelector('[data-act=drop]')")
    page.js("document.querySelector('[data-act=drop]').click()")
    page.until("the question", "return document.querySelector('.ask')?.textContent.includes('no plan any more')")
    assert plan(stage) is not None
    page.js("document.querySelector('.ask button').click()")
    wait("it is gone", lambda: plan(stage) is None)
    page.until("none", "return document.querySelector('.none')?.textContent.includes('has no plan')")
