"""Rig, Check and Wall in a real browser: what processes say, a restart that is asked first, a check as a job, the wall without controls."""

from collections.abc import Iterator

import pytest

from station.bus.requests import AskLeave, Hold, OperatorAct, Restart
from tests.drivers.vr.browser import Browser, wait
from tests.station.console.page import pages
from tests.station.console.page.pages import go
from tests.station.console.served import AskingJob
from tests.station.console.stage import AT_REST, Stage, staged

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("rig")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setattr("station.console.jobs.Job", AskingJob)
        pages.check()
        with staged(folder) as stage:
            yield stage


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[Browser]:
    with pages.paired(stage, role="engineer") as page:
        yield page


def test_a_process_says_all_and_is_restarted_after_a_question(stage: Stage, page: Browser) -> None:
    go(page, "#/rig")
    page.until("processes", "return document.querySelectorAll('[data-node]').length === 9")
    assert page.js("return document.querySelector('[data-node=follower_left]').className") == "bad", "too hot"
    assert page.js("return document.querySelector('[data-node=policy] .look').textContent") == "signal 9 <b>"
    page.js("document.querySelector('[data-node=follower_left] a').click()")
    page.until("its readings", "return document.querySelector('td.bad')?.textContent.includes('71')")
    page.until(
        "its effort", "return document.querySelector('[data-effort=shoulder] td.warn')?.textContent.includes('-960 mA')"
    )
    assert page.js("return document.querySelector('[data-effort=shoulder] td:last-child').textContent") == "1000 mA"
    assert page.js("return document.querySelector('[data-act=report]').getAttribute('href')") == "/rig/report"
    page.js("document.querySelector('[data-act=restart]').click()")
    page.until("the question", "return document.querySelector('.ask')?.textContent.includes('Restart follower_left?')")
    assert Restart("follower_left") not in stage.hub.requests()
    page.js("document.querySelector('.ask button').click()")
    wait("the restart", lambda: Restart("follower_left") in stage.hub.requests())


def test_servos_that_shut_down_are_restarted_after_a_question_that_says_what_sinks(stage: Stage, page: Browser) -> None:
    go(page, "#/rig/follower_left")
    page.until("the act", "return document.querySelector('[data-arm-act=recover]:not(:disabled)')")
    stage.hub.asked.clear()
    page.js("document.querySelector('[data-arm-act=recover]').click()")
    page.until(
        "the question", "return document.querySelector('.ask')?.textContent.includes('whatever they held sinks')"
    )
    assert "recover follower_left" in page.js("return document.querySelector('.ask').textContent")
    assert stage.hub.requests() == [], "nothing before a yes"
    page.js("document.querySelector('.ask button').click()")
    wait("leave to be asked", lambda: any(isinstance(asked, AskLeave) for asked in stage.hub.requests()))
    (question, _), *_ = [one for one in stage.hub.asked if isinstance(one[0].request, AskLeave)]
    assert question.after is not None and question.after.request == OperatorAct("follower_left", "recover")


def test_what_is_old_is_called_old_and_a_dead_session_can_be_restarted(stage: Stage, page: Browser) -> None:
    go(page, "#/rig/cam_high")
    page.until("its page", "return document.querySelector('[data-act=restart]')")
    stage.hub.silent = True
    try:
        page.until("not live", "return document.querySelector('.page').dataset.live === 'dead'")
        page.until("how old", "return /[2-9] s|[2-9]\\\\d{3} ms/.test(document.querySelector('.last').textContent)")
        page.js("document.querySelector('[data-act=restart]').click()")
        page.js("document.querySelector('.ask button').click()")
        wait("the restart", lambda: Restart("cam_high") in stage.hub.requests())
    finally:
        stage.hub.silent = False
    page.until("live", "return document.querySelector('.page').dataset.live === 'live'")


def test_a_check_asks_is_answered_and_its_result_stands_there(stage: Stage, page: Browser) -> None:
    stage.say(phase="ended", check_due="the last check is 9.0 h old, 8 h is the limit")
    go(page, "#/check")
    page.until("the last result", "return document.querySelector('.list')?.textContent.includes('1.8 mm')")
    page.until(
        "it is due", "return document.querySelector('.banner').parentElement.textContent.includes('8 h is the limit')"
    )
    page.until("it may be run", "return document.querySelector('[data-act=check]:not(:disabled)')")
    page.js("document.querySelector('[data-act=check]').click()")
    page.until(
        "its question", "return document.querySelector('[role=status]')?.textContent.includes('hold the leaders')"
    )
    page.js("[...document.querySelectorAll('[role=status] button')].find((one) => one.textContent === 'go on').click()")
    page.until("answered", "return document.querySelectorAll('[role=status] button').length === 1")
    page.js("document.querySelector('[role=status] button').click()")
    page.until("its end", "return document.querySelector('[role=status]').textContent.includes('check is done')")
    stage.do(lambda: setattr(stage.hub, "session", AT_REST))


def test_a_wizard_goes_step_by_step_with_what_is_seen_meanwhile(stage: Stage, page: Browser) -> None:
    stage.say(phase="ended")
    go(page, "#/check")
    page.until("arms can be calibrated", "return document.querySelector('[data-wizard=arms]:not(:disabled)')")
    assert page.js("return document.querySelector('[data-wizard=gello]')") is None
    page.js("document.querySelector('[data-wizard=arms]').click()")
    page.until("its form", "return document.querySelector('form.wizard')?.textContent.includes('Torque off')")
    page.js("document.querySelector('.wizard .tick input').click()")
    page.js("document.querySelector('[data-act=calibrate]').click()")
    wait("the rig's leave", lambda: AskLeave("calibrate arms") in stage.hub.requests())
    page.until("its step", "return document.querySelector('[role=status]')?.textContent.includes('hold the leaders')")
    page.until("what is seen", "return document.querySelector('figure.look img')?.naturalWidth === 320")
    assert "the board is seen" in page.js("return document.querySelector('figure.look').textContent")
    page.js("document.querySelector('[data-answer=\"go on\"]').click()")
    page.until("it is over", "return !document.querySelector('figure.look')")
    page.js("document.querySelector('[role=status] button').click()")
    page.until(
        "its end", "return document.querySelector('[role=status]').textContent.includes('calibrate arms is done')"
    )
    assert page.log() == []
    stage.do(lambda: setattr(stage.hub, "session", AT_REST))


def test_the_wall_says_what_is_seen_from_afar_and_only_holds(stage: Stage, page: Browser) -> None:
    stage.say(phase="hold", why="leader_left has been silent for 512 ms: check its power")
    go(page, "#/wall")
    page.until("its cause", "return document.querySelector('.cause')?.textContent.includes('silent for 512 ms')")
    words = "[...document.querySelectorAll('button')].map((one) => one.textContent.trim().split(' ')[0])"
    assert page.js(f"return {words}") == ["sound", "HOLD"]
    size = page.js("return parseFloat(getComputedStyle(document.querySelector('.wall .phase')).fontSize)")
    assert size >= 80
    page.js("document.querySelector('.hold').click()")
    wait("a hold", lambda: any(isinstance(request, Hold) for request in stage.hub.requests()))
    stage.do(lambda: setattr(stage.hub, "session", AT_REST))
