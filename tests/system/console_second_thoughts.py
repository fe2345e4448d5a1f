"""A take with a note and a pause in it, one thrown away, a session that stops answering; the trash and back, a training set: in a real
browser, against a rig that runs.
"""

import os
import signal
import subprocess
import sys
import time

import h5py

from station.episodes.labels import read_labels
from tests.drivers.vr.browser import Browser, wait
from tests.system.console_page import at_the_page, episodes_saved, key, phase, press, rows
from tests.system.rig import Booted

TASK = "second_thoughts"
SILENT_S = 2.0
"""After which a page says that nothing it shows is live."""


def second_thoughts(rig: Booted) -> None:
    """Record with a note and a pause, discard, hear nothing for a while; restore what was trashed, export what there is."""
    with at_the_page(rig) as (_, page):
        page.until("the form", "return document.querySelector('form.begin')")
        page.driver.find_element("css selector", "input[name=task]").send_keys(TASK)
        page.js("document.querySelector('[data-action=open]').click()")
        phase(page, "ready")
        noted_and_paused(page, rig)
        thrown_away(page, rig)
        silent_session(page, rig)
        key(page, "q")
        phase(page, "ended")
        trashed_and_back(page, rig)
        played_again(page)
        exported(page, rig)


def noted_and_paused(page: Browser, rig: Booted) -> None:
    """The rows of the pause are kept, and say hold; its card is the one that the command shows."""
    key(page, " ")
    phase(page, "recording")
    rows(page, 25)
    key(page, "n")
    page.until("a field", "return document.querySelector('form.note input')")
    page.driver.find_element("css selector", "form.note input").send_keys("slipped once\n")
    page.until("that it is noted", "return document.querySelector('.told').textContent.includes('done: note')")
    key(page, "p")
    phase(page, "paused")
    held = rows(page, 0)
    rows(page, held + 10)
    key(page, "p")
    phase(page, "recording")
    rows(page, rows(page, 0) + 25)
    key(page, "s")
    episodes_saved(page, 1)
    episode = rig.data / TASK / "episode_0.hdf5"
    labels = read_labels(episode)
    assert labels is not None and "slipped once" in labels.note
    with h5py.File(episode) as saved:
        names = list(saved["/control/source"].attrs["names"])
        sources = [names[source] for source in saved["/control/source"][()]]
    assert "hold" in sources and sources[-1] == "leader", "held in the midst, led to the end"
    shown = subprocess.run(
        [sys.executable, "-m", "station.cli", "episodes", "show", str(episode)],
        cwd=rig.data,
        env={**os.environ, "COLUMNS": "1000"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    headline = (
        next(line for line in shown.splitlines() if line.startswith("quality: ")).removeprefix("quality: ").strip()
    )
    page.js("location.hash = arguments[0]", f"#/episodes/{TASK}/0")
    page.until("the same card", "return document.body.textContent.includes(arguments[0])", headline)
    page.js("location.hash = '#/now'")


def thrown_away(page: Browser, rig: Booted) -> None:
    key(page, " ")
    phase(page, "recording")
    rows(page, 25)
    key(page, "d")
    page.until("it is discarded", "return app.store.state.session.discarded === 1")
    assert not (rig.data / TASK / "episode_1.hdf5").exists()


def silent_session(page: Browser, rig: Booted) -> None:
    """Its page says that nothing is live, every button but HOLD is off; it goes on where it was."""
    before = page.js("return document.querySelector('.page').dataset.phase")
    rig.signal("session", signal.SIGSTOP)
    began_s = time.monotonic()
    try:
        phase(page, "silent")
        assert time.monotonic() - began_s < SILENT_S + 8, "long before anybody would act on it"
        buttons = "[...document.querySelectorAll('.acts button, .control button')]"
        on = page.js(f"return {buttons}.filter((one) => !one.disabled).map((one) => one.className)")
        assert on == ["hold"], on
        assert page.js("return document.querySelector('.banner.bad').textContent").startswith("NOT LIVE for")
    finally:
        rig.signal("session", signal.SIGCONT)
    phase(page, before)


def trashed_and_back(page: Browser, rig: Booted) -> None:
    episode = rig.data / TASK / "episode_0.hdf5"
    page.js("location.hash = '#/episodes'")
    page.until("it", "return document.querySelector('[data-episode] input')")
    page.js("document.querySelector('[data-episode] input').click()")
    press(page, "[data-act=trash]")
    wait("it in the trash", lambda: not episode.exists())
    page.js("location.hash = '#/trash'")
    page.until("the trash", "return document.querySelector('[data-act=restore]')")
    first = (
        "[...document.querySelectorAll('[data-episode]')].find((row) => row.textContent.includes('second_thoughts 0'))"
    )
    page.until("it in the list", f"return {first}")
    page.js(f"{first}.querySelector('input').click()")
    press(page, "[data-act=restore]")
    wait(
        "it back",
        episode.exists,
        else_=lambda: page.js("return [location.hash, document.querySelector('.told')?.textContent]"),
    )


def played_again(page: Browser) -> None:
    """By the arms, once somebody has said that the way is clear."""
    page.js("location.hash = arguments[0]", f"#/episodes/{TASK}/0")
    press(page, "[data-act=replay]")
    page.until("the question", "return document.querySelector('.ask')?.textContent.includes('Is the way clear?')")
    page.js("document.querySelector('.ask button').click()")
    page.until("its end", "return app.store.job?.name === 'replay' && !app.store.job.running", seconds=120)
    code, words = page.js("return [app.store.job.code, app.store.job.words]")
    assert code == 0 and words.startswith("replayed "), words


def exported(page: Browser, rig: Booted) -> None:
    page.js("location.hash = '#/episodes'")
    page.until("it", "return document.querySelectorAll('[data-episode]').length === 1")
    press(page, "[data-act=select]")
    page.until("the form", "return document.querySelector('form.set [name=format]')")
    page.js("document.querySelector('form.set [name=format]').value = 'rlds'")
    page.driver.find_element("css selector", "form.set [name=name]").send_keys("picked\n")
    page.until("its end", "return app.store.job?.name === 'export' && !app.store.job.running", seconds=120)
    code, words = page.js("return [app.store.job.code, app.store.job.words]")
    assert code == 0, words
    assert any((rig.data.with_name(f"{rig.data.name}-sets") / "picked").rglob("*")), "there is something in it"
