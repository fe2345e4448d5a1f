"""May this request be answered? Pure: what the headers say, held against the names this computer has.

A web page elsewhere can make a browser in the lab ask us: under its own name, pointed at our address (DNS rebinding), or
under ours, from its own origin. The first is told by `Host`, the second by `Origin` and, where the browser sends it, by
`Sec-Fetch-Site`.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

METHODS = ("GET", "HEAD")


class Asked(NamedTuple):
    """Of a request, what decides. Headers as they came: every value, in order."""

    method: str
    scheme: str
    """http or https, as the connection is; never from a header."""
    upgrade: bool
    """Does it open a WebSocket."""
    body: bool
    """Does it announce one."""
    host: Sequence[str]
    origin: Sequence[str]
    fetch_site: Sequence[str] = ()
    fetch_mode: Sequence[str] = ()
    fetch_dest: Sequence[str] = ()


class Refused(NamedTuple):
    """The answer instead."""

    status: int
    why: str


def host_of(header: str) -> str:
    """The name in a `Host` header, lower case, without the port; "" if it is none."""
    name, port = header, ""
    if header.startswith("["):
        name, bracket, rest = header[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return ""
        port = rest[1:] if rest else ""
    elif ":" in header:
        name, _, port = header.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return ""
    return name.rstrip(".").lower()


def refusal(asked: Asked, names: Collection[str]) -> Refused | None:
    """Why it is not answered; None if it is. `names`: this computer's, lower case."""
    if asked.method not in METHODS:
        return Refused(405, "this page is only read")
    if asked.body:
        return Refused(413, "nothing is uploaded here")
    if len(asked.host) != 1:
        return Refused(400, "one Host header, please")
    if host_of(asked.host[0]) not in names:
        return Refused(421, "this computer has no such name. Next: open an address that the station shows")
    same = f"{asked.scheme}://{asked.host[0]}"
    if asked.upgrade and list(asked.origin) != [same]:
        return Refused(403, "open the station's own page")
    if any(origin != same for origin in asked.origin):
        return Refused(403, "open the station's own page")
    return _fetched(asked)


def _fetched(asked: Asked) -> Refused | None:
    """Another site may lead a person here, and nothing else."""
    if all(site in ("same-origin", "none") for site in asked.fetch_site):
        return None
    led = list(asked.fetch_mode) == ["navigate"] and list(asked.fetch_dest) == ["document"]
    if led and not asked.upgrade:
        return None
    return Refused(403, "open the station's own page")
