"""A policy in a real browser, against a rig that runs: `python -m tests.system.console_policies FOLDER` draws the guide's picture.

It is held against the rig, loaded, thinks in shadow, commands, gives way to hands that hold the leaders, and has the arms back.
"""

import os
import sys
import tempfile
from pathlib import Path

import h5py
from selenium.webdriver.common.action_chains import ActionChains

from tests.drivers.vr.browser import Browser
from tests.system.console_page import Shoot, at_the_page, episodes_saved, full_rig, into, phase, port_of_its_own, press
from tests.system.rig import Booted, booted

TASK = "tried"


def runner(page: Browser, word: str) -> None:
    page.until(word, "return document.querySelector('.runner')?.dataset.runner === arguments[0]", word, seconds=120)


def commands(page: Browser, source: str) -> None:
    page.until(f"{source} commands", "return app.store.state.pilot?.state === 'engaged' && app.store.state.pilot.source === arguments[0]",
               source, seconds=60)  # fmt: skip


def journey(rig: Booted, policy: str, hands: bool, shoot: Shoot = lambda _page, _name: None) -> None:
    """`hands`: they are near the arms, so that they may take over."""
    with at_the_page(rig, "engineer") as (_, page):
        page.js("location.hash = arguments[0]", f"#/policies/{policy}")
        page.until(
            "it fits",
            "return document.querySelector(`[data-policy=${arguments[0]}]`)?.className === 'ok'",
            policy,
            seconds=60,
        )
        press(page, "[data-act=load]")
        runner(page, "ready")
        press(page, "[data-act=shadow]")
        runner(page, "running")
        page.until(
            "half a minute of it",
            "return app.policies.timings.points.filter(({plan}) => plan).length > 20",
            seconds=60,
        )
        before = rig.phase()
        shoot(page, "console-policies")
        assert before == "ended" and page.js("return app.store.state.pilot.source") != "policy", (
            "nothing moves for a shadow"
        )
        press(page, "[data-act=shadow]")
        runner(page, "ready")

        page.driver.find_element("css selector", "form.fields [name=task]").send_keys(TASK)
        press(page, "[data-act=rollouts]")
        phase(page, "reset")
        press(page, "[data-action=start]")
        phase(page, "recording")
        commands(page, "policy")
        if hands:
            take_over(page)
        page.until("rows", "return app.store.state.session.recorded_ticks > 100", seconds=60)
        press(page, "[data-action=stop]")
        episodes_saved(page, 1)
        page.js("app.press('close')")
        phase(page, "ended")
    with h5py.File(rig.data / TASK / "episode_0.hdf5") as saved:
        assert policy in str(saved.attrs["policy"])
        assert bool(saved["/control/intervention"][()].any()) == hands


def take_over(page: Browser) -> None:
    """Not by the key alone; then while the leaders are held, and back."""
    page.js("document.activeElement?.blur()")
    ActionChains(page.driver).send_keys("t").perform()
    page.until("how", "return document.querySelector('.told').textContent.includes('is pressed')")
    commands(page, "policy")
    ActionChains(page.driver).key_down("i").send_keys("t").perform()
    commands(page, "leader")
    ActionChains(page.driver).key_up("i").perform()
    page.until("they may go back", "return document.querySelector('[data-act=handback]:not(:disabled)')")
    ActionChains(page.driver).send_keys("t").perform()
    commands(page, "policy")


def main(folder: Path) -> None:
    """The guide's picture, on the rig whose cameras see a scene, with the policy that ships."""
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = full_rig(Path(place), "sim")
        with booted(file, Path(place) / "data") as rig:
            journey(rig, "handover", hands=False, shoot=into(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
