"""The Set-up page in a real browser: what is found, a rig file asked for step by step, each answer once, with what is seen meanwhile."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from station.console import setup
from station.rig.discovery import Discovered, Found
from station.steps.protocol import End, Line, Look, Step, Typed
from tests.drivers.vr.browser import Browser, wait
from tests.station.console.page import colour, pages
from tests.station.console.page.pages import go
from tests.station.console.served import PICTURE
from tests.station.console.stage import AT_REST, Stage, staged

pytestmark = pytest.mark.timeout(300)
NAME = Typed("[a-z][a-z0-9_]{0,23}", "a–z, 0–9 and _")
FOUND = Discovered(
    (
        Found("arm", "wx250s (U2D2)", "/dev/ttyUSB0", "/dev/ttyDXL_leader_left", "FT1", ("at 1000000 baud: 9 servos",), ("leader: {}",)),
        Found("adapter", "<b>CH340</b>", "/dev/ttyUSB1", "/dev/ttyUSB1", "", ("nobody answers",), (), ("check the arm's power",)),
        Found("camera", "C922", "/dev/video0", "/dev/video0", "C1", ("MJPG 640×480@30/60",), ("cam_high: {}",)),
    ),
    ("realsense: no SDK. Next: install it",),
)  # fmt: skip


class NewRig:
    """`station rig new`, as far as a page sees it: two questions, and what is seen at each."""

    began: Sequence[str] = ()
    given: list[str]

    def __init__(self, arguments: Sequence[str], quiet: bool, looks: bool) -> None:
        assert quiet and looks
        NewRig.began, NewRig.given = arguments, []
        self.end: End | None = None
        self._answered = threading.Semaphore(0)
        self._stopped = False

    def lines(self) -> Iterator[Line]:
        yield Step(1, "found 1 arms and 1 cameras")
        yield Step(2, "wx250s on /dev/ttyUSB0: which side", ("skip",), typed=NAME, suggested="left")
        yield Look("this one moved: waist, 16°", "", {"waist_deg": 12.5, "elbow_deg": -3.0})
        self._answered.acquire()
        if not self._stopped:
            yield Step(3, "C922 on /dev/video0: its name", ("skip",), typed=NAME, suggested="left")
            yield Look("what it sees now", PICTURE)
            self._answered.acquire()
        if not self._stopped:
            yield Step(4, "/rigs/lab.yaml written")
            yield Step(5, "Next: check it")
        self.end = End(1, "interrupted") if self._stopped else End(0)
        yield self.end

    def answer(self, step: Step, answer: str) -> None:
        assert step.allows(answer)
        self.given.append(answer)
        self._answered.release()

    def stop(self) -> None:
        self._stopped = True
        self._answered.release()

    def wait(self) -> int:
        return 0

    def close(self) -> None:
        self.stop()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("setup")

    async def found(ports: tuple[str, ...]) -> Discovered:
        asked.append(ports)
        return FOUND

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setattr("station.console.jobs.Job", NewRig)
        patch.setattr(setup, "_discovered", found)
        rigs = Path(folder / "config" / "station" / "rigs")
        rigs.mkdir(parents=True)
        (rigs / "taken.yaml").write_text("precious")
        with staged(folder) as stage:
            yield stage


asked: list[tuple[str, ...]] = []


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[Browser]:
    with pages.paired(stage, role="engineer") as page:
        yield page


@pytest.fixture
def down(stage: Stage, page: Browser) -> Iterator[None]:
    """The rig is not up, and the page knows it."""
    stage.hub.silent = True
    go(page, "#/setup")
    page.until("that nothing is live", "return document.querySelector('.page').dataset.live === 'dead'")
    yield
    stage.hub.silent = False
    stage.do(lambda: setattr(stage.hub, "session", AT_REST))


def click(page: Browser, what: str) -> None:
    page.until(what, "return document.querySelector(`${arguments[0]}:not(:disabled)`)", what)
    page.js("document.querySelector(arguments[0]).click()", what)


def write(page: Browser, name: str, text: str) -> None:
    field = page.driver.find_element("css selector", f"[name={name}]")
    field.clear()
    field.send_keys(text)


def told(page: Browser, words: str) -> None:
    page.until(words, "return document.querySelector('.told').textContent.includes(arguments[0])", words)


def test_while_the_rig_is_up_nothing_is_looked_for_and_it_says_why(stage: Stage, page: Browser) -> None:
    go(page, "#/setup")
    page.until(
        "why", "return document.querySelector('.setup .banner')?.textContent.includes('its ports are its drivers’')"
    )
    assert page.js("return document.querySelectorAll('[data-act=find]:disabled, [data-act=new]:disabled').length") == 2
    assert pages.faults(page) == []


def test_what_is_found_stands_there_with_what_to_do(stage: Stage, page: Browser, down: None) -> None:
    write(page, "ports", "/dev/ttyUSB0, /dev/ttyUSB1")
    click(page, "[data-act=find]")
    page.until("what is there", "return document.querySelectorAll('[data-thing]').length === 3")
    assert asked[-1] == ("/dev/ttyUSB0", "/dev/ttyUSB1")
    assert page.js("return [...document.querySelectorAll('[data-thing]')].map((one) => one.className)") == [
        "ok",
        "warn",
        "ok",
    ]
    silent = page.js("return document.querySelector('[data-thing=\"/dev/ttyUSB1\"]').textContent")
    assert "<b>CH340</b>" in silent and "▲ check the arm's power" in silent
    assert "no SDK" in page.js("return document.querySelector('.setup .trouble').textContent")
    assert pages.faults(page) == []
    with pages.paired(stage, role="operator", person="ben") as other:
        go(other, "#/setup")
        other.until("the same", "return document.querySelectorAll('[data-thing]').length === 3")
        assert other.js("return document.querySelector('[data-act=find]')") is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../lab", "is no name for a rig"),
        ("a" * 200, "is no name for a rig"),
        ("taken", "stays as it is"),
        ("sim", "there is a rig sim already"),
    ],
)
def test_a_name_that_is_none_or_taken_begins_nothing(page: Browser, down: None, name: str, why: str) -> None:
    NewRig.began = ()
    write(page, "name", name)
    click(page, "[data-act=new]")
    told(page, why)
    assert NewRig.began == ()


def test_a_rig_file_is_asked_for_step_by_step_and_each_question_answered_once(
    stage: Stage, page: Browser, down: None
) -> None:
    write(page, "ports", "/dev/ttyUSB0")
    write(page, "name", "lab")
    click(page, "[data-act=new]")
    field = "document.querySelector('[name=typed]')"
    page.until("the first question", f"return {field}?.value === 'left'")
    assert NewRig.began == ["rig", "new", "--port=/dev/ttyUSB0", "--", "lab"]
    assert page.js(f"return document.activeElement === {field}"), "one types at once"
    page.until(
        "what moves", "return document.querySelector('figure.look')?.textContent.includes('this one moved: waist')"
    )
    assert "12.5" in page.js("return document.querySelector('figure.look table').textContent")
    assert pages.faults(page) == []
    write(page, "typed", "Left!")
    page.js("document.querySelector('[data-act=answer]').click()")
    assert page.js(f"return {field}.validity.patternMismatch") and NewRig.given == []
    page.js("app.ask('answer', 'x', {type: 'answerstep', step: 2, answer: '../x'})")  # past the field's own rules
    told(page, "a–z, 0–9 and _")
    write(page, "typed", "right")
    page.driver.refresh()
    page.until("the question again", f"return {field}?.value === 'left'")
    with pages.paired(stage, person="ben") as other:
        go(other, "#/setup")
        other.until("the question there", f"return {field}?.value === 'left'")
        write(page, "typed", "right")
        page.js("document.querySelector('[data-act=answer]').click()")
        page.until("the second question", "return document.querySelector('.job')?.textContent.includes('its name')")
        assert page.js(f"return {field}.value") == "left", "what was typed was for the first"
        page.until("its picture", "return document.querySelector('figure.look img')?.naturalWidth === 320")
        other.until("the same there", "return document.querySelector('.job').textContent.includes('its name')")
        other.js("app.ask('answer', 'late', {type: 'answerstep', step: 2, answer: 'late'})")
        told(other, "nothing is asked like that any more")
        other.js("document.querySelector('[data-answer=skip]').click()")
    page.until("its end", "return document.querySelector('.setup')?.textContent.includes('The file of lab is written')")
    assert NewRig.given == ["right", "skip"]
    said = page.js("return document.querySelector('.said').textContent")
    assert "/rigs/lab.yaml written" in said and "Next" not in said, "that stands above it"
    assert pages.faults(page) == []
    (stage.data.parent / "config/station/rigs/lab.yaml").write_text("name: lab")
    click(page, "[data-act=try]")
    wait("trying it", lambda: NewRig.began == ["rig", "try", "--operator=ada", "--", "lab"])
    page.js("[...document.querySelectorAll('.job button')].find((one) => one.textContent === 'end it').click()")
    page.until("its end", "return app.store.job.running === false")
    assert page.log() == []


@pytest.mark.rig
def test_what_is_found_and_a_question_in_each_size_and_theme(page: Browser, down: None) -> None:
    click(page, "[data-act=find]")
    page.until("what is there", "return document.querySelectorAll('[data-thing]').length === 3")
    in_each_size_and_theme(page, "found")
    write(page, "name", "other")
    click(page, "[data-act=new]")
    page.until("what moves", "return document.querySelector('figure.look table')")
    in_each_size_and_theme(page, "a question")
    page.js("document.querySelector('[data-answer=skip]').click()")
    page.until("a picture", "return document.querySelector('figure.look img')?.naturalWidth === 320")
    in_each_size_and_theme(page, "a picture")
    page.js("document.querySelector('[data-answer=skip]').click()")
    page.until("its end", "return document.querySelector('[data-act=try]')")
    in_each_size_and_theme(page, "written")


def in_each_size_and_theme(page: Browser, what: str) -> None:
    """Nothing that some cannot use, HOLD in reach, no wider than the window; on a laptop no higher either."""
    for of in (pages.TABLET, (640, 400), pages.LAPTOP):
        pages.size(page, of)
        for name in ("light", "dark"):
            pages.theme(page, name)
            assert pages.faults(page) == [] and colour.alone(page) == [], (what, of, name)
            height, width = page.js("const d = document.documentElement; return [d.scrollHeight, d.scrollWidth]")
            assert width <= of[0] and (height <= of[1] or of != pages.LAPTOP), (what, of, height, width)
            assert page.js("return document.querySelector('.hold').getBoundingClientRect().width") > 100
