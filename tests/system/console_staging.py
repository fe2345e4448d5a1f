"""A collection plan followed, and a wizard gone through, in a real browser against a rig that runs: `python -m tests.system.console_staging
FOLDER` draws the guide's pictures.
"""

import os
import sys
import tempfile
from pathlib import Path

import h5py
from selenium.webdriver.common.keys import Keys

from station.files import calibration_files
from tests.drivers.vr.browser import Browser
from tests.system.console_page import (
    Shoot,
    at_the_page,
    episodes_saved,
    full_rig,
    into,
    key,
    phase,
    port_of_its_own,
    rows,
)
from tests.system.rig import Booted, booted

TASK = "cube_handover"


def staging(rig: Booted, still: bool, shoot: Shoot = lambda _page, _name: None) -> None:
    """Make a plan, record what it wants, take it back: it is wanted again. Then a camera's reference picture, step by step. `still`: what
    its cameras see is, and not the bench's moving picture, of which none is kept.
    """
    with at_the_page(rig, "engineer") as (_, page):
        plan(page, shoot)
        record(page, rig, shoot)
        calibrate(page, still, shoot)


def plan(page: Browser, shoot: Shoot) -> None:
    """Two scenes, one of them with its place in a picture."""
    page.js("location.hash = arguments[0]", f"#/plan/{TASK}")
    page.until("no plan", "return document.querySelector('[data-act=edit]')")
    page.js("document.querySelector('[data-act=edit]').click()")
    page.until("the form", "return document.querySelector('#plan')")
    said = (
        ("each", f"{Keys.BACKSPACE}2"),
        ("scenes", f"left of the bowl{Keys.ENTER}right of it"),
        ("objects", "red cube"),
    )
    for name, text in said:
        page.driver.find_element("css selector", f"#plan [name={name}]").send_keys(text)
    page.until(
        "pictures", "return document.querySelectorAll('.tile .pick').length === app.store.welcome.rig.cameras.length"
    )
    for placing in ("left of the bowl", "right of it"):
        page.driver.find_element("css selector", "#plan [name=placing]").send_keys(placing)
        pick = page.driver.find_element("css selector", "[data-camera=cam_high] .pick")
        pick.send_keys(Keys.SPACE, *([Keys.ARROW_LEFT if placing.startswith("left") else Keys.ARROW_RIGHT] * 18))
    page.js("document.querySelector('[data-act=keep]').click()")
    page.until("it is kept", "return document.querySelectorAll('[data-row]').length === 2")
    shoot(page, "console-plan")


def record(page: Browser, rig: Booted, shoot: Shoot) -> None:
    """What is staged is in the file; taken back, it is staged again; the ghost is the success that stayed."""
    page.js("location.hash = '#/now'")
    page.until("the form", "return document.querySelector('form.begin')")
    page.driver.find_element("css selector", "input[name=task]").send_keys(TASK)
    page.js("document.querySelector('[data-action=open]').click()")
    phase(page, "ready")
    staged = []
    for number in range(2):
        page.until("what to stage", "return app.store.state.session.staging?.scene")
        staged.append(page.js("return app.store.state.session.staging.scene"))
        key(page, " ")
        phase(page, "recording")
        rows(page, 60)
        key(page, "s")
        episodes_saved(page, number + 1)
    assert sorted(staged) == ["left of the bowl", "right of it"], "a block has each of them once"
    for number, scene in enumerate(staged):
        with h5py.File(rig.data / TASK / f"episode_{number}.hdf5") as saved:
            assert (saved.attrs["scene"], saved.attrs["object"]) == (scene, "red cube")
    page.until("both count", "return app.store.state.session.staging.done === 2")
    key(page, "u")
    page.until("the question", "return document.querySelector('.ask')")
    key(page, "y")
    page.until(
        "it is wanted again",
        "return app.store.state.session.staging.done === 1 && app.store.state.session.staging.scene === arguments[0]",
        staged[1],
    )
    page.js("document.querySelector('[data-act=ghost]').click()")
    page.until("the ghost", "return document.querySelector('canvas[data-ghost=cam_high]:not([hidden])')")
    shoot(page, "console-stage")
    key(page, "q")
    phase(page, "ended")


def calibrate(page: Browser, still: bool, shoot: Shoot) -> None:
    """A camera's reference picture: asked for, seen while it is asked, kept if it is one."""
    page.js("location.hash = '#/check'")
    page.until("the wizard", "return document.querySelector('[data-wizard=cameras]:not(:disabled)')")
    page.js("document.querySelector('[data-wizard=cameras]').click()")
    page.until("its form", "return document.querySelector('form.wizard')")
    page.js(
        "[...document.querySelectorAll('.wizard .tick')].find((one) => one.textContent.trim() === 'cam_high').control.click()"
    )
    page.js("document.querySelector('[data-act=calibrate]').click()")
    page.until(
        "what it asks",
        "return document.querySelector('[role=status]')?.textContent.includes('arms parked')",
        seconds=60,
    )
    page.until(
        "what the camera sees", "return document.querySelector('figure.look img')?.naturalWidth === 640", seconds=60
    )
    shoot(page, "console-wizard")
    page.js("document.querySelector('[data-answer=\"go on\"]').click()")
    page.until("its end", "return app.store.job?.code !== null && !app.store.job.running", seconds=60)
    code, words = page.js("return [app.store.job.code, app.store.job.words]")
    if not still:
        assert code == 1 and "moved while it was taken" in words, words
        assert not any(known.device == "cam_high" for known in calibration_files.load_all())
        return
    assert code == 0, words
    page.until(
        "how old it is",
        "return document.querySelector('[data-device=cam_high]')?.textContent.includes('measured anew')",
    )
    assert any(known.device == "cam_high" and known.reference for known in calibration_files.load_all())


def main(folder: Path) -> None:
    """The pictures of the guide, on the rig whose cameras see a scene."""
    with tempfile.TemporaryDirectory(prefix="j", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = full_rig(Path(place), "sim")
        with booted(file, Path(place) / "data") as rig:
            staging(rig, True, into(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
