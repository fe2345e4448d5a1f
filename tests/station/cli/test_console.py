"""`station console`: links for one browser, who is paired, and taking that back."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cli.console import app
from station.console.seat_file import SeatFile
from station.console.seats import paired, seated
from station.files.lock import Lock
from station.rig.choice import VARIABLE
from station.rig.rig import NO_RIG


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SSH_CONNECTION", raising=False)


def told(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.output


def code_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8480/#([A-Z2-9]{10})", text)
    assert found is not None, text
    return found.group(1)


def test_a_link_pairs_one_browser_which_is_listed_and_taken_back() -> None:
    code = code_in(told("link", "--role", "engineer", "--for", "ada"))
    file = SeatFile()
    bought = paired(file.read(), code, "10.0.0.5", file.read().invites[0].until_s - 5)
    assert bought is not None
    book, seat, token = bought
    assert (seat.role, seat.person, seat.at_rig) == ("engineer", "ada", True)
    assert file.change(lambda _: book)
    assert "ada" in told("ls") and token not in told("ls", "--json") and "hash" not in told("ls", "--json")
    assert json.loads(told("ls", "--json"))[0]["id"] == seat.id
    assert "taken back" in told("revoke", seat.id)
    assert seated(SeatFile().read(), token, seat.since_s + 1) is None
    assert "nobody is paired" in told("ls")


def test_where_the_screen_stands_is_said_or_guessed_carefully(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "at the rig" in told("link")
    assert "what moves arms is allowed at the rig" in told("link", "--elsewhere")
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 22")
    assert "elsewhere" in told("link"), "who came by ssh need not be beside the arms"
    assert "at the rig:" in told("link", "--at-rig")


def test_one_that_is_served_already_gets_another_link(runtime: str) -> None:
    lock = Lock("bench", "console")
    try:
        text = told("--rig", "bench")
    finally:
        lock.release()
    assert "is served already" in text and code_in(text)


def test_where_there_is_no_rig_yet_the_first_link_is_for_one_who_may_set_one_up(
    runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    lock = Lock(NO_RIG, "console")
    try:
        text = told()
    finally:
        lock.release()
    assert "no rig yet" in text and "its console is served already" in text
    assert [invite.role for invite in SeatFile().read().invites] == ["engineer"]


def test_nobody_is_taken_back_twice() -> None:
    done = CliRunner().invoke(app, ["revoke", "nobody"])
    assert done.exit_code != 0 and "station console ls" in str(done.exception)
