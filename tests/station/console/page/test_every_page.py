"""Every page for everybody: on a laptop without scrolling, by keyboard alone, for axe, dark and light, on a tablet, with large letters."""

from collections.abc import Iterator

import msgspec
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from station.bus.messages import Control, Motion
from station.files.check_results import FAILED
from tests.drivers.vr.browser import Browser, wait
from tests.station.console.page import colour, pages
from tests.station.console.page.pages import LAPTOP, PAGES, TABLET, Page
from tests.station.console.stage import AT_REST, Stage, staged

pytestmark = pytest.mark.timeout(300)


PHASES = {
    "ready": {}, "recording": {"phase": "recording"}, "ended": {"phase": "ended", "check_due": "this rig has not been checked"},
    "hold": {"phase": "hold", "why": "follower_left has been silent for 512 ms: check its power"},
}  # fmt: skip
"""What stands on the Now page in each of them is another."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        pages.record(folder / "data")
        pages.check()
        pages.policies(folder / "data")
        with staged(folder) as stage:
            yield stage


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[Browser]:
    with pages.paired(stage, role="engineer") as page:
        yield page


@pytest.mark.parametrize("which", PAGES, ids=lambda which: which.address)
def test_it_fits_a_laptop_has_hold_and_nothing_that_some_cannot_use(which: Page, page: Browser) -> None:
    pages.size(page, LAPTOP)
    pages.theme(page, "dark")
    pages.show(page, which)
    height, width = page.js("return [document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert height <= LAPTOP[1] and width <= LAPTOP[0], (height, width)
    seen = page.js(
        "const r = document.querySelector('.hold').getBoundingClientRect(); return [r.right, r.bottom, r.height]"
    )
    assert seen[0] <= LAPTOP[0] and seen[1] <= LAPTOP[1] and seen[2] >= 80
    assert pages.faults(page) == []
    assert [line for line in page.log() if "favicon" not in line] == []


MOVES = Motion(1, "bob at 10.0.0.9", "park the arms", 2**60)
ASKED = Control("another", "bob at 10.0.0.9 (console)", "eve at 10.0.0.7 (console)", 2**60)
SAID: dict[str, dict[str, object]] = {
    "at rest": {}, "recording": {"phase": "recording"}, "hold": {"phase": "hold", "why": "follower_left has been silent for 512 ms"},
    "before a sitting": {"phase": "ended", "check_due": "this rig has not been checked"},
    "after a failed check": {"phase": "ended", "check_due": FAILED},
    "asked from afar": {"motion": MOVES}, "about to move": {"motion": msgspec.structs.replace(MOVES, moves_ns=2**60)},
    "control asked for": {"control": ASKED},
}  # fmt: skip

JOB = """
const [name, code] = arguments, running = code === null, answers = running ? ['go on'] : [];
const told = { name, code, running, answers, words: 'something', by: 'ada', of: '', step: 1 };
app.store.job = { ...told, offers: [], about: '', progress: 0.5, picture: '' };
app.draw();
"""
"""One that runs and asks, is done, or has failed."""


@pytest.mark.parametrize("which", PAGES, ids=lambda which: which.address)
def test_what_has_a_colour_has_a_word_or_a_shape(which: Page, stage: Stage, page: Browser) -> None:
    pages.size(page, LAPTOP)
    pages.theme(page, "dark")
    pages.show(page, which)
    before = stage.hub.session
    try:
        for what, said in SAID.items():
            stage.do(lambda: setattr(stage.hub, "session", AT_REST))
            stage.say(**said)
            phase = said.get("phase", AT_REST.phase)
            heard = "const said = app.store.state.session; return said.phase === arguments[0] && Boolean(said.motion) === arguments[1]"
            page.until(what, heard, phase, "motion" in said)
            for level in ("ok", "warn", "bad", "asked"):
                page.js("app.tell('something …', arguments[0]); app.draw()", level)
                assert colour.alone(page) == [], (what, level)
        page.js("app.confirm('x', 'x', 'something?', {}); app.draw()")
        assert colour.alone(page) == []
        page.js("app.answer(false)")
        for job in ("check", "eval", "export", "replay"):
            for code in (None, 0, 1):
                page.js(JOB, job, code)
                assert colour.alone(page) == [], (job, code)
    finally:
        page.js("app.store.job = null")
        stage.do(lambda: setattr(stage.hub, "session", before))


@pytest.mark.parametrize(
    ("address", "strips"),
    [("#/now", 2), ("#/policies", 4), ("#/episodes/cube/0", 2)],
    ids=["now", "policies", "episode"],
)
def test_lines_of_a_strip_differ_by_more_than_their_colour(address: str, strips: int, page: Browser) -> None:
    pages.size(page, LAPTOP)
    pages.go(page, address)
    wait(f"{strips} strips", lambda: colour.lines_alike(page)[0] == strips)
    wait("their numbers", lambda: not colour.lines_alike(page)[1], else_=lambda: colour.lines_alike(page))


def test_the_keyboard_alone_reaches_every_page_and_what_is_pressed_there(page: Browser) -> None:
    pages.show(page, PAGES[0])
    page.js("document.activeElement?.blur()")
    names = ["#/now", "#/episodes", "#/plan", "#/check", "#/policies", "#/rig", "#/setup", "#/wall"]
    reached = []
    for _ in names:
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        reached.append(page.js("return document.activeElement.getAttribute('href')"))
        assert page.js("return getComputedStyle(document.activeElement).outlineStyle") != "none", (
            "it shows where one is"
        )
    assert reached == names
    page.js("document.querySelector('nav a[href=\"#/episodes\"]').focus()")
    ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    page.until("the list", "return document.querySelector('[data-episode]')")


@pytest.mark.rig
@pytest.mark.parametrize("of", [LAPTOP, TABLET, (640, 400)], ids=["laptop", "tablet", "letters twice as large"])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_in_each_size_and_theme(name: str, of: tuple[int, int], page: Browser) -> None:
    pages.size(page, of)
    pages.theme(page, name)
    for which in PAGES:
        pages.show(page, which)
        assert pages.faults(page) == [], which.address
        fits(page, of, which.address)
        assert page.js("return document.querySelector('.hold').getBoundingClientRect().width") > 100


@pytest.mark.rig
@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_now_page_in_each_phase_and_theme(name: str, stage: Stage, page: Browser) -> None:
    pages.size(page, LAPTOP)
    pages.theme(page, name)
    pages.show(page, PAGES[0])
    before = stage.hub.session
    try:
        for phase, said in PHASES.items():
            stage.do(lambda: setattr(stage.hub, "session", AT_REST))
            stage.say(**said)
            page.until(phase, "return document.querySelector('.page')?.dataset.phase === arguments[0]", phase)
            assert pages.faults(page) == [], phase
            assert colour.alone(page) == [], phase
            fits(page, LAPTOP, phase)
        stage.do(lambda: setattr(stage.hub, "silent", True))
        page.until("that nothing is live", "return document.querySelector('.page')?.dataset.phase === 'silent'")
        assert pages.faults(page) == [], "not live"
        assert colour.alone(page) == [], "not live"
        fits(page, LAPTOP, "not live")
    finally:
        stage.do(lambda: setattr(stage.hub, "silent", False))
        stage.do(lambda: setattr(stage.hub, "session", before))


def fits(page: Browser, of: tuple[int, int], what: str) -> None:
    """No wider than the window, on a laptop no higher either."""
    height, width = page.js("return [document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert width <= of[0], f"{what} is wider than its window"
    assert height <= of[1] or of != LAPTOP, f"{what} is scrolled on a laptop"
