"""The console without a browser: roles, words, pictures, how many pages there may be; what attackers try is in `test_attacks`."""

import asyncio
from pathlib import Path
from typing import Any, get_args

import aiohttp
import msgspec
import pytest

from station.bus.messages import Control, PolicyState
from station.bus.requests import AskLeave, Refused, StillThere, TakeControl
from station.console import wire
from station.console.limits import MOST_VIEWERS, Rate
from station.console.page_link import FULL, REPLACED
from station.console.seats import ROLES, Role, invited
from station.console.server import COOKIE
from station.console.viewer import UNDER_WAY
from station.episodes.labels import read_labels
from station.rig.discovery import Discovered
from station.rig.rig import own_rigs
from tests.station.console.served import TAB, AskingJob, Console, Page, served
from tests.station.console.stage import AT_REST, DESCRIBED
from tests.station.datasets.recorded import Recorded, make

WORDS: dict[type, dict[str, Any]] = {
    wire.Hello: {"tab": TAB}, wire.Alive: {"seen": True}, wire.Watch: {"cameras": ["cam_high"]}, wire.Drawn: {"pictures": 3},
    wire.Press: {"id": 1, "name": "start", "seen": 7}, wire.Open: {"id": 1, "seen": 7, "task": "pick"},
    wire.Control: {"id": 1, "what": "take"}, wire.Deny: {"id": 1}, wire.Hold: {"id": 1}, wire.Park: {"id": 1},
    wire.Edit: {"id": 1, "episodes": ["cube/0"], "success": "no"}, wire.Unedit: {"id": 1, "episodes": ["cube/0"]},
    wire.Trash: {"id": 1, "episodes": ["cube/0"]}, wire.Restore: {"id": 1, "episodes": ["cube/0.deleted"]}, wire.Recover: {"id": 1},
    wire.KeepPlan: {"id": 1, "task": "cube", "plan": {"each": 2, "scenes": ["left"]}},
    wire.Check: {"id": 1}, wire.AnswerStep: {"id": 1, "step": 1, "answer": "go on"}, wire.EndJob: {"id": 1},
    wire.Export: {"id": 1, "format": "plain", "name": "pick"}, wire.RestartNode: {"id": 1, "node": "cam_high"},
    wire.ArmAct: {"id": 1, "arm": "follower_left", "act": "recover"},
    wire.Load: {"id": 1, "policy": "handover"}, wire.Shadow: {"id": 1, "on": True}, wire.TakeOver: {"id": 1, "seen": 7},
    wire.Rollouts: {"id": 1, "seen": 7, "task": "tried"}, wire.HandBack: {"id": 1, "seen": 7},
    wire.Calibrate: {"id": 1, "what": "arms"}, wire.Replay: {"id": 1, "episode": "cube/0"},
    wire.Evaluate: {"id": 1, "name": "first", "policies": ["handover"], "trials": 2, "seconds": 5},
    wire.Find: {"id": 1}, wire.NewRig: {"id": 1, "name": "lab"}, wire.TryRig: {"id": 1, "rig": "mine"},
}  # fmt: skip


ONE_AT_A_TIME = (wire.Export, wire.Calibrate, wire.Replay, wire.Evaluate, *get_args(wire.OfSetup))


async def nothing_found(_ports: tuple[str, ...]) -> Discovered:
    return Discovered((), ())


