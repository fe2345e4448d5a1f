"""Setting a rig up from a page, without a browser: what is looked for and when, which commands are begun, what jobs ask in words."""

import asyncio
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from station.bus.requests import Who
from station.console import setup, wire
from station.console.acts import Acts
from station.console.archive import Archive
from station.console.hub import Hub
from station.console.jobs import SAID, Jobs
from station.console.seats import Seat
from station.errors import RequestRefused, StationError, UsageError
from station.rig.discovery import Discovered, Found
from station.rig.rig import no_rig, own_rigs
from station.steps.protocol import End, Line, Step, Typed
from tests.station.console.served import Console, served
from tests.station.console.stage import Staged

CAMERA = Found("camera", "C\u202e922", "/dev/video0", "/dev/video0", "C1", suggestion=("cam_high: {}",))


class Asks:
    """A job that asks for a name and ends; what it began with."""

    began: Sequence[str] = ()

    def __init__(self, arguments: Sequence[str], quiet: bool, looks: bool) -> None:
        assert quiet and looks
        Asks.began = arguments
        self.end = End(0)
        self.given: list[str] = []
        self._over = threading.Event()

    def lines(self) -> Iterator[Line]:
        for number in range(1, SAID + 3):
            yield Step(number, f"line {number}")
        yield Step(99, "its name", ("skip",), typed=Typed("[a-z]+", "only a–z"), suggested="cam")
        assert self._over.wait(20)
        yield self.end

    def answer(self, step: Step, answer: str) -> None:
        assert step.allows(answer)
        self.given.append(answer)
        self._over.set()

    def stop(self) -> None:
        self._over.set()

    def wait(self) -> int:
        return 0

    def close(self) -> None:
        self._over.set()


class Page:
    """What every page is told, and the console's part that tells it."""

    def __init__(self, folder: Path) -> None:
        self.told: list[dict[str, Any]] = []
        self.hub = Staged(folder / "data")
        self.jobs = Jobs(self.told.append, lambda _: None)
        self.setup = setup.Setup(self.hub, self.jobs, self.told.append, lambda: 7.0)

    async def ask(self, said: wire.OfSetup) -> None:
        await self.setup.act(said, "ada", "ada")

    async def job(self, true: Any) -> dict[str, Any]:
        while self.jobs.told is None or not true(self.jobs.told):
            await asyncio.sleep(0.005)
        return self.jobs.told


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    for name in ("CONFIG_HOME", "RUNTIME_DIR", "STATE_HOME"):
        monkeypatch.setenv(f"XDG_{name}", str(tmp_path / name))
    monkeypatch.setattr("station.console.jobs.Job", Asks)
    own_rigs().mkdir(parents=True)
    (own_rigs() / "mine.yaml").write_text("name: mine")
    Asks.began = ()
    return Page(tmp_path)


