"""What a word of a page is, and what its fields may be."""

from typing import Annotated

import msgspec
from msgspec import Meta

from station.borders.bounds import Name, PathText

LONGEST_BYTES = 64 << 10
Line = Annotated[str, Meta(max_length=4000)]
FolderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}\Z")]
Chosen = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1000)]
Ports = Annotated[tuple[PathText, ...], Meta(max_length=16)]
"""Look at these only; (): at all there are."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=str.lower):
    """Base of all of them."""
