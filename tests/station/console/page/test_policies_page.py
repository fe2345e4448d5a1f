"""The Policies page in a real browser: what differs, load and shadow, a sitting, hands that hold the leaders, an evaluation's film."""

from collections.abc import Iterator

import msgspec
import pytest
from selenium.webdriver.common.action_chains import ActionChains

from station.bus.messages import Control, Motion, PolicyState
from station.bus.requests import (
    Allow,
    AskLeave,
    Done,
    HandOver,
    LoadPolicy,
    OpenSession,
    Refused,
    StartPolicy,
    StopPolicy,
)
from station.clock import NS_PER_S, monotonic_ns
from tests.drivers.vr.browser import Browser, wait
from tests.station.console.page import pages
from tests.station.console.page.pages import go, take_control
from tests.station.console.served import AskingJob
from tests.station.console.stage import AT_REST, THINKS, Stage, staged

pytestmark = pytest.mark.timeout(300)
HELD = "[data-act=held]"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("policies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("station.console.jobs.Job", AskingJob)
        pages.policies(folder / "data")
        with staged(folder) as stage:
            yield stage


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[Browser]:
    """An engineer's, at the rig, holding control."""
    with pages.paired(stage, role="engineer") as page:
        take_control(page)
        yield page


def says(stage: Stage, page: Browser, **changed: object) -> None:
    """The session says this, and the page has heard it."""
    control = stage.hub.session.control if stage.hub.session is not None else Control("", "")
    state = msgspec.structs.replace(AT_REST, control=control, **({"phase": "ended"} | changed))
    stage.do(lambda: setattr(stage.hub, "session", state))
    page.until("the phase", "return app.store.state.session.phase === arguments[0] && app.store.state.session.source === arguments[1]",
               state.phase, state.source)  # fmt: skip
    stage.do(stage.hub.asked.clear)
    stage.hub.reply = lambda _question, _who: Done()


def loaded(stage: Stage, page: Browser, policy: PolicyState) -> None:
    stage.do(lambda: setattr(stage.hub, "policy", policy))
    page.until("the runner", "return document.querySelector('.runner')?.dataset.runner === arguments[0]", policy.phase)


def leads(stage: Stage, page: Browser, source: str) -> None:
    stage.do(lambda: setattr(stage.hub, "leads", source))
    heard = "app.store.state.pilot.source === arguments[0] && document.querySelector(arguments[1])"
    page.until(f"{source} leads", f"return {heard}", source, HELD)


def press(page: Browser, act: str) -> None:
    page.until(
        f"{act} may be pressed", "return document.querySelector(arguments[0] + ':not(:disabled)')", f"[data-act={act}]"
    )
    page.js("document.querySelector(arguments[0]).click()", f"[data-act={act}]")


def asked(stage: Stage, request: object) -> None:
    wait(f"{request}", lambda: request in stage.hub.requests())


def off(page: Browser, act: str) -> bool:
    return bool(page.js("return document.querySelector(arguments[0]).disabled", f"[data-act={act}]"))


def test_what_differs_from_the_rig_stands_first_with_what_to_do(stage: Stage, page: Browser) -> None:
    says(stage, page)
    go(page, "#/policies")
    page.until("the folders", "return document.querySelectorAll('[data-policy]').length === 4")
    rows = "return Object.fromEntries([...document.querySelectorAll('[data-policy]')].map((r) => [r.dataset.policy, r.className]))"
    assert page.js(rows) == {"broken": "bad", "my-act": "ok", "swapped": "bad", "handover": "ok"}
    page.js("document.querySelector('[data-policy=swapped] a').click()")
    page.until(
        "what differs",
        "return document.querySelector('.compared')?.textContent.includes('which rig bench does not have')",
    )
    assert page.js("return document.querySelectorAll('.compared tr.bad + tr:not([class])').length") == 3, (
        "three that differ, each with its next act"
    )
    page.js("document.querySelector('[data-policy=broken] a').click()")
    page.until("why not", "return document.querySelector('.health .trouble')?.textContent.includes('rate_hz')")
    assert off(page, "load")


def test_it_is_loaded_thinks_in_shadow_and_is_asked_before_it_is_shown(stage: Stage, page: Browser) -> None:
    says(stage, page)
    go(page, "#/policies/my-act")
    loaded(stage, page, PolicyState("none", 1))
    assert off(page, "shadow") and off(page, "rollouts")
    stage.hub.reply = lambda _question, _who: Refused("onnx: the graph takes 7 numbers. Next: export it again <b>")
    press(page, "load")
    page.until(
        "why not",
        "return document.querySelector('.told.bad')?.textContent.includes('takes 7 numbers. Next: export it again <b>')",
    )
    stage.hub.reply = lambda _question, _who: Done()
    press(page, "load")
    asked(stage, LoadPolicy(str(stage.data.with_name("data-policies") / "my-act")))
    folder = str((stage.data.with_name("data-policies") / "my-act").resolve())
    loaded(stage, page, PolicyState("ready", monotonic_ns(), folder, "act my-act", chunk_ms=1000.0))
    page.until("it is loaded", "return document.querySelector('[data-policy=my-act]').textContent.includes('loaded')")
    press(page, "shadow")
    asked(stage, StartPolicy(shadow=True))
    loaded(stage, page, msgspec.structs.replace(THINKS, folder=folder))
    page.until(
        "its ask over the joints",
        "return app.policies.asks.points.filter(({asked}) => asked?.length === 14).length > 3",
    )
    page.until("its strips", "return document.querySelectorAll('[data-ask] canvas, [data-timing] canvas').length === 4")
    assert "delay p95 142 ms" in page.js("return document.querySelector('.runner').textContent")
    press(page, "shadow")
    asked(stage, StopPolicy())


def test_a_sitting_of_it_and_hands_only_while_the_leaders_are_held(stage: Stage, page: Browser) -> None:
    says(stage, page)
    go(page, "#/policies/my-act")
    loaded(stage, page, PolicyState("ready", 1, "/p/my-act", "act my-act"))
    page.until("the form", "return document.querySelector('form.fields [name=task]')")
    page.js("document.querySelector('form.fields [name=kept]').click()")
    press(page, "rollouts")
    asked(
        stage,
        OpenSession(
            "my-act", source="policy", policy="act my-act", policy_folder="/p/my-act", reset="operator", kept=False
        ),
    )
    says(stage, page, phase="running", source="policy", kept=False, task="my-act")
    leads(stage, page, "policy")
    assert off(page, "takeover")
    ActionChains(page.driver).send_keys("t").perform()
    page.until("how", "return document.querySelector('.told').textContent.includes('is pressed')")
    assert stage.hub.requests() == []

    held = page.driver.find_element("css selector", HELD)
    ActionChains(page.driver).click_and_hold(held).perform()
    page.until("it is held", "return document.querySelector('[data-act=takeover]:not(:disabled)')")
    ActionChains(page.driver).send_keys("t").perform()
    asked(stage, HandOver("leader", held=True))
    ActionChains(page.driver).release().perform()
    page.until("let go of", "return document.querySelector('[data-act=takeover]').disabled && !app.policies.holding")
    leads(stage, page, "leader")
    press(page, "handback")
    asked(stage, HandOver("policy"))


def test_what_waits_for_a_yes_is_taken_back_when_the_leaders_are_let_go(stage: Stage, page: Browser) -> None:
    go(page, "#/policies")
    says(stage, page, phase="running", source="policy", kept=False, task="my-act")
    leads(stage, page, "policy")
    waiting: list[object] = []
    stage.hub.hold_back = waiting.append
    ActionChains(page.driver).key_down("i").send_keys("t").perform()
    asked(stage, HandOver("leader", held=True))
    me = page.js("return app.store.welcome.who")
    stage.say(motion=Motion(1, me, "hand over", monotonic_ns() + 20 * NS_PER_S))
    page.until("the wish", "return app.store.state.session.motion")
    assert Allow(False) not in stage.hub.requests(), "while they are held it waits"
    ActionChains(page.driver).key_up("i").perform()
    asked(stage, Allow(False))
    stage.hub.hold_back = None
    stage.say(motion=None)


def test_an_evaluation_is_planned_and_each_trial_is_a_click_from_its_episode(stage: Stage, page: Browser) -> None:
    says(stage, page)
    go(page, "#/policies")
    page.until("the folders", "return document.querySelectorAll('[data-policy] input').length === 4")
    for name in ("my-act", "handover"):
        page.js("document.querySelector(`[data-policy=${arguments[0]}] input`).click()", name)
    press(page, "evaluate")
    page.until("the form", "return document.querySelector('[name=blind]')?.checked")
    page.driver.find_element("css selector", "form.set [name=name]").send_keys("second")
    page.js("document.querySelector('[data-act=begin-evaluation]').click()")
    wait(
        "leave",
        lambda: any(
            isinstance(request, AskLeave) and "20 trials each" in request.what for request in stage.hub.requests()
        ),
    )
    page.until("it runs", "return document.querySelector('[role=status]')?.textContent.includes('hold the leaders')")
    press_words = (
        "[...document.querySelectorAll('[role=status] button')].find((one) => one.textContent === arguments[0]).click()"
    )
    page.js(press_words, "end it")
    page.until("its end", "return app.store.job?.running === false")
    page.js("document.querySelector('[href*=\"eval=first\"]').click()")
    page.until("its trials", "return document.querySelectorAll('[data-trial]').length === 3")
    assert page.js("return [...document.querySelectorAll('[data-rate]')].map((row) => row.dataset.rate)") == ["A", "B"]
    assert "1 of 1: 100 %" in page.js("return document.querySelector('[data-rate=A]').textContent")
    assert page.js("return document.querySelectorAll('.list b, .rates b b').length") == 0, "what people write is text"
    assert (
        page.js("return document.querySelector('[data-trial=\"1\"] a').getAttribute('href')")
        == "#/episodes/evaluations/first/trials/0"
    )
