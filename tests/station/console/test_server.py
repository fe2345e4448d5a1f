"""The console's door without a browser: pairing, roles, limits, and what attackers try. Nothing moves, nobody paired is locked out."""

import asyncio
from pathlib import Path
from typing import Any, get_args

import aiohttp
import msgspec
import pytest

from station.bus.messages import Control, PolicyState
from station.bus.requests import Allow, AskLeave, Hold, LeaveControl, Refused, StillThere, TakeControl
from station.console import wire
from station.console.limits import MOST_VIEWERS, Rate
from station.console.seats import ROLES, Role, invited, revoked
from station.console.server import COOKIE, FULL, PAGE, REPLACED, RUDE, UNPAIRED
from station.episodes.labels import read_labels
from tests.station.console.served import TAB, AskingJob, Console, Page, served
from tests.station.console.stage import AT_REST
from tests.station.datasets.recorded import Recorded, make

WORDS: dict[type, dict[str, Any]] = {
    wire.Hello: {"tab": TAB}, wire.Alive: {"seen": True}, wire.Watch: {"cameras": ["cam_high"]},
    wire.Press: {"id": 1, "name": "start", "seen": 7}, wire.Open: {"id": 1, "seen": 7, "task": "pick"},
    wire.Control: {"id": 1, "what": "take"}, wire.Deny: {"id": 1}, wire.Hold: {"id": 1}, wire.Park: {"id": 1},
    wire.Edit: {"id": 1, "episodes": ["cube/0"], "success": "no"}, wire.Unedit: {"id": 1, "episodes": ["cube/0"]},
    wire.Trash: {"id": 1, "episodes": ["cube/0"]}, wire.Restore: {"id": 1, "episodes": ["cube/0.deleted"]}, wire.Recover: {"id": 1},
    wire.KeepPlan: {"id": 1, "task": "cube", "plan": {"each": 2, "scenes": ["left"]}},
    wire.Check: {"id": 1}, wire.AnswerStep: {"id": 1, "step": 1, "answer": "go on"}, wire.EndJob: {"id": 1},
    wire.Export: {"id": 1, "format": "plain", "name": "pick"}, wire.RestartNode: {"id": 1, "node": "cam_high"},
    wire.Load: {"id": 1, "policy": "handover"}, wire.Shadow: {"id": 1, "on": True}, wire.TakeOver: {"id": 1, "seen": 7},
    wire.Rollouts: {"id": 1, "seen": 7, "task": "tried"}, wire.HandBack: {"id": 1, "seen": 7},
    wire.Calibrate: {"id": 1, "what": "arms"},
    wire.Evaluate: {"id": 1, "name": "first", "policies": ["handover"], "trials": 2, "seconds": 5},
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_each_role_and_each_word(role: Role, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.console.library.python", lambda *_: ["true"])
    monkeypatch.setattr("station.console.jobs.Job", AskingJob)
    assert set(WORDS) == set(get_args(wire.FromPage))

    episode = make(tmp_path / "data", Recorded(rows=3))

    monkeypatch.setattr("station.console.server.Rate", lambda: Rate(1000))

    async def tries(console: Console) -> None:
        async with await console.paired(role) as browser, console.page(browser) as page:
            console.hub.heard.session = msgspec.structs.replace(
                AT_REST, phase="ended", control=Control(page.welcome["seat"], "ada")
            )
            console.hub.heard.policy = PolicyState("ready", 1, "/data/my-act", "act /data/my-act")
            for kind, fields in WORDS.items():
                console.hub.asked.clear()
                if kind in (wire.Calibrate, wire.Evaluate) and (told := console.server._jobs.told) and told["running"]:
                    console.server._jobs.end()  # the one before
                while (told := console.server._jobs.told) and (
                    (kind is wire.AnswerStep and not told["answers"])
                    or (kind in (wire.Export, wire.Calibrate, wire.Evaluate) and told["running"])
                ):
                    await asyncio.sleep(0.01)
                await page.say({"type": kind.__name__.lower(), **fields})
                if "id" not in fields:
                    continue
                answer = await page.heard("answer")
                may = ROLES.index(role) >= ROLES.index(wire.NEEDS[kind])
                assert answer["done"] == may, f"{role} {kind.__name__}: {answer}"
                beside = get_args(wire.OfEpisodes) + get_args(wire.OfJobs)
                assert bool(console.hub.requests()) == (may and (kind not in beside or kind is wire.Calibrate)), kind
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
            transport.pause_reading()
            for _ in range(20):
                await good.heard("state")
            viewer = next(v for v in console.hub.viewers if v.tab.startswith("b"))
            assert len(viewer._pictures) <= len(console.hub.rig.cameras) and len(viewer._slots) <= 2
            transport.resume_reading()

    served(tmp_path, stalls)


# -- what attackers try --


async def _status(console: Console, path: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as browser, browser.get(console.base + path, headers=headers) as answer:
        for name, value in answer.headers.items():
            if name == "Content-Security-Policy":
                assert "unsafe" not in value and "default-src 'none'" in value
        return answer.status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "attacker.example"}, 421), ({"Host": "attacker.example", "Origin": "http://attacker.example"}, 421),
        ({"Origin": "http://attacker.example"}, 403), ({"Origin": "null"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
    ],
)  # fmt: skip
def test_another_sites_page_and_a_rebound_name_get_nothing(
    headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    async def tries(console: Console) -> None:
        for path in ("/", "/pair", "/link", "/main.js"):
            assert await _status(console, path, **headers) == status
        async with await console.paired("engineer") as browser:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await browser.ws_connect(f"{console.base}/link", headers=headers)
        assert not console.hub.asked

    served(tmp_path, tries, speaks=False)


def test_a_link_without_an_origin_a_cookie_or_a_hello_is_none(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with aiohttp.ClientSession() as stranger:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await stranger.ws_connect(f"{console.base}/link")
            async with stranger.ws_connect(f"{console.base}/link", headers={"Origin": console.base}) as socket:
                assert await Page(socket).closed() == UNPAIRED
            forged = {"Origin": console.base, "Cookie": f"{COOKIE}=forged"}
            async with stranger.ws_connect(f"{console.base}/link", headers=forged) as socket:
                assert await Page(socket).closed() == UNPAIRED
        async with (
            await console.paired("engineer") as browser,
            browser.ws_connect(f"{console.base}/link", headers={"Origin": console.base}) as socket,
        ):
            await socket.send_str('{"type": "hold", "id": 1}')
            assert await Page(socket).closed() == RUDE
        assert not console.hub.asked

    served(tmp_path, tries, speaks=False)


@pytest.mark.parametrize(
    "path", ["/../seats.py", "/%2e%2e/seats.py", "/vendor/../../wire.py", "/package.json", "//etc/passwd", "/vendor"]
)
def test_only_the_pages_own_files_are_served(path: str, tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", console.server.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        assert answer.split()[1] in (b"404", b"400")
        writer.close()
        scripts = [f"/{path.relative_to(PAGE)}" for path in PAGE.rglob("*.js")]
        for there in ("/", "/style.css", *scripts):
            assert await _status(console, there) == 200

    served(tmp_path, tries, speaks=False)


def test_a_stolen_viewers_cookie_moves_nothing_and_is_taken_back_at_once(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("viewer") as browser:
            (cookie,) = [c.value for c in browser.cookie_jar]
            async with (
                aiohttp.ClientSession(headers={"Cookie": f"{COOKIE}={cookie}"}) as thief,
                console.page(thief, "cccccccccccccccc") as page,
            ):
                for word in ({"type": "press", "id": 1, "name": "start", "seen": 1}, {"type": "control", "id": 2, "what": "take"},
                                 {"type": "press", "id": 3, "name": "allow", "seen": 1}, {"type": "park", "id": 4}):  # fmt: skip
                    await page.say(word)
                    assert not (await page.heard("answer"))["done"]
                assert not console.hub.asked
                await page.say({"type": "hold", "id": 5})
                assert (await page.heard("answer"))["done"], "to stop the arms is anybody's"
                await page.say({"type": "hold", "id": 6})
                assert "a moment ago" in (await page.heard("answer"))["why"]
                assert console.hub.requests() == [Hold("held by ada at 127.0.0.1 (console)"), Allow(False)]
                (seat,) = console.seats.read().seats
                console.seats.change(lambda book: revoked(book, seat.id))
                await page.say({"type": "hold", "id": 7})
                await page.closed()
                assert len(console.hub.requests()) == 2

    served(tmp_path, tries, speaks=False)


def test_frames_that_are_too_large_and_words_that_never_end_close_that_page_alone(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as good:
            async with console.page(browser, "bbbbbbbbbbbbbbbb") as large:
                await large.say({"type": "press", "id": 1, "name": "x" * 200_000, "seen": 1})
                await large.closed()
            async with console.page(browser, "cccccccccccccccc") as flood:
                for _ in range(60):
                    await flood.say({"type": "alive", "seen": True})
                assert await flood.closed() == RUDE
            async with console.page(browser, "dddddddddddddddd") as nonsense:
                await nonsense.say({"type": "shutdown"})
                assert not (await nonsense.heard("answer"))["done"]
            await good.say({"type": "control", "id": 5, "what": "leave"})
            assert (await good.heard("answer"))["done"]
            assert LeaveControl() in console.hub.requests()

    served(tmp_path, tries, speaks=False)


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


@pytest.mark.slow
def test_guessing_a_code_waits_and_a_right_one_and_whoever_is_paired_go_through(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as page:
            for n in range(8):
                assert await _status(console, "/pair", **{"X-Code": f"WRONG{n:05}"}) in (403, 429)
            async with await console.paired("viewer"):
                pass
            await page.say({"type": "hold", "id": 1})
            assert (await page.heard("answer"))["done"]

    served(tmp_path, tries, speaks=False)


@pytest.mark.slow
def test_idle_connections_however_many_cost_nobody_paired_the_link(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as page:
            idle = [await asyncio.open_connection("127.0.0.1", console.server.port) for _ in range(200)]
            await page.say({"type": "hold", "id": 1})
            assert (await page.heard("answer"))["done"]
            async with await console.paired("viewer") as other, console.page(other, "eeeeeeeeeeeeeeee"):
                pass
            for _, writer in idle:
                writer.close()

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
