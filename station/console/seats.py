"""Who may sit at the console: one-time codes become tokens, tokens have roles, can be listed and taken back. Pure; time is an argument.

A code is for one browser, within minutes; the token it buys is 256 random bits, of which only a hash is kept. There are no passwords.
"""

import hashlib
import hmac
import secrets
from typing import Literal, get_args

import msgspec

from station.borders.bounds import Name

Role = Literal["viewer", "operator", "engineer"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may what the one before it may."""
INVITED_S = 600.0
"""A code that nobody has used is worth nothing after this."""
LASTS_S: dict[Role, float] = {"viewer": 30 * 86_400.0, "operator": 12 * 3600.0, "engineer": 12 * 3600.0}
MOST = 64
"""Seats and codes that are kept: the oldest goes for a new one."""


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code that was shown and not used yet."""

    code_hash: str
    role: Role
    person: Name
    at_rig: bool
    until_s: float


class Seat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A browser that was paired. Times are wall times: they must outlive a restart of the computer."""

    id: str
    token_hash: str
    role: Role
    person: Name
    """Whom the code was made for, for people."""
    at_rig: bool
    """Stands its screen beside the arms?"""
    since_s: float
    until_s: float
    address: str = ""
    """Where it was paired from."""

    def may(self, role: Role) -> bool:
        """Is that role's among what it may?"""
        return ROLES.index(self.role) >= ROLES.index(role)


class Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, as they are kept."""

    invites: tuple[Invite, ...] = ()
    seats: tuple[Seat, ...] = ()


def new_code() -> str:
    """Ten digits and letters that nobody mistakes for others: 2⁴⁹ of them, for ten minutes."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(10))


def invited(book: Book, code: str, role: Role, person: str, at_rig: bool, now_s: float) -> Book:
    """With that code, for one browser."""
    invite = Invite(_hash(code.upper()), role, person, at_rig, now_s + INVITED_S)
    kept = tuple(old for old in book.invites if old.until_s > now_s)
    return msgspec.structs.replace(book, invites=(*kept, invite)[-MOST:])


def paired(book: Book, code: str, address: str, now_s: float) -> tuple[Book, Seat, str] | None:
    """The book after that code was used, the seat, and its token, which is told this once; None for a code that is none, used, or old."""
    given = _hash(code.strip().upper())
    invite = next(
        (one for one in book.invites if hmac.compare_digest(one.code_hash, given) and one.until_s > now_s), None
    )
    if invite is None:
        return None
    token = secrets.token_urlsafe(32)
    seat = Seat(
        secrets.token_hex(4), _hash(token), invite.role, invite.person, invite.at_rig, now_s, now_s + LASTS_S[invite.role], address
    )  # fmt: skip
    rest = tuple(one for one in book.invites if one is not invite)
    kept = tuple(one for one in book.seats if one.until_s > now_s)
    return Book(rest, (*kept, seat)[-MOST:]), seat, token


def seated(book: Book, token: str, now_s: float) -> Seat | None:
    """Whose token that is; None if nobody's any more."""
    given = _hash(token)
    return next(
        (seat for seat in book.seats if hmac.compare_digest(seat.token_hash, given) and seat.until_s > now_s), None
    )


def revoked(book: Book, seat_id: str) -> Book | None:
    """Without that seat; None if there is none of that name."""
    rest = tuple(seat for seat in book.seats if seat.id != seat_id)
    return None if len(rest) == len(book.seats) else msgspec.structs.replace(book, seats=rest)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
