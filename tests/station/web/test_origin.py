from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.web.origin import Asked, host_of, refusal

NAMES = ("192.168.1.7", "localhost", "robot", "robot.local", "fe80::1")


def asked(**changes: Any) -> Asked:
    fields = {
        "method": "GET",
        "scheme": "https",
        "upgrade": False,
        "body": False,
        "host": ["192.168.1.7:8443"],
        "origin": [],
    }
    return Asked(**{**fields, **changes})


def opened(**changes: Any) -> Asked:
    """A WebSocket of the station's own page."""
    return asked(**{"upgrade": True, "origin": ["https://192.168.1.7:8443"], **changes})


def status(of: Asked) -> int:
    refused = refusal(of, NAMES)
    return 200 if refused is None else refused.status


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost", "localhost"), ("LocalHost:8444", "localhost"), ("robot.local.:1", "robot.local"),
        ("[fe80::1]:8443", "fe80::1"), ("[fe80::1]", "fe80::1"), ("[::1", ""), ("[::1]x", ""), ("a:b", ""),
        ("a:1:2", ""), ("", ""), (":80", ""), ("a:\u0661", ""),
    ],
)  # fmt: skip
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_of(header) == name


@pytest.mark.parametrize("host", ["192.168.1.7:8443", "localhost:1234", "robot", "ROBOT.LOCAL:8443", "[fe80::1]:8443"])
def test_its_own_names_are_answered(host: str) -> None:
    assert status(asked(host=[host])) == 200
    assert status(opened(host=[host], origin=[f"https://{host}"])) == 200


@pytest.mark.parametrize(
    "host",
    ["rebound.example:8443", "rebound.example", "192.168.1.7.example", "localhost.example", "evil@192.168.1.7", "192.168.1.8",
     "", "xlocalhost", "localhost,rebound.example"],
)  # fmt: skip
def test_a_name_that_was_pointed_here_is_refused(host: str) -> None:
    assert status(asked(host=[host])) == 421
    assert status(opened(host=[host], origin=[f"https://{host}"])) == 421


def test_one_host_header_or_none_is_answered() -> None:
    assert status(asked(host=[])) == 400
    assert status(asked(host=["localhost", "rebound.example"])) == 400


@pytest.mark.parametrize(
    "origin",
    [[], ["null"], ["https://elsewhere.example"], ["http://192.168.1.7:8443"], ["https://192.168.1.7"], [""],
     ["https://192.168.1.7:8443", "https://192.168.1.7:8443"], ["https://192.168.1.7:8443.example"], ["HTTPS://192.168.1.7:8443"]],
)  # fmt: skip
def test_only_its_own_page_opens_a_socket(origin: list[str]) -> None:
    assert status(opened(origin=origin)) == 403


def test_another_sites_page_reads_nothing() -> None:
    assert status(asked(origin=["https://elsewhere.example"])) == 403
    for site in ("cross-site", "same-site", "nonsense"):
        assert status(asked(fetch_site=[site], fetch_mode=["no-cors"], fetch_dest=["script"])) == 403
        assert status(asked(fetch_site=[site], fetch_mode=["navigate"], fetch_dest=["iframe"])) == 403
        assert status(asked(fetch_site=[site])) == 403
        assert status(opened(fetch_site=[site], fetch_mode=["navigate"], fetch_dest=["document"])) == 403
        assert status(asked(fetch_site=[site], fetch_mode=["navigate"], fetch_dest=["document"])) == 200
    assert status(asked(fetch_site=["same-origin"])) == 200
    assert status(opened(fetch_site=["same-origin"])) == 200


def test_nothing_is_sent_here() -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "NONSENSE"):
        assert status(asked(method=method)) == 405
    assert status(asked(body=True)) == 413


@given(st.text(), st.lists(st.text()), st.booleans())
def test_no_header_is_too_strange(host: str, origin: list[str], upgrade: bool) -> None:
    found = refusal(asked(host=[host], origin=origin, upgrade=upgrade), NAMES)
    assert found is not None or host_of(host) in NAMES
