"""What every body on the bus is, and what goes before it."""

import msgspec

from station.borders.bounds import Count, Name, Whole

SCHEMA = 4
"""2: the header names the body. 3: an arm's effort has its unit, and an arm says whether it can be commanded. 4: a setpoint, a
command and what was applied are three structs.
"""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Base of every body on the bus."""


class Header(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Goes before every body. `start_id` is drawn at random when a node starts: a change means it is another life."""

    schema: Count
    start_id: Count
    sequence: Count
    captured_at_ns: Whole
    sent_at_ns: Whole
    body: Name = ""
    """The struct that follows, by name. Journals do not keep it: there the stream's kind says it."""
