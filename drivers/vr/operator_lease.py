"""The operator's lease: who may become the operator of a headset, and that only one is. Pure; time is an argument."""

import hmac
import secrets

from station.clock import NS_PER_S
from station.web.attempts import Attempts, TooMany

SILENT_NS = 2 * NS_PER_S
"""An operator who has not been heard for this long has lost the lease."""


class Refusal(Exception):
    """Why somebody may not be the operator; the text is for them."""


def new_code() -> str:
    """Six digits: what can be typed with a controller."""
    return f"{secrets.randbelow(1_000_000):06}"


def new_key() -> str:
    """What the terminal's link holds instead: nobody guesses it, so it never waits behind those who do."""
    return secrets.token_urlsafe(16)


class OperatorLease:
    """At most one operator. The code or the key grants it; the token given out lets the same browser come back after a reload."""

    def __init__(self, code: str, key: str = "") -> None:
        self.code, self.key = code, key
        self.attempts = Attempts()
        self._tokens: set[str] = set()
        self._owner = ""
        self._heard_ns = 0

    def wait_ns(self, code: str, token: str, address: str, now_ns: int) -> int:
        """How long to wait before `acquire`: guesses take turns. Raises Refusal if there is no turn."""
        if token in self._tokens or self._is_key(code):
            return 0
        try:
            return self.attempts.wait_ns(address, now_ns)
        except TooMany as error:
            raise Refusal(f"{error}. Next: open the link that `station vr` shows, it never waits") from error

    def acquire(self, code: str, token: str, address: str, now_ns: int) -> str:
        """The token of the new operator, who asks from `address`. Raises Refusal: wrong code, taken."""
        if token not in self._tokens:
            if not (self._is_key(code) or _same(code, self.code)):
                self.attempts.failed(address, now_ns)
                raise Refusal("wrong code. Next: type the six digits that `station vr` shows")
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

    def release(self, token: str) -> None:
        """The operator's link is closed."""
        if self._owner == token:
            self._owner = ""

    def _is_key(self, code: str) -> bool:
        return bool(self.key) and _same(code, self.key)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
