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
import numpy as np
import yaml
from selenium.webdriver.common.action_chains import ActionChains

from station.episodes.labels import read_labels
from station.files import settings
from station.rig.rig import find_rig
from tests.drivers.vr.browser import Browser, browser, wait
from tests.system.rig import Booted, booted

TASK = "cube_handover"
SIZE = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
Shoot = Callable[[Browser, str], object]


class Console:
    """The command, and the link that it prints."""

    def __init__(self, rig: Path, role: str = "operator") -> None:
        words = [
            sys.executable,
            "-m",
            "station.cli",
            "console",
            "--rig",
            str(rig),
            "--for",
            "ada",
            "--at-rig",
            "--role",
            role,
        ]
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


def full_rig(folder: Path, like: str) -> Path:
    """A simulated rig with all its cameras, its data in that folder."""
    file = folder / "aloha.yaml"
    described = yaml.safe_load(find_rig(like).read_text())
    file.write_text(yaml.safe_dump(described | {"name": "aloha", "data": str(folder / "data")}, sort_keys=False))
    return file


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
    """Pair, begin, record a success, reload, stop and kill in mid-take, take the last one back, play the first."""
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
            console.process.send_signal(signal.SIGSTOP)
            phase(page, "silent")
            console.process.send_signal(signal.SIGCONT)
            phase(page, "recording")
            before = rows(page, before)
            assert page.log() == []
            console.end(signal.SIGKILL)
            page.until("no link", "return document.documentElement.dataset.link !== 'open'")
            phase(page, "silent")
            shoot(page, "console-not-live")
            console = Console(file)
            phase(page, "recording")
            assert rows(page, before) > before, "it went on meanwhile"
            assert all("/link" in line for line in page.log()), "it was gone for a while, and nothing else"
            take_control(page)  # it may have been silent for too long meanwhile
            key(page, "f")
            page.until(
                "it is saved",
                "return app.store.state.session.saved === 2 && app.store.state.session.finalising === 0",
                seconds=300,
            )

            with h5py.File(rig.data / TASK / "episode_1.hdf5") as saved:
                ticks = saved["/timestamps/tick"][()]
                assert len(ticks) > before and set(np.diff(ticks)) == {20_000_000}, "not a row is missing"
            key(page, "u")
            page.until("the question", "return document.querySelector('.ask')")
            key(page, "y")
            page.until("it is taken back", "return app.store.state.session.saved === 1")
            assert episode.exists() and not (rig.data / TASK / "episode_1.hdf5").exists()
            assert (rig.data / TASK / "episode_1.hdf5.deleted").exists()
            plays(page, rig, shoot)
            page.js("document.querySelector('.hold').click()")
            phase(page, "hold")
            page.js("location.hash = '#/now'")
            phase(page, "hold")
            shoot(page, "console-hold")
            key(page, "q")
            phase(page, "ended")
            complaints = page.log()
            assert not complaints, complaints
    finally:
        console.end(signal.SIGINT)
    wait("the rig as it was", lambda: rig.phase() == "ended")


def plays(page: Browser, rig: Booted, shoot: Shoot) -> None:
    """The Episodes page beside a sitting: the first take is there, whole, played to its end, labelled; the other is in the trash."""
    page.js("location.hash = '#/episodes'")
    page.until("the first take", "return document.querySelectorAll('[data-episode]').length === 1")
    page.until(
        "its pictures", "return [...document.querySelectorAll('.thumbs img')].every((one) => one.naturalWidth > 0)"
    )
    shoot(page, "console-episodes")
    page.js(f"location.hash = '#/episodes/{TASK}/0?row=100'")
    page.until(
        "pictures of its row",
        "return app.player?.detail && [...app.player.cameras.values()].every(({drawn}) => drawn > 80)",
    )
    page.until("joints", "return document.querySelectorAll('.trace canvas').length === 2")
    shoot(page, "console-episode")
    page.js("document.querySelector('[data-act=play]').click()")
    page.until("its end", "return !app.player.playing && app.player.row === app.player.detail.rows - 1", seconds=120)
    page.js("document.querySelector('[data-act=no]').click()")
    wait("a verdict", lambda: (labels := read_labels(rig.data / TASK / "episode_0.hdf5")) and labels.success is False)
    page.js("location.hash = '#/trash'")
    page.until("the take that was taken back", "return document.querySelector('[data-episode$=deleted]')")
    for place, there in (("check", ".banner"), ("rig", "[data-node=synchronizer]"), ("wall", ".wall .tile.ok")):
        page.js("location.hash = arguments[0]", f"#/{place}")
        page.until(place, "return document.querySelector(arguments[0])", there)
        shoot(page, f"console-{place}")


def into(folder: Path) -> Shoot:
    """Pictures go there."""
    return lambda page, name: page.driver.save_screenshot(str(folder / f"{name}.png"))


def main(folder: Path) -> None:
    """The pictures of the guide, on the rig whose cameras see a scene."""

    shoot = into(folder)
    with tempfile.TemporaryDirectory(prefix="j", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = full_rig(Path(place), "sim")
        with booted(file, Path(place) / "data") as rig:
            journey(rig, file, shoot)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
