"""What is taken out of a report, and what stays because it only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.files.redaction import redacted


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("headset at 192.168.1.10:8443 paired", "headset at <address>:8443 paired"),
        ("fe80::1ff:fe23:4567:890a and 127.0.0.1 and ::1", "<address> and 127.0.0.1 and ::1"),
        ("00:1b:63:84:45:e6", "<mac>"),
        ("ada@example.org wrote", "<mail> wrote"),
        ("http://ada:secret@host/video", "http://host/video"),
        ("/home/ada/station-data/x by ADA", "~/station-data/x by <name>"),
        ("2026-11-29T13:08:44.123+01:00 1234.567890 firmware 1.2.3 took 0.5 s, adapter", "="),
    ],
)  # fmt: skip
def test_addresses_and_names_go_and_what_a_helper_needs_stays(text: str, becomes: str) -> None:
    assert redacted(text, ["ada"], "/home/ada") == (text if becomes == "=" else becomes)


@given(
    st.text(max_size=60),
    st.ip_addresses(v=4).filter(lambda a: not (a.is_loopback or a.is_unspecified)),
    st.text(max_size=60),
)
def test_no_address_gets_through(before: str, address: object, after: str) -> None:
    assert f" {address} " not in redacted(f"{before} {address} {after}", [], "/root")