@pytest.mark.parametrize("role", ROLES)
def test_each_role_and_each_word(role: Role, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.console.archive.python", lambda *_: ["true"])
    monkeypatch.setattr("station.console.jobs.Job", AskingJob)
    monkeypatch.setattr("station.console.setup._discovered", nothing_found)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    own_rigs().mkdir(parents=True)
    (own_rigs() / "mine.yaml").write_text("name: mine")
    assert set(WORDS) == set(get_args(wire.FromPage))

    episode = make(tmp_path / "data", Recorded(rows=3))

    monkeypatch.setattr("station.console.page_link.Rate", lambda: Rate(1000))

    async def tries(console: Console) -> None:
        async with await console.paired(role) as browser, console.page(browser) as page:
            console.hub.heard.session = msgspec.structs.replace(
                AT_REST, phase="ended", control=Control(page.welcome["seat"], "ada")
            )
            console.hub.heard.policy = PolicyState("ready", 1, "/data/my-act", "act /data/my-act")
            console.hub.heard.descriptions["follower_left"] = DESCRIBED
            for kind, fields in WORDS.items():
                console.hub.asked.clear()
                if (
                    kind in (*get_args(wire.OfSetup), wire.Calibrate, wire.Replay, wire.Evaluate)
                    and (told := console.server._jobs.told)
                    and told["running"]
                ):
                    console.server._jobs.end()  # the one before
                while (told := console.server._jobs.told) and (
                    (kind is wire.AnswerStep and not told["answers"]) or (kind in ONE_AT_A_TIME and told["running"])
                ):
                    await asyncio.sleep(0.01)
                await page.say({"type": kind.__name__.lower(), **fields})
                if "id" not in fields:
                    continue
                answer = await page.heard("answer")
                may = ROLES.index(role) >= ROLES.index(wire.NEEDS[kind])
                assert answer["done"] == may, f"{role} {kind.__name__}: {answer}"
                asks_leave = (wire.Calibrate, wire.Replay)
                beside = get_args(wire.OfEpisodes) + get_args(wire.OfJobs) + get_args(wire.OfSetup)
                assert bool(console.hub.requests()) == (may and (kind not in beside or kind in asks_leave)), kind
                if not may:
                    assert f"--role {wire.NEEDS[kind]}" in answer["why"] and "station console link" in answer["why"]

    served(tmp_path, tries, speaks=False)
    assert episode.exists(), "trashed and restored, or never touched"
    assert read_labels(episode) is not None and (tmp_path / "data" / "cube" / ".edits.jsonl").exists() == (
        role != "viewer"
    )


def test_a_page_is_shown_the_rig_and_asks_as_itself(tmp_path: Path) -> None:
    async def looks(console: Console) -> None:
        async with await console.paired("operator", at_rig=False) as browser, console.page(browser) as page:
            assert page.welcome["rig"]["cameras"] and page.welcome["actions"][0]["name"] == "allow"
            state = await page.heard("state")
            assert state["session"]["phase"] == AT_REST.phase and state["age_ms"]["session"] >= 0
            assert len(state["streams"]) == len(page.welcome["rig"]["devices"])
            await page.say({"type": "control", "id": 3, "what": "take"})
            assert (await page.heard("answer"))["id"] == 3
            question, who = console.hub.asked[-1]
            assert question.request == TakeControl()
            assert (who.client, who.person, who.at_rig, who.seat) == (
                "console", "ada at 127.0.0.1", False, page.welcome["seat"],
            )  # fmt: skip
            while (await page.heard("state"))["session"]["control"]["seat"] != page.welcome["seat"]:
                pass
            await page.say({"type": "alive", "seen": True})
            await page.say({"type": "park", "id": 4})
            assert (await page.heard("answer"))["id"] == 4
            asked = [question.request for question, _ in console.hub.asked]
            assert StillThere() in asked and AskLeave("park the arms") in asked

    served(tmp_path, looks)


def test_what_the_session_refuses_is_told_as_it_says_it(tmp_path: Path) -> None:
    async def asks(console: Console) -> None:
        console.hub.reply = lambda _question, _who: Refused("the disk has room for 3 s. Next: free space")
        async with await console.paired("operator") as browser, console.page(browser) as page:
            await page.say({"type": "press", "id": 9, "name": "start", "seen": 1})
            assert await page.heard("answer") == {
                "kind": "answer", "id": 9, "done": False, "why": "the disk has room for 3 s. Next: free space",
            }  # fmt: skip

    served(tmp_path, asks, speaks=False)


def test_pictures_come_only_to_who_looks_the_newest_with_its_time(tmp_path: Path) -> None:
    async def looks(console: Console) -> None:
        async with await console.paired("viewer") as browser, console.page(browser) as page:
            await page.say({"type": "watch", "cameras": [console.hub.rig.cameras[1]], "fps": 5})
            while (message := await page.socket.receive(20)).type is not aiohttp.WSMsgType.BINARY:
                pass
            assert message.data[0] == 1, "the second camera and no other"
            captured, sent = (int.from_bytes(message.data[at : at + 8], "little") for at in (8, 16))
            assert 20e6 < sent - captured < 5e9 and message.data[24:26] == b"\xff\xd8"
            await page.say({"type": "alive", "seen": False})
            while console.hub.viewers and next(iter(console.hub.viewers)).wants_pictures:
                await asyncio.sleep(0.02)

    served(tmp_path, looks)


def test_a_page_that_is_slow_to_draw_gets_fewer_pictures_and_none_that_waited(tmp_path: Path) -> None:
    async def draws(console: Console) -> None:
        async with await console.paired("viewer") as browser, console.page(browser) as page:
            cameras = list(console.hub.rig.cameras)
            await page.say({"type": "watch", "cameras": cameras, "fps": 15})
            came, states = 0, 0
            while states < 10:  # two seconds, and it says of no picture that it drew it
                message = await page.socket.receive(20)
                came += message.type is aiohttp.WSMsgType.BINARY
                states += message.type is aiohttp.WSMsgType.TEXT and '"kind":"state"' in message.data
            assert came == UNDER_WAY * len(cameras)
            await page.say({"type": "drawn", "pictures": 10**6})  # no more than were sent
            while (message := await page.socket.receive(20)).type is not aiohttp.WSMsgType.BINARY:
                pass
            captured, sent = (int.from_bytes(message.data[at : at + 8], "little") for at in (8, 16))
            assert sent - captured < 0.5e9, "it is the newest, not one that waited for two seconds"

    served(tmp_path, draws)


@pytest.mark.slow
def test_a_viewer_that_takes_nothing_costs_others_nothing(tmp_path: Path) -> None:
    async def stalls(console: Console) -> None:
        async with (
            await console.paired("viewer") as browser,
            console.page(browser) as good,
            console.page(browser, "bbbbbbbbbbbbbbbb") as stalled,
        ):
            transport = stalled.socket._response.connection.transport  # type: ignore[union-attr]
            for page in (good, stalled):
                await page.say({"type": "watch", "cameras": list(console.hub.rig.cameras), "fps": 15})
            assert transport is not None
            viewer = next(v for v in console.hub.viewers if v.tab.startswith("b"))
            transport.pause_reading()
            for _ in range(20):
                await good.heard("state")
            assert len(viewer._pictures) <= len(console.hub.rig.cameras) and len(viewer._slots) <= 2
            transport.resume_reading()

    served(tmp_path, stalls)


def test_a_viewer_that_takes_nothing_for_long_is_cut_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.console.viewer.STALLED_S", 0.3)

    async def stalls(console: Console) -> None:
        async with (
            await console.paired("viewer") as browser,
            console.page(browser) as good,
            console.page(browser, "bbbbbbbbbbbbbbbb") as stalled,
        ):
            transport = stalled.socket._response.connection.transport  # type: ignore[union-attr]
            assert transport is not None
            transport.pause_reading()
            (viewer,) = [viewer for viewer in console.hub.viewers if viewer.tab.startswith("b")]
            for _ in range(40):  # more than the two kernels' queues hold
                viewer.say({"kind": "cue", "words": "x" * 500_000, "beeps": 0})
            while viewer in console.hub.viewers:
                await good.heard("state")
            await good.heard("state")
            assert [other.tab for other in console.hub.viewers] == [TAB]
            transport.resume_reading()  # it hears that it was cut

    served(tmp_path, stalls)


def test_so_many_pages_and_no_more_and_a_window_opened_anew_takes_its_own_place(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("viewer") as browser:
            sockets = []
            for n in range(MOST_VIEWERS):
                socket = await browser.ws_connect(f"{console.base}/link", headers={"Origin": console.base})
                await Page(socket).say({"type": "hello", "tab": f"{n:016}"})
                await Page(socket).heard("welcome")
                sockets.append(socket)
            async with browser.ws_connect(f"{console.base}/link", headers={"Origin": console.base}) as late:
                await Page(late).say({"type": "hello", "tab": "f" * 16})
                assert await Page(late).closed() == FULL
            async with console.page(browser, f"{0:016}"):
                assert await Page(sockets[0]).closed() == REPLACED
            for socket in sockets:
                await socket.close()

    served(tmp_path, tries, speaks=False)


def test_on_the_network_there_is_tls_and_the_cookie_never_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    async def tries() -> None:
        console = Console(tmp_path)
        await console.server.listen("127.0.0.1", 0, tls=True)
        console.seats.change(lambda book: invited(book, "CODE222222", "viewer", "", False, console.wall_s))
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as browser:
                base = console.base.replace("http:", "https:")
                async with browser.get(f"{base}/pair", headers={"X-Code": "CODE222222"}) as answer:
                    assert answer.status == 200 and answer.cookies[COOKIE]["secure"]
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await browser.ws_connect(
                        f"{base}/link", headers={"Origin": console.base}
                    )  # the same name without TLS
                with pytest.raises(aiohttp.ClientError):
                    await browser.get(console.base)
        finally:
            await console.server.close()

    asyncio.run(tries())
