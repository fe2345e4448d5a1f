"""What pages read of the disk, what they do with episodes, and the jobs that they run: over HTTP and the link, without a browser."""

import asyncio
import datetime
import json
import struct
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from station.console.limits import MOST_READERS
from station.console.server import COOKIE
from station.episodes import naming
from station.files import check_results
from station.files.check_results import CheckResult, Finding, StoredCheck
from station.files.logs import logs_folder
from tests.station.console.served import AskingJob, Console, served
from tests.station.console.stage import AT_REST
from tests.station.datasets.recorded import Recorded, make
from tests.station.episodes.recording import Recording, jpeg, write


async def _got(browser: aiohttp.ClientSession, console: Console, path: str, **query: str) -> tuple[int, bytes]:
    async with browser.get(f"{console.base}/episodes{path}", params=query) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.status, await answer.read()


def test_recorded_episodes_are_read_by_whoever_is_paired_and_by_nobody_else(tmp_path: Path) -> None:
    episode = make(tmp_path / "data", Recorded(rows=10))

    async def reads(console: Console) -> None:
        paths = ("", "/trash", "/outline", "/one", "/thumbnail", "/column", "/moment", "/pictures", "/nothing")
        async with aiohttp.ClientSession() as stranger:
            assert {(await _got(stranger, console, path, of="cube/0"))[0] for path in paths} == {403}
        async with await console.paired("viewer") as browser:
            status, raw = await _got(browser, console, "", where="success=true")
            assert status == 200 and [each["name"] for each in json.loads(raw)["episodes"]] == ["cube/0"]
            assert (await _got(browser, console, "", where="sucess=true"))[0] == 404
            assert json.loads((await _got(browser, console, "/one", of="cube/0"))[1])["rows"] == 10
            status, raw = await _got(browser, console, "/pictures", of="cube/0", camera="cam_high", rows="0,9")
            (row, size), rest = struct.unpack_from("<II", raw), raw[8:]
            assert (status, row, rest[:2], rest[size : size + 1]) == (200, 0, b"\xff\xd8", b"\x09")
            status, raw = await _got(browser, console, "/moment", of="cube/0", row="9")
            (row,) = struct.unpack_from("<I", raw)
            assert (status, row in (8, 9), raw.count(b"\xff\xd8\xff")) == (200, True, 2), "of both cameras at once"
            for nonsense in ("", "a", "-1", "1,2", "1e9"):
                assert (await _got(browser, console, "/moment", of="cube/0", row=nonsense))[0] == 404
            for nonsense in ("", "a", "-1", "1e9", "1," * 600, "٣"):
                assert (await _got(browser, console, "/pictures", of="cube/0", camera="cam_high", rows=nonsense))[
                    0
                ] == 404
            for of in ("../../etc/passwd", "cube/../cube/0", str(episode), "cube/0\0", "%2e%2e/cube/0"):
                for path in ("/outline", "/one", "/thumbnail", "/column", "/moment", "/pictures"):
                    asked = {"of": of, "name": "qpos", "camera": "cam_high", "row": "0", "rows": "0"}
                    assert (await _got(browser, console, path, **asked))[0] == 404
            assert (await _got(browser, console, "/nothing"))[0] == 404
            episode.write_bytes(b"broken")
            status, raw = await _got(browser, console, "/one", of="cube/0")
            assert (status, b"not a whole HDF5 file" in raw) == (409, True)

    served(tmp_path, reads, speaks=False)


def test_however_many_connections_read_others_get_through_and_most_of_them_are_strangers(tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(rows=10))

    async def crowds(console: Console) -> None:
        async with await console.paired("viewer") as browser, await console.paired("operator") as other:
            (cookie,) = [each.value for each in browser.cookie_jar]
            asks = (
                f"GET /episodes/one?of=cube/0 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {COOKIE}={cookie}\r\n\r\n".encode()
            )
            ends = [await asyncio.open_connection("127.0.0.1", console.server.port) for _ in range(40)]
            for _, writer in ends:
                writer.write(asks)  # and reads nothing
            async with console.page(other) as page:
                await page.say({"type": "hold", "id": 1})
                assert (await page.heard("answer"))["done"]
                assert (await _got(other, console, "/one", of="cube/0"))[0] == 200
            assert all(len(readers) <= MOST_READERS for readers in console.server._readers.values())
            for _, writer in ends:
                writer.close()

    served(tmp_path, crowds, speaks=False)


def test_the_newest_of_a_sitting_is_the_sittings_and_every_page_hears_of_changes(tmp_path: Path) -> None:
    kept, newest = (make(tmp_path / "data", Recorded(rows=3, episode=number)) for number in range(2))

    async def throws(console: Console) -> None:
        console.hub.heard.session = msgspec.structs.replace(AT_REST, saved_path=str(newest))
        async with (
            await console.paired("operator") as browser,
            console.page(browser) as page,
            console.page(browser, "bbbbbbbbbbbbbbbb") as other,
        ):
            await page.say({"type": "trash", "id": 1, "episodes": ["cube/0", "cube/1"]})
            assert "`u` on the Now page" in (await page.heard("answer"))["why"] and kept.exists()
            await page.say({"type": "trash", "id": 2, "episodes": ["cube/0"]})
            assert (await page.heard("answer"))["why"] == "1 in the trash"
            await other.heard("episodes")
            assert newest.exists() and not kept.exists()

    served(tmp_path, throws, speaks=False)


