"""A rig's report as a download: an engineer's, the terminal's own command, and its last word where there is none."""

import asyncio
import io
import zipfile
from pathlib import Path

import aiohttp
import pytest

from station.console.seats import Role
from tests.station.console.served import Console, served

WRITES = 'import sys, zipfile; zipfile.ZipFile(sys.argv[2], "w").writestr("versions.txt", " ".join(sys.argv[4:]))'


def commands(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr("station.console.bundle.python", lambda _, *words: ["python3", "-c", script, *map(str, words)])


async def got(browser: aiohttp.ClientSession, console: Console) -> tuple[int, bytes, str]:
    async with browser.get(f"{console.base}/rig/report") as answer:
        return answer.status, await answer.read(), answer.headers.get("Content-Disposition", "")


def test_an_engineer_is_given_the_commands_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands(monkeypatch, WRITES)

    async def asks(console: Console) -> None:
        async with await console.paired("engineer") as browser:
            found = await asyncio.gather(got(browser, console), got(browser, console))
            for status, body, file in found:
                assert (status, file) == (200, 'attachment; filename="report-bench.zip"')
                assert zipfile.ZipFile(io.BytesIO(body)).read("versions.txt").decode().endswith("bench.yaml --yes")

    served(tmp_path, asks, speaks=False)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_nobody_else_is(role: Role, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands(monkeypatch, "raise SystemExit('it ran')")

    async def asks(console: Console) -> None:
        async with await console.paired(role) as browser:
            status, body, _ = await got(browser, console)
            assert status == 409 and b"an engineer may make a report" in body
        async with aiohttp.ClientSession() as stranger:
            assert (await got(stranger, console))[0] == 403

    served(tmp_path, asks, speaks=False)


WHY = [("raise SystemExit('the disk is full')", "no report: the disk is full"), ("", "without a word")]


@pytest.mark.parametrize(("script", "says"), WHY)
def test_why_there_is_none(script: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands(monkeypatch, script)

    async def asks(console: Console) -> None:
        async with await console.paired("engineer") as browser:
            status, body, _ = await got(browser, console)
            assert status == 409 and says in body.decode()

    served(tmp_path, asks, speaks=False)
