"""Every page of the console, and how a test gets there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from station.episodes import collection_file
from station.episodes.labels import add_note
from station.files import check_results
from station.files.check_results import CheckResult, Finding, StoredCheck
from tests.drivers.vr.browser import Browser, browser
from tests.station.console.kept_policies import evaluated, own, vector
from tests.station.console.stage import RIG, Stage
from tests.station.datasets.recorded import Recorded, make

LAPTOP, TABLET = (1280, 800), (820, 1180)
AXE = Path(__file__).parents[3] / "drivers/vr/node_modules/axe-core/axe.min.js"


class Page(NamedTuple):
    """One of them: its address, and what is there once it is drawn."""

    address: str
    there: str


PAGES = (
    Page("#/now", ".tiles .tile.ok"), Page("#/episodes", "[data-episode]"), Page("#/episodes/cube/0", ".trace canvas"),
    Page("#/trash", ".none"), Page("#/plan/cube", "[data-row]"),
    Page("#/check", "[data-device]"), Page("#/rig", "[data-node]"), Page("#/rig/follower_left", "td.bad"),
    Page("#/policies", "[data-policy=my-act]"), Page("#/policies/swapped", ".compared tr.bad"),
    Page("#/policies?eval=first", "[data-trial]"),
    Page("#/rig?log=", ".log, .health p"), Page("#/setup", ".setup .banner"), Page("#/wall", ".wall .tile.ok"),
)  # fmt: skip


NOTE = "<b>slipped</b><script>window.run = 1</script><img src=x onerror='window.run = 1'>"


def record(data: Path) -> None:
    """Four episodes: a longer one, a failure, and two that nobody judged, the last with a note that is no markup."""
    for number in range(4):
        rows, success = (150 if number == 0 else 20), (True, False, None, None)[number]
        said = Recorded(rows=rows, episode=number, success=success, operator=("ann", "ben")[number % 2])
        path = make(data, said)
    add_note(path, NOTE)
    plan(data)


PLAN = """each: 2
scenes: [left, right]
objects: [red cube]
places: {left: {cam_high: [0.25, 0.5]}}
"""


def plan(data: Path) -> None:
    """The task's collection plan, of which nothing was recorded yet."""
    collection_file.keep(data / "cube", PLAN)


def policies(data: Path) -> None:
    """A policy that fits the rig, one that does not, one that cannot be read; and an evaluation."""
    names = list(vector().names)
    own(data)
    own(data, "swapped", dim_names=[names[1], names[0], *names[2:]], cameras=["cam_top"])
    own(data, "broken", rate_hz=0)
    evaluated(data)


def check() -> None:
    """The rig's last check: it warned."""
    findings = (
        Finding("cam_high", "moved", "warn", 1.8, "mm", 1.5, "look at its mount, or take another reference picture"),
        Finding("follower_left", "zero", "pass", 0.2, "deg", 0.5, ""),
    )
    check_results.store(RIG.name, StoredCheck(RIG.sha256, 1_800_000_000.0, CheckResult("warn", findings)))


@contextmanager
def paired(stage: Stage, port: int | None = None, **who: Any) -> Iterator[Browser]:
    """A browser with a seat, as large as a laptop. `port`: where it finds the console, if not where that listens."""
    with browser(headset="") as page:
        size(page, LAPTOP)
        page.open(stage.link(**who).replace(f":{stage.port}/", f":{port or stage.port}/"))
        page.until("the Now page", "return document.querySelector('.page.now')")
        yield page


def take_control(page: Browser) -> None:
    """As soon as the page is live: its buttons are off until then."""
    page.until("a live page", "return document.querySelector('.control button:not(:disabled)')")
    page.js("document.querySelector('.control button').click()")
    page.until("control", "return document.querySelector('.control.mine')")


def size(page: Browser, of: tuple[int, int]) -> None:
    """Of the window's inside, CSS pixels."""
    metrics = {"width": of[0], "height": of[1], "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def theme(page: Browser, name: str) -> None:
    """light or dark."""
    features = [{"name": "prefers-color-scheme", "value": name}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def go(page: Browser, address: str) -> None:
    """To another page, as a link leads there."""
    page.js("location.hash = arguments[0]", address)


def show(page: Browser, which: Page) -> None:
    """Go there and wait until it is drawn."""
    go(page, which.address)
    page.until(which.address, "return document.querySelector(arguments[0])", which.there)


def faults(page: Browser) -> list[str]:
    """What axe finds serious or critical, a line each."""
    if not page.js("return Boolean(window.axe)"):  # past the page's own rules, which let nothing in
        page.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text()})
    found = page.driver.execute_async_script("axe.run(document).then(({violations}) => arguments[0](violations))")
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