def test_what_is_found_is_told_to_all_and_one_looks_at_a_time(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    async def looks() -> None:
        may = asyncio.Event()

        async def found(ports: tuple[str, ...]) -> Discovered:
            await may.wait()
            if ports:
                raise StationError("it went away")
            return Discovered((CAMERA,), ("bad",))

        monkeypatch.setattr(setup, "_discovered", found)
        looking = asyncio.create_task(page.ask(wire.Find(1)))
        await asyncio.sleep(0)
        with pytest.raises(RequestRefused, match="ada looks already"):
            await page.ask(wire.Find(2))
        with pytest.raises(RequestRefused, match="ada looks already"):
            await page.ask(wire.NewRig(2, "lab"))
        may.set()
        await looking
        first, *_, last = page.told
        assert (first["looking"], last["looking"], last["at_s"], last["failures"]) == (True, False, 7.0, ["bad"])
        (thing,) = last["found"]
        assert (thing["model"], thing["usable"]) == ("C\\u202e922", True), "what a device says is shown as what it is"
        with pytest.raises(StationError, match="it went away"):
            await page.ask(wire.Find(3, ("/dev/x",)))
        assert page.told[-1] == {**last, "by": "ada"}, "what was found before is there still"

    asyncio.run(looks())


def test_while_the_rig_is_up_its_ports_are_its_drivers(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hub, "up", True)
    for said in (wire.Find(1), wire.NewRig(1, "lab"), wire.TryRig(1, "mine")):
        with pytest.raises(RequestRefused, match=r"rig bench is up.*station stop --rig bench"):
            asyncio.run(page.ask(said))
    page.hub.heard.session = page.hub.session
    with pytest.raises(RequestRefused, match="a sitting is open, and comes first"):
        asyncio.run(page.ask(wire.NewRig(1, "lab")))
    assert Asks.began == ()


@pytest.mark.parametrize("name", ["../lab", "--out=/tmp/x", "a" * 200, "mine", "sim"])
def test_a_name_that_is_none_or_taken_begins_nothing(page: Page, name: str) -> None:
    with pytest.raises(StationError, match=r"is no name for a rig|stays as it is|there is a rig sim already"):
        asyncio.run(page.ask(wire.NewRig(1, name)))
    if name != "mine":
        with pytest.raises(UsageError, match="is none of your rigs"):
            asyncio.run(page.ask(wire.TryRig(1, name)))
    assert Asks.began == ()


def test_options_are_one_word_each_and_what_is_typed_must_fit(page: Page) -> None:
    async def asks() -> None:
        await page.ask(wire.NewRig(1, "lab", ("/dev/ttyUSB0", "--out=x")))
        assert Asks.began == ["rig", "new", "--port=/dev/ttyUSB0", "--port=--out=x", "--", "lab"]
        told = await page.job(lambda job: job["typed"])
        assert (told["typed"], told["suggested"]) == ({"pattern": "[a-z]+", "fits": "only a–z"}, "cam")
        assert told["said"] == tuple(f"line {number}" for number in range(3, SAID + 3)), "the newest of it"
        with pytest.raises(RequestRefused, match="rig new lab runs already, for ada"):
            await page.ask(wire.Find(2))
        with pytest.raises(RequestRefused, match=r"'\.\./x': only a–z"):
            page.jobs.answer(99, "../x")
        with pytest.raises(RequestRefused, match="nothing is asked like that any more"):
            page.jobs.answer(98, "cam")
        page.jobs.answer(99, "high")
        with pytest.raises(RequestRefused, match="nothing is asked like that any more"):
            page.jobs.answer(99, "late")
        ended = await page.job(lambda job: not job["running"])
        assert (ended["typed"], ended["of"], ended["code"]) == (None, "lab", 0)
        await page.ask(wire.TryRig(3, "mine"))
        assert Asks.began == ["rig", "try", "--operator=ada", "--", "mine"]
        page.jobs.end()
        await page.job(lambda job: not job["running"])

    asyncio.run(asks())


def test_without_a_rig_nothing_of_it_is_checked_or_calibrated(page: Page) -> None:
    page.hub.rig = no_rig()
    acts = Acts(page.hub, cast(Archive, None), page.jobs, page.setup)
    seat = Seat("1", "", "engineer", "ada", True, 0.0, 1.0)
    for said in (wire.Check(1), wire.Calibrate(1, "arms"), wire.Replay(1, "cube/0")):
        with pytest.raises(UsageError, match=r"this computer has no rig yet\. Next: .* Set-up page"):
            asyncio.run(acts.done(said, seat, Who("console")))
    assert Asks.began == ()


@pytest.mark.slow
def test_the_command_is_asked_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "command"

    def is_(body: str) -> None:
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(stat.S_IRWXU)

    monkeypatch.setattr(setup, "python", lambda *words: [str(command), *words])
    is_('test "$4" = "--port=/dev/x" && echo \'{"found": [], "failures": []}\'; exit 1')
    assert asyncio.run(setup._discovered(("/dev/x",))) == Discovered((), ()), "nothing found is an answer"
    is_("echo 'station: DeviceWrong' >&2; exit 1")
    with pytest.raises(StationError, match=r"^DeviceWrong$"):
        asyncio.run(setup._discovered(()))
    is_(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    monkeypatch.setattr(setup, "WITHIN_S", 0.5)
    with pytest.raises(StationError, match="nothing was heard within"):
        asyncio.run(setup._discovered(()))
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_new_page_is_told_what_was_found(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(_ports: tuple[str, ...]) -> Discovered:
        return Discovered((CAMERA,), ())

    monkeypatch.setattr(setup, "_discovered", found)

    async def looks(console: Console) -> None:
        async with await console.paired("engineer") as browser, console.page(browser) as one:
            await one.say({"type": "find", "id": 1})
            assert (await one.heard("answer"))["done"]
            await one.say({"type": "find", "id": 2, "ports": ["/dev/\x00"]})
            assert not (await one.heard("answer"))["done"]
        async with await console.paired("viewer") as browser, console.page(browser) as other:
            assert len((await other.heard("found"))["found"]) == 1

    served(tmp_path, looks)
