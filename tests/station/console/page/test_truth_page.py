"""What a page shows after its link was cut, its computer slept, beside a second tab, with a wrong clock: what is true, and how old."""

import time
from collections.abc import Iterator

import pytest

from station.bus.messages import Control
from tests.drivers.vr.browser import Browser
from tests.station.console.cut_link import CutLink, cut_link
from tests.station.console.page import pages
from tests.station.console.stage import AT_REST, Stage, staged

pytestmark = pytest.mark.timeout(300)
CUT_S = 30.0
NOTE_PHASES = """
window.phases = [];
const note = () => {
  const {phase, live} = document.querySelector('.page')?.dataset ?? {}, now = `${phase} ${live}`;
  if (phases.at(-1) !== now) phases.push(now);
  requestAnimationFrame(note);
};
note();
"""
A_YEAR_BACK = "const now = Date.now; Date.now = () => now() - 365 * 86400e3;"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("truth")) as stage:
        yield stage


@pytest.fixture(scope="module")
def link(stage: Stage) -> Iterator[CutLink]:
    with cut_link(stage.port) as link:
        yield link


@pytest.fixture(scope="module")
def page(stage: Stage, link: CutLink) -> Iterator[Browser]:
    with pages.paired(stage, port=link.port) as page:
        yield page


@pytest.fixture(autouse=True)
def recording(stage: Stage, page: Browser) -> None:
    """The page that is looked at holds control, and a take is recorded."""
    control = Control(page.js("return app.store.welcome.seat"), "ada")
    stage.do(lambda: setattr(stage.hub, "session", AT_REST))
    stage.say(phase="recording", recorded_ticks=100, control=control)
    live(page, "recording")
    page.until("control", "return document.querySelector('.control.mine')")


def live(page: Browser, phase: str, seconds: float = 60.0) -> None:
    page.until(
        f"{phase}, live",
        "const {dataset} = document.querySelector('.page') ?? {}; return dataset?.phase === arguments[0] && dataset.live === 'live'",
        phase,
        seconds=seconds,
    )


def only_hold(page: Browser) -> bool:
    """Is HOLD there, and no other button of the session?"""
    on = "return [...document.querySelectorAll('.acts [data-action]:not(:disabled)')].map((one) => one.dataset.action).join()"
    return bool(page.js(on) == "hold")


def test_a_session_that_says_nothing_is_grey_after_a_second_and_not_live_after_two(stage: Stage, page: Browser) -> None:
    page.js(NOTE_PHASES)
    stage.hub.silent = True
    try:
        page.until("grey", "return document.querySelector('.page.stale')")
        page.until("not live", "return document.querySelector('.page.dead')")
        assert only_hold(page)
        assert "ms" not in page.js("return document.querySelector('.liveness').textContent"), (
            "its age is told in seconds"
        )
    finally:
        stage.hub.silent = False
    live(page, "recording")
    seen = page.js("return window.phases")
    assert seen.index("recording live") < seen.index("recording stale") < seen.index("silent dead"), seen


def test_a_second_tab_with_a_wrong_clock_shows_the_same_and_takes_nothing(
    stage: Stage, page: Browser, link: CutLink
) -> None:
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    try:
        page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": A_YEAR_BACK})
        pages.size(page, pages.LAPTOP)
        page.open(f"http://127.0.0.1:{link.port}/")
        live(page, "recording")
        page.until(
            "who holds control", "return document.querySelector('.control:not(.mine)')?.textContent.includes('ada')"
        )
        assert only_hold(page)
        page.until("fresh pictures", "return document.querySelectorAll('.tiles .tile:not(.bad)').length === 4")
        assert page.js("return document.querySelector('.liveness').textContent.includes(' ms')")
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)
    live(page, "recording")
    assert page.js("return Boolean(document.querySelector('.control.mine'))"), "the first window holds it still"


def test_after_a_sleep_nothing_that_was_heard_before_is_shown_as_live(
    stage: Stage, page: Browser, link: CutLink
) -> None:
    page.js(NOTE_PHASES)
    link.cut()
    try:
        # its monotonic clock stood still meanwhile, as Linux's does in a suspended computer
        page.js("const now = Date.now, slept = 3600e3; Date.now = () => now() + slept;")
        page.until(
            "nothing known", "return app.store.state === null && document.querySelector('.page.dead')", seconds=5
        )
        stage.say(phase="hold", why="follower_left has been silent for 512 ms: check its power")
    finally:
        link.mend()
    live(page, "hold")
    seen = page.js("return window.phases")
    assert [each for each in seen if each.startswith("recording")] == ["recording live"], f"never again: {seen}"


@pytest.mark.rig  # half a minute
def test_a_link_that_was_cut_for_half_a_minute_shows_what_is_true_when_it_is_back(
    stage: Stage, page: Browser, link: CutLink
) -> None:
    page.js(NOTE_PHASES)
    link.cut()
    began = time.monotonic()
    page.until("not live", "return document.querySelector('.page.dead')", seconds=10)
    assert only_hold(page)
    page.until(
        "the link is lost", "return document.querySelector('[role=alert]').textContent.includes('No link')", seconds=20
    )
    stage.say(phase="hold", why="the disk is full")
    page.until("half a minute", f"return performance.now() - {page.js('return performance.now()')} > arguments[0]",
               1000 * (CUT_S - (time.monotonic() - began)))  # fmt: skip
    link.mend()
    live(page, "hold", seconds=15)
    seen = page.js("return window.phases")
    assert [each for each in seen if each.startswith("recording")] in (
        ["recording live"],
        ["recording live", "recording stale"],
    ), seen
    page.js("document.querySelector('.hold').click()")
    page.until("it is heard", "return document.querySelector('.told').textContent.startsWith('done')")
