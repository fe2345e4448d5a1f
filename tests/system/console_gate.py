"""The check's gate in a real browser, before arms that no world stands in for: a check that is due, one that fails because a servo is too
hot, and somebody who answers for a sitting all the same.
"""

import h5py
import msgspec

from drivers.sim.servos.buses import Buses
from drivers.sim.world.requests import SetServoFault
from station.files.check_results import SessionCheck
from tests.drivers.vr.browser import Browser, wait
from tests.system.console_page import at_the_page, episodes_saved, key, phase, press, rows
from tests.system.real_arms import FOLLOWER
from tests.system.rig import Booted

TASK, WHY = "gated", "the last of today, it cools down over night"
SERVO, JOINT, HOT_C, COOL_C = 4, "elbow", 69, 32
"""One of them is that hot: beyond what the check lets pass, below what the servo switches itself off at."""


def gate(rig: Booted, buses: Buses) -> None:
    """No sitting without a check; none after one that failed, but with a reason and a name, which stay in every record of it."""
    with at_the_page(rig, person="") as (_, page):
        begin(page, TASK)
        refused(page, rig, "this rig has not been checked, so no sitting is opened on real arms")
        assert not page.js("return Boolean(document.querySelector('[name=override]'))"), "nothing stands in for a check"

        temperature(rig, buses, HOT_C)
        found = checked(page)
        assert f"{HOT_C} °C" in found and "fail" in found, found
        begin(page)
        refused(
            page, rig, f"the check of {rig.rig.name} failed, so nothing is recorded", f"{FOLLOWER}: temperature {JOINT}"
        )

        page.driver.find_element("css selector", "[name=override]").send_keys(WHY)
        page.until("that a name is asked for", "return document.querySelector('[name=operator]:invalid')")
        begin(page)
        page.js("app.begin(new FormData(document.querySelector('form.begin')))")  # as a page would that asks for none
        refused(page, rig, "an override is somebody's")
        page.driver.find_element("css selector", "[name=operator]").send_keys("ada")
        begin(page)
        phase(page, "ready")

        key(page, " ")
        phase(page, "recording")
        rows(page, 25)
        key(page, "s")
        episodes_saved(page, 1)
        kept(page, rig)
        key(page, "q")
        phase(page, "ended")
        page.until("an empty reason", "return document.querySelector('[name=override]')?.value === ''")

        temperature(rig, buses, COOL_C)
        assert f"{COOL_C} °C" in checked(page) or not failing(page), "what was mended fails no more"


def begin(page: Browser, task: str = "") -> None:
    """Press it, once the form is there."""
    page.js("location.hash = '#/now'")
    page.until("the form", "return document.querySelector('form.begin')")
    page.driver.find_element("css selector", "input[name=task]").send_keys(task)
    press(page, "[data-action=open]")


def refused(page: Browser, rig: Booted, *why: str) -> None:
    """It is told why, and what to do; the sitting is not open."""
    told = "return document.querySelector('.told').textContent"
    wait(f"{why}", lambda: all(word in page.js(told) for word in ("not done: ", *why)), else_=lambda: page.js(told))
    assert page.js("return document.querySelector('.before .bad').textContent.includes('Next: ')")
    assert rig.phase() == "ended"
    page.js("app.tell('', 'ok', 0)")


def temperature(rig: Booted, buses: Buses, celsius: int) -> None:
    """Of one servo of the follower, from now on; servos are asked for it one by one."""
    buses.set_fault(SetServoFault(FOLLOWER, "register", SERVO, celsius, "Present Temperature"))
    reading = f"{JOINT}.temperature_c"
    rig.until(f"{celsius} °C", lambda: (health := rig.health(FOLLOWER)) and health.readings.get(reading) == celsius)


def checked(page: Browser) -> str:
    """Run the check from its page; what it says of that servo's temperature, "" where another one is worse."""
    page.js("location.hash = '#/check'")
    press(page, "[data-act=check]")
    page.until("that it runs", "return app.store.job?.name === 'check' && app.store.job.running")
    page.until("its end", "return app.store.job.running === false", seconds=120)
    page.until("what it found", "return document.querySelector('.checked .list')")
    words = "[...document.querySelectorAll('.checked .list tbody tr')].map((row) => row.textContent)"
    said = page.js(f"return {words}.filter((one) => one.includes(arguments[0]))", f"temperature {JOINT}")
    return " ".join(said)


def failing(page: Browser) -> bool:
    """Does a temperature fail in what the check found?"""
    rows = "[...document.querySelectorAll('.checked .list tr.bad')]"
    return bool(page.js(f"return {rows}.some((row) => row.textContent.includes('temperature'))"))


def kept(page: Browser, rig: Booted) -> None:
    """Reason and name: in the episode, on its page, and in the list of who asked for what."""
    with h5py.File(rig.data / TASK / "episode_0.hdf5") as file:
        check = msgspec.json.decode(file.attrs["check_result"], type=SessionCheck)
    assert (check.verdict, check.override, check.override_by) == ("fail", WHY, "ada")
    assert any((found.name, found.value) == (f"temperature {JOINT}", HOT_C) for found in check.findings)
    page.js("location.hash = arguments[0]", f"#/episodes/{TASK}/0")
    page.until("it on its page", "return document.body.textContent.includes(arguments[0])", f"overridden: {WHY}")
    page.js("location.hash = '#/rig?acts='")
    acts = "(document.querySelector('pre.log')?.textContent ?? '').split('\\n')"
    page.until(
        "it in the list", f"return {acts}.some((line) => line.includes(arguments[0]) && line.includes('Done('))", WHY
    )
    page.js("location.hash = '#/now'")
