"""A real browser with a headset that is not there: Chromium, and IWER in place of the WebXR runtime."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

T = TypeVar("T")

RUNTIME = Path(__file__).parent / "node_modules/iwer/build/iwer.min.js"
HEADSET = Path(__file__).parent / "headset.js"
CHROMIUM, CHROMEDRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--disable-dev-shm-usage", "--ignore-certificate-errors", "--window-size=640,480",
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
)  # fmt: skip


class Browser:
    """One browser with one page and one headset."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def js(self, script: str, *arguments: object) -> Any:
        """Run a function body in the page."""
        return self.driver.execute_script(script, *arguments)

    def until(self, what: str, script: str, *arguments: object, seconds: float = 60.0) -> Any:
        """Wait until the function body returns something true."""
        return wait(what, lambda: self.js(script, *arguments), seconds, lambda: self.log())

    def open(self, url: str) -> None:
        """Open a page afresh; it sees a headset."""
        self.driver.get("about:blank")  # else another #code would be only another place in the same page
        self.driver.get(url)

    def linked(self, state: str = "paired") -> None:
        """Wait for the page's link."""
        self.until(f"link {state}", "return document.documentElement.dataset.link === arguments[0]", state)

    def enter(self) -> None:
        """Click Enter VR and wait for both controllers to be seen."""
        self.until("a button to enter", "return !document.getElementById('enter').hidden")
        self.driver.find_element("id", "enter").click()
        self.until("immersion", "return document.documentElement.dataset.immersed && operator.ready()")

    def press(self, hand: str, key: str) -> None:
        """Press and release one of a controller's buttons."""
        self.driver.execute_async_script("operator.press(arguments[0], arguments[1]).then(arguments[2])", hand, key)

    def log(self) -> list[str]:
        """What the page complained about."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]


def wait(what: str, poll: Callable[[], T | None], seconds: float = 60.0, else_: Callable[[], object] = lambda: "") -> T:
    """Poll until it is something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = poll()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {seconds} s. {else_()}")


@contextmanager
def browser(headset: str = "metaQuest3") -> Iterator[Browser]:
    """A fresh browser; `headset` is one of IWER's devices, or "" for a browser without WebXR."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
        try:
            script = "Object.defineProperty(navigator, 'xr', {value: undefined});"
            if headset:
                script = f"{RUNTIME.read_text()}\nconst DEVICE = {headset!r};\n{HEADSET.read_text()}"
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
            yield Browser(driver)
        finally:
            driver.quit()
