"""Two policies judged blind by a person in a real browser, against a rig that runs: verdicts by button, each trial's episode."""

import csv
import json
from pathlib import Path

import h5py

from station.console.policies import EVALUATIONS
from station.files.log_reading import merged, nodes
from station.files.logs import logs_folder
from tests.drivers.vr.browser import Browser
from tests.system.console_page import Shoot, at_the_page, press
from tests.system.rig import Booted

JUDGED = ("calm", "brisk")
"""Names that stand nowhere else: what a log says of one of them, it says because of this evaluation."""
NAME = "by_eye"


def judging(rig: Booted, shoot: Shoot = lambda _page, _name: None) -> None:
    """A trial of each, one a success and one a failure; which policy was which is told at the end, and nowhere before."""
    with at_the_page(rig, "engineer") as (_, page):
        page.js("location.hash = '#/policies'")
        begin(page)
        verdicts = {}
        for number, verdict in ((1, "success"), (2, "failure")):
            letter = under_way(page, number)
            verdicts[letter] = verdict == "success"
            if number == 2:
                shoot(page, "console-evaluation")
                names_nothing(page, rig)
            press(page, f"[data-answer={verdict}]")
        page.until("its end", "return app.store.job?.running === false", seconds=300)
        assert page.js("return app.store.job.code") == 0, page.js("return app.store.job.words")
        page.until("names", "return document.querySelector('[data-rate=calm]')")
        told = {
            name: page.js("return document.querySelector(`[data-rate=${arguments[0]}]`).textContent", name)
            for name in JUDGED
        }
        assert sorted(words.split("of")[0].strip()[-1] for words in told.values()) == ["0", "1"], told
        page.until("every trial", "return document.querySelectorAll('[data-trial] a').length === 2")
        page.js("document.querySelector('[data-trial=\"2\"] a').click()")
        page.until("its episode", "return app.player?.detail?.rows > 0")
    kept(rig.data / EVALUATIONS / NAME, verdicts)


def begin(page: Browser) -> None:
    """Tick both, ask for a trial of each, judged by a person."""
    page.until(
        "both", "return document.querySelectorAll('[data-policy=calm] input, [data-policy=brisk] input').length === 2"
    )
    for name in JUDGED:
        page.js("document.querySelector(`[data-policy=${arguments[0]}] input`).click()", name)
    press(page, "[data-act=evaluate]")
    page.until("the form", "return document.querySelector('[name=blind]')?.checked")
    page.driver.find_element("css selector", "form.set [name=name]").send_keys(NAME)
    page.js("document.querySelector('[name=trials]').value = 1; document.querySelector('[name=by_hand]').click()")
    press(page, "[data-act=begin-evaluation]")


def under_way(page: Browser, number: int) -> str:
    """The letter of the policy that is tried: rows are being recorded, and a verdict is asked for."""
    page.until(
        f"trial {number}",
        "return document.querySelector('[data-about]')?.textContent.startsWith(arguments[0]) && "
        "app.store.state.session.phase === 'recording' && app.store.state.session.recorded_ticks > 50",
        f"trial {number} of 2, ",
        seconds=300,
    )
    letter = str(page.js("return document.querySelector('[data-about]').textContent")).rpartition(", ")[2].rstrip(":")
    assert letter in ("A", "B"), letter
    return letter


def names_nothing(page: Browser, rig: Booted) -> None:
    """Neither a log, nor the page, nor what the bus tells it."""
    folder = logs_folder(rig.rig.name)
    for line in merged(folder, nodes(folder)):
        named = [name for name in JUDGED if name in line.text]
        assert len(named) != 1, f"{line.node} tells {named}: {line.text}"
    assert page.js("return app.policies.runner.blind && app.store.state.session.source === 'policy'")
    heard = json.dumps(page.js("return [app.store.state, app.policies.runner, app.policies.evaluation, app.store.job]"))
    assert not any(name in heard for name in JUDGED), heard
    rates = page.js("return [...document.querySelectorAll('[data-rate]')].map((row) => row.dataset.rate)")
    assert set(rates) <= {"A", "B"} and rates, "of the trial that was made, by its letter"


def kept(folder: Path, verdicts: dict[str, bool]) -> None:
    """What was said of each letter is said of one policy, in the results and in the episodes, which name it."""
    with (folder / "trials.csv").open() as file:
        trials = list(csv.DictReader(file))
    assert [trial["success"] for trial in trials] == [str(int(said)) for said in verdicts.values()]
    assert sorted(trial["policy"] for trial in trials) == sorted(JUDGED)
    for trial in trials:
        with h5py.File(folder / trial["episode"]) as episode:
            assert (
                f"/{trial['policy']}," in str(episode.attrs["policy"])
                and str(episode.attrs["success"]) == trial["success"]
            )
