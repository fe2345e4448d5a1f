"""Codes for one browser, tokens with a role, taken back at once."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.console.seat_file import SeatFile
from station.console.seats import (
    INVITED_S,
    LASTS_S,
    MOST,
    ROLES,
    Book,
    Role,
    Seat,
    invited,
    new_code,
    paired,
    revoked,
    seated,
)


def sat(role: Role = "operator", now_s: float = 100.0) -> tuple[Book, Seat, str]:
    found = paired(invited(Book(), "ABCDE23456", role, "ada", True, now_s), "ABCDE23456", "10.0.0.5", now_s)
    assert found is not None
    return found


def test_a_code_is_for_one_browser_and_not_for_long() -> None:
    book = invited(Book(), "ABCDE23456", "operator", "ada", False, 100.0)
    assert paired(book, "ABCDE23457", "x", 100.0) is None
    assert paired(book, "", "x", 100.0) is None
    assert paired(book, "ABCDE23456", "x", 100.0 + INVITED_S) is None
    found = paired(book, " abcde23456 ", "10.0.0.5", 100.0)
    assert found is not None
    book, seat, token = found
    assert (seat.role, seat.person, seat.at_rig, seat.address) == ("operator", "ada", False, "10.0.0.5")
    assert paired(book, "ABCDE23456", "x", 101.0) is None, "it was used"
    assert seated(book, token, 101.0) == seat


@pytest.mark.parametrize("role", ROLES)
def test_a_token_ends_by_itself(role: Role) -> None:
    book, seat, token = sat(role)
    assert seated(book, token, 100.0 + LASTS_S[role] - 1) == seat
    assert seated(book, token, 100.0 + LASTS_S[role] + 1) is None


def test_nothing_that_opens_the_door_is_kept() -> None:
    book, _, token = sat()
    kept = repr(invited(book, "QQQQQ22222", "viewer", "", False, 1.0))
    assert token not in kept and "QQQQQ22222" not in kept and "ABCDE23456" not in kept


def test_one_that_is_taken_back_is_nobodys() -> None:
    book, seat, token = sat()
    assert revoked(book, "another") is None
    without = revoked(book, seat.id)
    assert without is not None and seated(without, token, 101.0) is None


def test_each_role_may_what_the_one_before_it_may() -> None:
    for place, role in enumerate(ROLES):
        _, seat, _ = sat(role)
        assert [seat.may(other) for other in ROLES] == [n <= place for n in range(len(ROLES))]


@given(st.text(max_size=60))
def test_no_text_is_anybodys_token(text: str) -> None:
    book, _, token = sat()
    assert text == token or seated(book, text, 101.0) is None


def test_codes_are_never_like_each_other_and_the_book_does_not_grow_for_ever() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500 and all(len(code) == 10 and not set(code) & set("01IO") for code in codes)
    book = Book()
    for n in range(3 * MOST):
        book = invited(book, f"CODE{n:06}", "viewer", "", False, 100.0)
        found = paired(book, f"CODE{n:06}", "x", 100.0)
        assert found is not None
        book = found[0]
    assert len(book.seats) == MOST


def test_the_file_is_its_owners_alone_and_is_read_again_when_another_process_has_written(tmp_path: Path) -> None:
    mine, other = SeatFile(tmp_path / "seats.json"), SeatFile(tmp_path / "seats.json")
    assert mine.read() == Book()
    assert other.change(lambda book: invited(book, "ABCDE23456", "viewer", "", False, 1.0))
    assert len(mine.read().invites) == 1
    assert stat.S_IMODE((tmp_path / "seats.json").stat().st_mode) == 0o600
    assert not mine.change(lambda _: None)
    (tmp_path / "seats.json").write_text("{ nonsense")
    assert mine.read() == Book(), "a broken book has no seats"
