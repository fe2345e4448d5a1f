"""Wizards of `station calibrate` gone through on the Check page, by an operator whose hands move real drivers' arms: what is kept is held
against the truth, as at the terminal.
"""

import os
import time
from pathlib import Path

from tests.calibration.prompted import PATIENCE_S, WAIT_S, Prompt, Rig
from tests.drivers.vr.browser import Browser
from tests.system.console_page import Console, paired, phase, port_of_its_own

FIELDS = {"--pose": "pose"}
"""Options of the command, and what the form calls them."""


class PageRig(Rig):
    """One whose operator stands before the page."""

    def calibrate(self, *words: str, prompts: list[Prompt]) -> str:
        """Choose the wizard, say for which devices, and at each step move what it asks for, wait, go on. What it says at its end."""
        own = port_of_its_own(Path(os.environ["XDG_CONFIG_HOME"]))
        with own, Console(self.file, "engineer") as console, paired(console.url) as page:
            phase(page, "ended")
            _begin(page, words[0], list(words[1:]))
            for prompt, act in prompts:
                page.until(
                    prompt,
                    "return app.store.job?.answers.includes('go on') && app.store.job.words.includes(arguments[0])",
                    prompt,
                    seconds=PATIENCE_S,
                )
                act()
                time.sleep(WAIT_S)  # an operator who takes that long, as at the terminal
                seen = "return document.querySelector('figure.look img, figure.look td')"
                page.until("what is seen meanwhile", seen)
                page.js("document.querySelector('[data-answer=\"go on\"]').click()")
            page.until("its end", "return app.store.job.running === false", seconds=PATIENCE_S)
            code, told = page.js("return [app.store.job.code, app.store.job.words]")
            assert code == 0, told
        return str(told)


def _begin(page: Browser, what: str, options: list[str]) -> None:
    page.js("location.hash = '#/check'")
    page.until("the wizard", "return document.querySelector(`[data-wizard=${arguments[0]}]:not(:disabled)`)", what)
    page.js("document.querySelector(`[data-wizard=${arguments[0]}]`).click()", what)
    page.until("its form", "return document.querySelector('form.wizard')")
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "--only":
            ticks = (
                "[...document.querySelectorAll('.wizard .tick')].find((one) => one.textContent.trim() === arguments[0])"
            )
            page.js(f"{ticks}.control.click()", value)
        else:
            page.driver.find_element("css selector", f".wizard [name={FIELDS[option]}]").send_keys(value)
    page.js("document.querySelector('[data-act=calibrate]').click()")
