"""An operator's first takes in a real browser, against a rig that runs: `python -m tests.system.console_journey FOLDER` draws the guide's
pictures.

The real command serves the page; it is reloaded, and killed, in mid-take.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
from selenium.webdriver.common.action_chains import ActionChains

from station.files import settings
from station.rig.rig import find_rig
from tests.drivers.vr.browser import Browser, browser, wait
from tests.system.rig import Booted, booted

TASK = "cube_handover"
SIZE = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
Shoot = Callable[[Browser, str], None]


class Console:
    """The command, and the link that it prints."""

    def __init__(self, rig: Path) -> None:
        words = [sys.executable, "-m", "station.cli", "console", "--rig", str(rig), "--for", "ada", "--at-rig"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = next(line for line in self.process.stdout if line.startswith("http")).strip()

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


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


def phase(page: Browser, word: str) -> None:
    page.until(word, "return document.querySelector('.page')?.dataset.phase === arguments[0]", word, seconds=120)


def key(page: Browser, one: str) -> None:
    page.js("document.activeElement?.blur()")
    ActionChains(page.driver).send_keys(one).perform()


def take_control(page: Browser) -> None:
    """As soon as the page is live: its buttons are off until then."""
    page.until("a live page", "return document.querySelector('.control button:not(:disabled)')")
    if not page.js("return Boolean(document.querySelector('.control.mine'))"):
        page.js("document.querySelector('.control button').click()")
    page.until("control", "return document.querySelector('.control.mine')")


def rows(page: Browser, more_than: int) -> int:
    page.until("rows", f"return app.store.state?.session?.recorded_ticks > {more_than}", seconds=120)
    return int(page.js("return app.store.state.session.recorded_ticks"))


def journey(rig: Booted, file: Path, shoot: Shoot = lambda _page, _name: None) -> None:
    """Pair, begin, record a success, reload and kill in mid-take, take the last one back."""
    console = Console(file)
    try:
        with browser(headset="") as page:
            page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
            page.open(console.url)
            phase(page, "ended")
            take_control(page)
            page.until("the form", "return document.querySelector('form.begin')")
            for name, text in (("task", TASK), ("operator", "ada"), ("episodes", "50")):
                page.driver.find_element("css selector", f"input[name={name}]").send_keys(text)
            page.until("pictures", "return app.tiles.pictures.size === app.store.welcome.rig.cameras.length")
            shoot(page, "console-begin")
            page.js("document.querySelector('[data-action=open]').click()")
            phase(page, "ready")

            key(page, " ")
            phase(page, "recording")
            rows(page, 200)
            shoot(page, "console-now")
            key(page, "s")
            page.until(
                "it is saved",
                "return app.store.state.session.saved === 1 && app.store.state.session.finalising === 0",
                seconds=300,
            )
            episode = rig.data / TASK / "episode_0.hdf5"
            with h5py.File(episode) as saved:
                assert saved.attrs["success"] == 1 and saved.attrs["operator"] == "ada"

            key(page, " ")
            phase(page, "recording")
            before = rows(page, 25)
            page.driver.refresh()
            phase(page, "recording")
            page.until("it holds control as before", "return document.querySelector('.control.mine')")
            before = rows(page, before)
            console.end(signal.SIGKILL)
            page.until("no link", "return document.documentElement.dataset.link !== 'open'")
            phase(page, "silent")
            shoot(page, "console-not-live")
            console = Console(file)
            phase(page, "recording")
            assert rows(page, before) > before, "it went on meanwhile"
            take_control(page)  # it may have been silent for too long meanwhile
            key(page, "f")
            page.until(
                "it is saved",
                "return app.store.state.session.saved === 2 && app.store.state.session.finalising === 0",
                seconds=300,
            )

            key(page, "u")
            page.until("the question", "return document.querySelector('.ask')")
            key(page, "y")
            page.until("it is taken back", "return app.store.state.session.saved === 1")
            assert episode.exists() and not (rig.data / TASK / "episode_1.hdf5").exists()
            assert (rig.data / TASK / "episode_1.hdf5.deleted").exists()
            page.js("document.querySelector('.hold').click()")
            phase(page, "hold")
            shoot(page, "console-hold")
            key(page, "q")
            phase(page, "ended")
            assert page.log() == []
    finally:
        console.end(signal.SIGINT)
    wait("the rig as it was", lambda: rig.phase() == "ended")


def main(folder: Path) -> None:
    """The pictures of the guide, on the bench rig with all its cameras."""

    def shoot(page: Browser, name: str) -> None:
        page.driver.save_screenshot(str(folder / f"{name}.png"))

    with tempfile.TemporaryDirectory(prefix="j", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = Path(place) / "aloha.yaml"
        text = find_rig("bench").read_text().replace("name: bench", "name: aloha")
        file.write_text(text + f"\ndata: {place}/data\n" if "\ndata:" not in text else text)
        with booted(file, Path(place) / "data") as rig:
            journey(rig, file, shoot)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