@pytest.mark.rig  # a process of the lowest priority: it takes seconds on a quiet computer
def test_a_journal_that_was_left_becomes_an_episode(tmp_path: Path) -> None:
    episode = make(tmp_path / "data", Recorded(rows=3))
    write(naming.journal_path(episode.parent, 7), Recording(5, [jpeg()]))

    async def recovers(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as page:
            assert json.loads((await _got(browser, console, ""))[1])["waiting"] == ["cube/episode_7.mcap.part"]
            await page.say({"type": "recover", "id": 1})
            answer = await page.heard("answer")
            assert answer["done"], answer
            assert naming.episode_path(episode.parent, 7).exists()

    served(tmp_path, recovers, speaks=False)


def test_a_check_is_seen_by_all_answered_by_one_and_not_run_beside_a_sitting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.console.jobs.Job", AskingJob)

    async def checks(console: Console) -> None:
        async with (
            await console.paired("operator") as browser,
            console.page(browser) as page,
            await console.paired("viewer") as other,
            console.page(other) as wall,
        ):
            console.hub.heard.session = AT_REST
            await page.say({"type": "check", "id": 1})
            assert "a sitting is open" in (await page.heard("answer"))["why"]
            console.hub.heard.session = msgspec.structs.replace(AT_REST, phase="ended")
            await page.say({"type": "check", "id": 2})
            while not (told := await wall.heard("job"))["answers"]:
                pass
            assert (told["name"], told["by"], told["words"]) == (
                "check",
                "ada at 127.0.0.1 (console)",
                "hold the leaders",
            )
            async with console.page(other, "bbbbbbbbbbbbbbbb") as late:
                assert (await late.heard("job"))["words"] == "hold the leaders", "whoever comes later is shown it too"
            assert (await page.heard("answer"))["done"]
            await page.say({"type": "check", "id": 3})
            assert "runs already, for ada" in (await page.heard("answer"))["why"]
            await page.say({"type": "answerstep", "id": 4, "step": 9, "answer": "go on"})
            assert "nothing is asked like that" in (await page.heard("answer"))["why"]
            await page.say({"type": "answerstep", "id": 5, "step": 1, "answer": "go on"})
            assert (await page.heard("answer"))["done"]
            await page.say({"type": "endjob", "id": 6})
            while (told := await wall.heard("job"))["running"]:
                pass
            assert told["code"] == 0
            await page.say({"type": "endjob", "id": 7})
            while (answer := await page.heard("answer"))["id"] != 7:
                pass
            assert answer["why"] == "no job runs"

    served(tmp_path, checks, speaks=False)


def test_the_rigs_records_are_read_by_whoever_is_paired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = logs_folder("bench")
    now = datetime.datetime.now().astimezone().isoformat(timespec="milliseconds")
    for node, words in (
        ("console", "ada asked: Start(): Done()"),
        ("console", "listening"),
        ("pilot", "engaged \x1b[31m"),
    ):
        with (folder / f"{node}.log").open("a") as log:
            log.write(f"{now} 12.5 INFO {node}: {words}\n")
    check_results.store(
        "bench",
        StoredCheck(
            "another", 1000.0, CheckResult("warn", (Finding("cam_high", "moved", "warn", 1.8, "mm", 1.5, "look"),))
        ),
    )

    async def reads(console: Console) -> None:
        async def got(what: str, browser: aiohttp.ClientSession, **query: str) -> tuple[int, Any]:
            async with browser.get(f"{console.base}/rig/{what}", params=query) as answer:
                return answer.status, json.loads(await answer.read()) if answer.status == 200 else await answer.text()

        async with aiohttp.ClientSession() as stranger:
            assert {(await got(what, stranger))[0] for what in ("check", "log", "acts", "x")} == {403}
        async with await console.paired("viewer") as browser:
            status, check = await got("check", browser)
            (found,) = check["found"]["findings"]
            assert status == 200 and (found["value"], found["limit"], found["next"]) == ("1.8 mm", "1.5 mm", "look")
            assert not check["found"]["same_rig_file"]
            _, log = await got("log", browser)
            assert log["nodes"] == ["console", "pilot"] and "engaged \\x1b[31m" in log["lines"][-1]
            assert [line[-26:] for line in (await got("acts", browser))[1]["lines"]] == ["ada asked: Start(): Done()"]
            assert (await got("log", browser, node="../../secret"))[0] == 404 == (await got("x", browser))[0]

    served(tmp_path, reads, speaks=False)


@pytest.mark.rig  # a whole export in a process of its own
def test_a_training_set_is_made_as_a_job(tmp_path: Path) -> None:
    for number in range(2):
        make(tmp_path / "data", Recorded(rows=30, episode=number))

    async def exports(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as page:
            status, raw = await _got(browser, console, "/selection", **{"not": "cube/1", "reason": "blurred"})
            assert status == 200 and b"reason: blurred" in raw
            await page.say({"type": "export", "id": 1, "format": "plain", "name": "../out"})
            assert not (await page.heard("answer"))["done"]
            await page.say(
                {
                    "type": "export",
                    "id": 2,
                    "format": "plain",
                    "name": "out",
                    "left_out": ["cube/1"],
                    "reason": "blurred",
                }
            )
            seen = [await page.heard("job")]
            while seen[-1]["running"]:
                seen.append(await page.heard("job"))
            assert seen[-1]["code"] == 0, seen[-1]
            assert any(
                "1 episodes of 1 recordings" in told["words"] and "read back whole" in told["words"] for told in seen
            )
            assert any(told["progress"] is not None and "of" in told["words"] for told in seen)
            assert (tmp_path / "data-sets" / "out" / "station" / "dataset.json").exists()

    served(tmp_path, exports, speaks=False)
