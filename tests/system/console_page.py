"""The console's command, and a page of it in a real browser, as the journeys beside this file have them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from selenium.webdriver.common.action_chains import ActionChains

import station
from station.files import settings
from station.rig.rig import find_rig
from tests.drivers.vr.browser import Browser, browser, wait
from tests.system.rig import Booted

SIZE = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
Shoot = Callable[[Browser, str], object]


class Console:
    """The command, and the link that it prints; interrupted where its context ends."""

    def __init__(self, rig: Path | None, role: str = "operator", person: str = "ada") -> None:
        """`rig`: its file; None: this computer's own, if it has one. `person`: whose link it prints, "" for one that names nobody."""
        self._words = [sys.executable, "-m", "station.cli", "console", "--at-rig", "--role", role]
        self._words += ["--rig", str(rig)] if rig is not None else []
        self._words += ["--for", person] if person else []
        self.begin()

    def begin(self) -> None:
        """Start it, once more if it was ended."""
        self.process = subprocess.Popen(self._words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = next(line for line in self.process.stdout if line.startswith("http")).strip()

    def end(self, number: signal.Signals) -> None:
        """Send that, and wait for its end."""
        self.process.send_signal(number)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGINT)


@contextmanager
def paired(url: str) -> Iterator[Browser]:
    """A browser as large as a laptop that has opened the link; nothing that happens in it may be complained about."""
    with browser(headset="") as page:
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        page.open(url)
        yield page
        complaints = page.log()
        assert not complaints, complaints


@contextmanager
def at_the_page(rig: Booted, role: str = "operator", person: str = "ada") -> Iterator[tuple[Console, Browser]]:
    """A console, and somebody before its page who holds control of a rig at rest, and leaves it so."""
    with Console(rig.rig.file, role, person) as console, paired(console.url) as page:
        phase(page, "ended")
        take_control(page)
        yield console, page
    wait("the rig as it was", lambda: rig.phase() == "ended")


@contextmanager
def port_of_its_own(folder: Path) -> Iterator[None]:
    """Settings of a computer whose console listens where nobody else does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    settings.path().parent.mkdir(parents=True, exist_ok=True)
    settings.path().write_text(f"console: {{port: {port}}}\nvoice: 'off'\n")
    try:
        yield
    finally:
        os.environ.pop("XDG_CONFIG_HOME") if before is None else os.environ.update(XDG_CONFIG_HOME=before)


def full_rig(folder: Path, like: str) -> Path:
    """A simulated rig with all its cameras, its data in that folder."""
    file = folder / "aloha.yaml"
    described = yaml.safe_load(find_rig(like).read_text())
    file.write_text(yaml.safe_dump(described | {"name": "aloha", "data": str(folder / "data")}, sort_keys=False))
    return file


_PATHS = """
const [station, temporary] = arguments, texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const own = new RegExp(`${temporary}/\\\\w+/`, 'g');
while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(station, '/opt/station').replace(own, '/home/ada/');
"""


def into(folder: Path) -> Shoot:
    """Pictures go there; where whoever draws them keeps things is nobody's concern."""

    def shoot(page: Browser, name: str) -> None:
        page.js(_PATHS, str(Path(station.__file__).parents[1]), tempfile.gettempdir())
        page.driver.save_screenshot(str(folder / f"{name}.png"))

    return shoot


# -- what somebody before it does, and waits for --


def phase(page: Browser, word: str) -> None:
    """Wait until the page says so; where it does not, what it says instead."""

    def said() -> object:
        live, told = "document.querySelector('.page')?.dataset.live", "document.querySelector('.told')?.textContent"
        return page.js(f"const s = app.store.state?.session; return [{live}, s?.phase, s?.why, {told}]"), page.log()

    wait(
        word, lambda: page.js("return document.querySelector('.page')?.dataset.phase === arguments[0]", word), 120, said
    )


def key(page: Browser, one: str) -> None:
    """As an operator presses it: a page that has heard nothing for two seconds takes no key but HOLD's, and says so."""
    page.until("a live page", "return document.querySelector('.page')?.dataset.live === 'live'")
    page.js("document.activeElement?.blur()")
    ActionChains(page.driver).send_keys(one).perform()


def press(page: Browser, button: str) -> None:
    """Click what is there once it may be clicked."""
    page.until(
        f"{button} may be pressed",
        "return document.querySelector(arguments[0] + ':not(:disabled)')",
        button,
        seconds=60,
    )
    page.js("document.querySelector(arguments[0]).click()", button)


_TAKEN = """
const [mine, other] = ['.control.mine', '.control:not(.mine) button:not(:disabled)'].map((one) => document.querySelector(one));
other?.click();
return mine;
"""
"""Looked and pressed at once: a moment later the same button may be there to give control away."""


def take_control(page: Browser) -> None:
    """As soon as the page is live: its buttons are off until then."""
    page.until("control", _TAKEN)


def rows(page: Browser, more_than: int) -> int:
    """Wait for more of them in the take that is recorded; how many there are."""
    page.until("rows", f"return app.store.state?.session?.recorded_ticks > {more_than}", seconds=120)
    return int(page.js("return app.store.state.session.recorded_ticks"))


def episodes_saved(page: Browser, episodes: int) -> None:
    """Wait until so many of the sitting are, and none is being built."""
    page.until(
        f"{episodes} saved",
        "return app.store.state.session.saved === arguments[0] && app.store.state.session.finalising === 0",
        episodes,
        seconds=300,
    )
