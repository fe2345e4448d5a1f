"""An operator's first takes in a real browser, against a rig that runs: `python -m tests.system.console_journey FOLDER` draws the guide's
pictures.

The real command serves the page; it is reloaded, and killed, in mid-take.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from station.episodes.labels import read_labels
from tests.drivers.vr.browser import Browser, wait
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
    take_control,
)
from tests.system.rig import Booted, booted

TASK = "cube_handover"


def journey(rig: Booted, shoot: Shoot = lambda _page, _name: None) -> None:
    """Pair, begin, record a success, reload, stop and kill in mid-take, take the last one back, play the first."""
    with at_the_page(rig) as (console, page):
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
        episodes_saved(page, 1)
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
        console.begin()
        phase(page, "recording")
        assert rows(page, before) > before, "it went on meanwhile"
        assert all("/link" in line for line in page.log()), "it was gone for a while, and nothing else"
        take_control(page)  # it may have been silent for too long meanwhile
        key(page, "f")
        episodes_saved(page, 2)

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
    page.until("its card", "return app.player.detail.card && document.querySelector('.health .findings')")
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


def main(folder: Path) -> None:
    """The pictures of the guide, on the rig whose cameras see a scene."""
    with tempfile.TemporaryDirectory(prefix="j", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = full_rig(Path(place), "sim")
        with booted(file, Path(place) / "data") as rig:
            journey(rig, into(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
