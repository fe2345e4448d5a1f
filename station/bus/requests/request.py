"""What a request is, and its answer."""

from typing import Literal

import msgspec

from station.borders.bounds import Count, Name


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of every request."""


class Who(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Goes with every request: who asks, and what was seen when it was decided."""

    client: Name
    """The program: `record`, `headset`, a node's name."""
    person: Name = ""
    """The operator's name; "" where nobody is named."""
    seen: Count = 0
    """`SessionState.sequence` of the state that the person, or the program, saw; 0: none."""
    seat: Name = ""
    """Which page of a console, where it is one: such a page needs control. "": a terminal, a pedal, a headset, a script."""
    at_rig: bool = True
    """Stands whoever asks beside the arms? What moves them from afar is allowed by somebody who does."""

    def __str__(self) -> str:
        return f"{self.person} ({self.client})" if self.person else self.client


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It is done (not: it has been noted). `detail` is for people."""

    detail: str = ""
    token: str = ""
    """What was asked for, or what the next request must carry (`Park.confirmation`)."""


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It was not done. `why` says the reason and the next act."""

    why: str
    needs: Literal["", "check"] = ""
    """What has to be done before it is asked again, for a program: `check` is `station check`."""


Reply = Done | Refused
