import datetime
import ssl
from contextlib import suppress
from math import cos, pi, sin
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from drivers.vr import certificate, wire
from drivers.vr.seat import LOCKED_NS, SILENT_NS, TRIES, Refusal, Seat, new_code

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
NAMES = ("192.168.1.7", "127.0.0.1")


def _hand(**changes) -> wire.Controller:
    fields = {"p": (1, 2, 3), "q": (0, 0, 0, 1), "grip": 0, "trigger": 0.25, "stick": (0, -1), "pressed": False,
              "a": True, "b": False}  # fmt: skip
    return wire.Controller(**{**fields, **changes})


def test_webxrs_axes_become_the_stations() -> None:
    """One metre ahead of the operator (−z) is +x, to the right (x) is −y, up (y) is +z."""
    for theirs, ours in [((0, 0, -1), (1, 0, 0)), ((1, 0, 0), (0, -1, 0)), ((0, 1, 0), (0, 0, 1))]:
        hands = wire.hand_pose(wire.Pose(0, 0, 0, None, _hand(p=theirs), None))
        assert hands.left.position_m == ours
        assert hands.right is None


def test_a_turn_to_the_left_is_a_positive_yaw() -> None:
    q = (0, sin(pi / 8), 0, cos(pi / 8))  # +45° about WebXR's y
    hands = wire.hand_pose(wire.Pose(0, 0, 0, q, _hand(q=q), None))
    assert hands.head_yaw_rad == pytest.approx(pi / 4)
    assert hands.left.quaternion_wxyz == pytest.approx((cos(pi / 8), 0, 0, sin(pi / 8)))


def test_a_head_that_looks_straight_down_has_no_yaw() -> None:
    down = (-sin(pi / 4), 0, 0, cos(pi / 4))
    assert wire.hand_pose(wire.Pose(0, 0, 0, down, None, None)).head_yaw_rad is None


def test_a_hand_that_is_not_tracked_keeps_its_buttons_and_has_no_pose() -> None:
    hand = wire.hand_pose(wire.Pose(0, 0, 0, None, _hand(p=None, q=None), None)).left
    assert (hand.position_m, hand.quaternion_wxyz, hand.trigger, hand.primary) == (None, None, 0.25, True)


@pytest.mark.parametrize("bad", [{"p": (1e9, 0, 0)}, {"q": (0, 0, 0, 0)}, {"q": (1, 1, 1, 1)}])
def test_numbers_that_are_no_pose_are_refused(bad) -> None:
    with pytest.raises(wire.Malformed):
        wire.hand_pose(wire.Pose(0, 0, 0, None, _hand(**bad), None))


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", '{"kind":"pose"}', '{"kind":"nothing"}', '{"kind":"hello","code":1}', "[" * 4000,
        '{"kind":"hello","code":"1","more":1}', '{"kind":"press","name":"' + "x" * 65 + '"}',
        '{"kind":"pong","n":-1,"t":0}', '{"kind":"pong","n":0,"t":NaN}', '{"kind":"pong","n":0,"t":1e400}',
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(text) -> None:
    with pytest.raises(wire.Malformed):
        wire.decode(text)


@given(st.one_of(st.text(), st.recursive(st.none() | st.floats() | st.text(), st.lists).map(str)))
def test_no_text_does_worse_than_be_refused(text) -> None:
    with suppress(wire.Malformed):
        wire.decode(text)


def test_the_code_opens_the_seat_and_the_token_comes_back_to_it() -> None:
    seat = Seat("123456")
    token = seat.sit("123456", "", 0)
    assert seat.sit("", token, 1) == token
    seat.leave(token)
    assert seat.sit("", token, 2) == token


def test_one_operator_at_a_time() -> None:
    seat = Seat("123456")
    first = seat.sit("123456", "", 0)
    with pytest.raises(Refusal, match="another operator is connected"):
        seat.sit("123456", "", SILENT_NS - 1)
    second = seat.sit("123456", "", SILENT_NS)
    assert second != first
    with pytest.raises(Refusal, match="another operator"):
        seat.sit("", first, SILENT_NS + 1)
    seat.leave(second)
    assert seat.sit("", first, SILENT_NS + 2) == first


def test_wrong_codes_lock_the_seat_but_not_its_operator() -> None:
    seat = Seat("123456")
    token = seat.sit("123456", "", 0)
    seat.leave(token)
    for _ in range(TRIES):
        with pytest.raises(Refusal, match="wrong code"):
            seat.sit("654321", "made up", 10)
    with pytest.raises(Refusal, match="too many wrong codes"):
        seat.sit("123456", "", 11)
    assert seat.sit("", token, 11) == token
    seat.leave(token)
    assert seat.sit("123456", "", 10 + LOCKED_NS)
    assert seat.wrong_codes == TRIES


def test_a_code_that_is_not_ascii_is_only_wrong() -> None:
    with pytest.raises(Refusal, match="wrong code"):
        Seat("123456").sit("１２３４５６", "", 0)


def test_codes_are_six_digits() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in (new_code() for _ in range(50)))


def test_the_certificate_names_every_address_and_is_kept(tmp_path: Path) -> None:
    path, key = certificate.ensure(tmp_path, NAMES, NOW)
    made = x509.load_pem_x509_certificate(path.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(a) for a in names.get_values_for_type(x509.IPAddress)} == set(NAMES)
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert key.stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)
    before = path.read_bytes()
    certificate.ensure(tmp_path, NAMES[1:], NOW)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("names", "days"), [((*NAMES, "10.0.0.3"), 0), (NAMES, 390)])
def test_a_new_address_or_its_end_makes_a_new_certificate(tmp_path: Path, names, days) -> None:
    path, key = certificate.ensure(tmp_path, NAMES, NOW)
    before = path.read_bytes(), key.read_bytes()
    certificate.ensure(tmp_path, names, NOW + datetime.timedelta(days=days))
    assert path.read_bytes() != before[0]
    assert key.read_bytes() != before[1]


def test_a_damaged_certificate_is_made_again(tmp_path: Path) -> None:
    path, _ = certificate.ensure(tmp_path, NAMES, NOW)
    path.write_text("torn")
    certificate.ensure(tmp_path, NAMES, NOW)
    x509.load_pem_x509_certificate(path.read_bytes())
