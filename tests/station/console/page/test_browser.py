"""The Now page in a real browser, on a staged session: what is pressed is asked, what is refused is told, what is old is called old."""

from collections.abc import Iterator

import msgspec
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from station.bus.messages import Control
from station.bus.requests import Allow, Done, Hold, Note, OpenSession, Pause, Refused, Start, Stop, TakeControl, Undo
from tests.drivers.vr.browser import Browser, browser, wait
from tests.station.console.page.pages import take_control
from tests.station.console.stage import AT_REST, Stage, staged

pytestmark = pytest.mark.timeout(300)
SIZE = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("console")) as stage:
        yield stage


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[Browser]:
    """A paired operator's, at the rig, holding control."""
    with browser(headset="") as page:
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        page.open(stage.link())
        page.until("the Now page", "return document.querySelector('.page')")
        take_control(page)
        yield page


@pytest.fixture(autouse=True)
def at_rest(stage: Stage, page: Browser) -> None:
    stage.hub.reply = lambda _question, _who: Done()
    stage.hub.frozen, stage.hub.silent = set(), False
    control = stage.hub.session.control if stage.hub.session is not None else Control("", "")
    stage.do(lambda: setattr(stage.hub, "session", msgspec.structs.replace(AT_REST, control=control)))
    phase(page, "ready")
    stage.do(stage.hub.asked.clear)


def phase(page: Browser, word: str) -> None:
    page.until(word, "return document.querySelector('.page')?.dataset.phase === arguments[0]", word)


def key(page: Browser, *keys: str) -> None:
    page.js("document.activeElement?.blur()")
    for one in keys:
        ActionChains(page.driver).send_keys(one).perform()


def told(page: Browser, words: str) -> None:
    page.until(f"“{words}”", "return document.querySelector('.told').textContent.includes(arguments[0])", words)


def asked(stage: Stage, *requests: object) -> None:
    wait(f"{requests}", lambda: all(request in stage.hub.requests() for request in requests))


def test_the_link_is_for_one_browser_and_leaves_the_address_bar(stage: Stage, page: Browser) -> None:
    assert "#" not in page.js("return location.href")
    assert page.js("return document.cookie") == "", "no script reads the token"
    said = stage.hub.session
    assert said is not None
    assert TakeControl() in [question.request for question, _ in stage.hub.asked] or said.control.holder


def test_a_take_by_the_terminals_keys_and_undo_after_a_question(stage: Stage, page: Browser) -> None:
    key(page, " ")
    asked(stage, Start(None))
    told(page, "done: start")
    stage.say(phase="recording", recorded_ticks=100)
    phase(page, "recording")
    key(page, "n")
    page.until("the note's field", "return document.activeElement.name === 'text'")
    ActionChains(page.driver).send_keys("slipped: f u d").perform()
    ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    asked(stage, Note("slipped: f u d"))
    assert Stop(False) not in stage.hub.requests(), "keys that are typed mean letters"
    key(page, "s")
    asked(stage, Stop(True))
    stage.say(phase="ready", newest=17, saved=17, episode=18)
    phase(page, "ready")
    key(page, "u")
    page.until("the question", "return document.querySelector('.ask')?.textContent.includes('delete episode 17?')")
    key(page, "p")
    page.until("no", "return !document.querySelector('.ask')")
    assert not {Undo(), Pause()} & set(stage.hub.requests())
    key(page, "u", "y")
    asked(stage, Undo())


def test_what_the_session_refuses_is_told_until_the_next(stage: Stage, page: Browser) -> None:
    stage.hub.reply = lambda _question, _who: Refused("the disk has room for 3 s. Next: free space <b>now</b>")
    page.js("document.querySelector('[data-action=start]').click()")
    told(page, "not done: the disk has room for 3 s. Next: free space <b>now</b>")
    assert page.js("return document.querySelectorAll('.told b').length") == 0, "what people write is text"


def test_hold_is_always_there_also_without_control_and_when_nothing_is_live(stage: Stage, page: Browser) -> None:
    stage.say(control=Control("another", "bob at 10.0.0.9 (console)"))
    page.until("bob", "return document.querySelector('.control').textContent.includes('bob at 10.0.0.9')")
    page.until(
        "buttons off",
        "return [...document.querySelectorAll('.acts [data-action]:not(.hold)')].every((b) => b.disabled)",
    )
    key(page, " ")
    told(page, "bob at 10.0.0.9 (console) holds control")
    assert Start(None) not in stage.hub.requests()
    page.js("document.querySelector('.hold').click()")
    wait("a hold", lambda: any(isinstance(request, Hold) for request in stage.hub.requests()))
    stage.do(stage.hub.asked.clear)
    stage.hub.silent = True
    phase(page, "silent")
    assert "the arms may be moving" in page.js("return document.querySelector('[role=alert]').textContent")
    key(page, "h")
    wait("a hold", lambda: any(isinstance(request, Hold) for request in stage.hub.requests()))
    stage.hub.silent = False
    phase(page, "ready")
    me = page.js("return app.store.welcome.seat")
    stage.say(control=Control(me, "ada"))
    page.until("control", "return document.querySelector('.control.mine')")


def test_a_frozen_camera_says_so_and_the_others_go_on(stage: Stage, page: Browser) -> None:
    camera = "return document.querySelector(`[data-camera=${arguments[0]}] .over`)?.textContent ?? ''"
    page.until("a picture", f"{camera.replace('return', 'return !(')})", "cam_low")
    stage.hub.frozen = {"cam_high"}
    page.until("frozen", f"{camera.replace('return', 'return (')}).startsWith('FROZEN')", "cam_high")


def test_a_sitting_is_begun_with_what_was_typed(stage: Stage, page: Browser) -> None:
    stage.say(phase="ended", task="", check_due="this rig has not been checked")
    phase(page, "ended")
    page.until("the form", "return document.querySelector('form.begin')")
    for name, text in (("task", "pick cube"), ("operator", "ada"), ("episodes", "3"), ("seconds", "7.5")):
        page.driver.find_element("css selector", f"input[name={name}]").send_keys(text)
    assert "not been checked" in page.js("return document.querySelector('.before').textContent")
    page.js("document.querySelector('[data-action=open]').click()")
    asked(stage, OpenSession("pick cube", operator="ada", episodes=3, reset="operator", opening=None))
    assert stage.server.seconds == 7.5


def test_what_somebody_elsewhere_asks_for_is_allowed_here(stage: Stage, page: Browser) -> None:
    from station.bus.messages import Motion
    from station.clock import NS_PER_S, monotonic_ns

    stage.say(motion=Motion(1, "bob", "go on: the arms align again", monotonic_ns() + 20 * NS_PER_S))
    page.until("the wish", "return document.body.textContent.includes('bob asks: go on')")
    key(page, "y")
    asked(stage, Allow())


def test_it_fits_a_laptop_and_nothing_is_refused_by_its_own_rules(stage: Stage, page: Browser) -> None:
    for told_ in ({}, {"phase": "recording"}, {"phase": "hold", "why": "follower_left has been silent for 512 ms: check its power"},
                  {"phase": "ended"}):  # fmt: skip
        stage.say(**told_)
        phase(page, told_.get("phase", "ready"))
        height, width = page.js("return [document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
        assert (height, width) <= (800, 1280), told_
    assert page.log() == []
