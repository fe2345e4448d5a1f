"""Text that leaves the computer: whose it is and where it stands on a network is taken out. Pure."""

import ipaddress
import re
from collections.abc import Iterable

_MAC = re.compile(r"\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\b")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_SHORTEST_NAME = 3
"""A name of two letters stands in half the words of a log."""


def redacted(text: str, people: Iterable[str], home: str) -> str:
    """`text` without addresses, mail addresses, passwords in URLs, the home folder, and the names given (people's, the computer's)."""
    if len(home) > 1:
        text = text.replace(home, "~")
    text = _CREDENTIALS.sub("", text)
    text = _MAIL.sub("<mail>", text)
    text = _MAC.sub("<mac>", text)
    text = _IPV4.sub(lambda found: _address(found[0]), text)
    text = _IPV6.sub(lambda found: _address(found[0]), text)
    for name in sorted({name for name in people if len(name) >= _SHORTEST_NAME}, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "<name>", text, flags=re.IGNORECASE)
    return text


def _address(text: str) -> str:
    """This computer's own address to itself, and what only looks like an address (a time, a version), stay."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    return text if found.is_loopback or found.is_unspecified else "<address>"
