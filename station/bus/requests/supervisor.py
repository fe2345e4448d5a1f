"""What the supervisor is asked."""

from station.borders.bounds import Name
from station.bus.requests.request import Request


class Shutdown(Request, frozen=True):
    """Stop every node in order, arms held."""


class Restart(Request, frozen=True):
    """Restart one node."""

    node: Name


class LendKey(Request, frozen=True):
    """The key of a node that is a command (`replay`), not a row of the process table: Done's `token` is its secret."""

    node: Name


SupervisorRequest = Shutdown | Restart | LendKey
