"""Who a client says asks: the operator where one is named, else who is logged in."""

import getpass

import pytest

from station.client.station import LONGEST_NAME, asker


def test_a_named_operator_asks_and_not_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "robot")
    assert asker("ada").person == "ada"
    assert asker().person == "robot"
    assert (
        asker("a\x1b[31m" + "d" * 100).person.startswith("a\\x1b[31m") and len(asker("d" * 100).person) == LONGEST_NAME
    )
