"""The operator's seat: who may sit down, and that only one does. Pure; time is an argument."""

import hmac
import secrets

from station.clock import NS_PER_S

TRIES = 5
"""Wrong codes before nobody may try for a while: a million codes then take months."""
LOCKED_NS = 30 * NS_PER_S
SILENT_NS = 2 * NS_PER_S
"""An operator who has not been heard for this long has lost the seat."""


class Refusal(Exception):
    """Why somebody may not sit down; the text is for them."""


def new_code() -> str:
    """Six digits: what can be typed with a controller."""
    return f"{secrets.randbelow(1_000_000):06}"


class Seat:
    """One seat. The code opens it; the token it gives out lets the same browser come back after a reload."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.wrong_codes = 0
        self._tokens: set[str] = set()
        self._owner = ""
        self._heard_ns = 0
        self._tries = 0
        self._locked_until_ns = 0

    def sit(self, code: str, token: str, now_ns: int) -> str:
        """The token of whoever may sit down. Raises Refusal: wrong code, too many tries, taken."""
        if token not in self._tokens:
            self._check(code, now_ns)
            token = ""
        if self._owner and self._owner != token and now_ns - self._heard_ns < SILENT_NS:
            raise Refusal("another operator is connected. Next: close the page there first")
        if not token:
            token = secrets.token_urlsafe(24)
            self._tokens.add(token)
        self._owner, self._heard_ns = token, now_ns
        return token

    def heard(self, now_ns: int) -> None:
        """The operator is alive."""
        self._heard_ns = now_ns

    def leave(self, token: str) -> None:
        """The operator's link is closed."""
        if self._owner == token:
            self._owner = ""

    def _check(self, code: str, now_ns: int) -> None:
        if now_ns < self._locked_until_ns:
            wait_s = (self._locked_until_ns - now_ns) / NS_PER_S
            raise Refusal(f"too many wrong codes. Next: wait {wait_s:.0f} s")
        if hmac.compare_digest(code.encode(), self.code.encode()):
            self._tries = 0
            return
        self.wrong_codes += 1
        self._tries += 1
        if self._tries >= TRIES:
            self._tries, self._locked_until_ns = 0, now_ns + LOCKED_NS
        raise Refusal("wrong code. Next: type the six digits that `station vr` shows")
