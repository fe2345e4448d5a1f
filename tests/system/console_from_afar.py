"""What moves arms, asked by a page that is not at the rig, in two real browsers: nobody says yes, somebody says no, somebody lets it
happen; a servo that shut down is restarted from the Rig page.
"""

import json
import subprocess
import sys

from station.bus.requests.time_outs import ALLOWED_S, COUNT_DOWN_S
from station.clock import NS_PER_S, monotonic_ns
from tests.drivers.vr.browser import Browser, wait
from tests.system.console_page import Console, key, paired, phase, press, take_control
from tests.system.rig import Booted


def link_from_afar() -> str:
    """For somebody who does not stand beside the arms."""
    words = [
        sys.executable,
        "-m",
        "station.cli",
        "console",
        "link",
        "--elsewhere",
        "--role",
        "engineer",
        "--for",
        "eve",
        "--json",
    ]
    made = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert made["at_rig"] is False
    return str(made["url"])


def from_afar(rig: Booted) -> None:
    """Park, a sitting, a recovery: each asked by one page, allowed by another that is at the rig; a wizard and an evaluation refused."""
    with Console(rig.rig.file) as console, paired(console.url) as here, paired(link_from_afar()) as away:
        for page in (here, away):
            phase(page, "ended")
        here.js(
            "window.cues = []; const before = app.heard.bind(app);"
            "app.heard = (message) => { if (message.kind === 'cue') cues.push(message.words); before(message); };"
        )
        take_control(away)
        handed_over(here, away)
        nobody_is_there(rig, here, away)
        somebody_says_no(here, away)
        parked(rig, here, away)
        a_sitting(here, away)
        a_servo_that_shut_down(rig, here, away)
    wait("the rig as it was", lambda: rig.phase() == "ended")


def handed_over(here: Browser, away: Browser) -> None:
    """Whoever is at the rig has it at once; from afar it is asked for, and given."""
    take_control(here)
    away.until("that it went", "return !document.querySelector('.control.mine')")
    away.js("document.querySelector('.control button').click()")
    here.until(
        "that it is asked for", "return document.querySelector('.banner.ask')?.textContent.includes('asks for control')"
    )
    assert not away.js("return Boolean(document.querySelector('.control.mine'))"), "not before it is given"
    here.js(
        "[...document.querySelectorAll('.banner.ask button')].find((one) => one.textContent.trim() === 'give it').click()"
    )
    away.until("that it came", "return document.querySelector('.control.mine')")


def asked(here: Browser, away: Browser, what: str) -> None:
    """Both pages show it, one with a button that lets it happen; nothing was done yet."""
    for page in (here, away):
        page.until(what, "return app.store.state.session.motion?.what.startsWith(arguments[0])", what)
    here.until(
        "the question",
        "return document.querySelector('.banner.ask')?.textContent.includes('asks: ' + arguments[0])",
        what,
    )
    away.until(
        "that it waits",
        "return document.querySelector('.banner.ask')?.textContent.includes('Waiting for somebody at the rig')",
    )
    allows = "return [...document.querySelectorAll('.banner.ask button')].some((one) => one.textContent.includes('let the arms move'))"
    assert here.js(allows) and not away.js(allows)


def told(page: Browser, words: str, seconds: float = 60.0) -> None:
    page.until(
        words, "return document.querySelector('.told').textContent.includes(arguments[0])", words, seconds=seconds
    )


def allowed(rig: Booted | None, here: Browser, away: Browser, what: str) -> int:
    """Somebody at the rig lets it happen: the count-down is shown to both and spoken. Returns when it was allowed, ns."""
    asked(here, away, what)
    allowed_ns = monotonic_ns()
    key(here, "y")
    for page in (here, away):
        page.until(
            "the count-down", "return /Arms move in [123] s/.test(document.querySelector('.banner.warn')?.textContent)"
        )
    here.until("it spoken", "return cues.includes(`arms move in ${arguments[0]} seconds`)", round(COUNT_DOWN_S))
    assert any(said.startswith("somebody elsewhere asks") for said in here.js("return cues"))
    here.js("cues.length = 0")
    return allowed_ns


def moved(rig: Booted) -> bool:
    pilot = rig.pilot()
    return pilot is not None and pilot.source == "park"


def nobody_is_there(rig: Booted, here: Browser, away: Browser) -> None:
    asked_ns = monotonic_ns()
    away.js("app.park()")
    asked(here, away, "park the arms")
    told(away, f"nobody at the rig allowed it within {ALLOWED_S:g} s", ALLOWED_S + 30)
    assert monotonic_ns() - asked_ns > ALLOWED_S * NS_PER_S and not moved(rig)
    assert here.js("return app.store.state.session.motion") is None


def somebody_says_no(here: Browser, away: Browser) -> None:
    """To park, to a wizard, to an evaluation: none of them begins."""
    away.js("app.park()")
    asked(here, away, "park the arms")
    here.js(
        "[...document.querySelectorAll('.banner.ask button')].find((one) => one.textContent.trim() === 'no').click()"
    )
    told(away, "did not allow it")
    for words, what in (
        ({"type": "calibrate", "what": "latency"}, "calibrate latency"),
        (
            {"type": "evaluate", "name": "afar", "policies": ["handover"], "trials": 1, "seconds": 5},
            "evaluate handover",
        ),
    ):
        away.js("app.ask(arguments[0], arguments[0], arguments[1])", words["type"], words)
        asked(here, away, what)
        here.js("app.deny()")
        told(away, "did not allow it")
        away.until("nothing waits", "return app.store.state.session.motion === null && app.store.asked.size === 0")
        assert away.js("return app.store.job") is None, "no job was begun"


def parked(rig: Booted, here: Browser, away: Browser) -> None:
    away.js("app.park()")
    allowed_ns = allowed(rig, here, away, "park the arms")
    told(away, "done: park arms")
    assert monotonic_ns() - allowed_ns > COUNT_DOWN_S * NS_PER_S, "not before the count-down is over"


def a_sitting(here: Browser, away: Browser) -> None:
    away.until("the form", "return document.querySelector('form.begin')")
    away.driver.find_element("css selector", "input[name=task]").send_keys("afar")
    away.js("document.querySelector('[data-action=open]').click()")
    allowed(None, here, away, "begin the sitting afar")
    phase(away, "ready")


def a_servo_that_shut_down(rig: Booted, here: Browser, away: Browser) -> None:
    """It is named, restarted once somebody beside it has said yes, and limp until somebody there lets the arms align again."""
    rig.servo_fault("follower_left", "overload", servo=8)
    phase(away, "hold")
    away.js("location.hash = '#/rig/follower_left'")
    press(away, "[data-arm-act=recover]")
    away.until("what sinks", "return document.querySelector('.ask')?.textContent.includes('whatever they held sinks')")
    away.js("document.querySelector('.ask button').click()")
    allowed(rig, here, away, "recover follower_left, support it")
    told(away, "done: recover follower_left")
    rig.until(
        "a servo that was restarted and is limp",
        lambda: (
            (health := rig.health("follower_left")) and "wrist_rotate has no torque while others have" in health.error
        ),
    )
    away.js("location.hash = '#/now'")
    phase(away, "hold")
    key(away, "p")
    allowed(rig, here, away, "go on: the arms align")
    phase(away, "ready")
    key(away, "q")
    phase(away, "ended")
