"""What a request is, and its answer."""

import msgspec


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of every request."""


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It is done (not: it has been noted). `detail` is for people."""

    detail: str = ""
    token: str = ""
    """What was asked for, or what the next request must carry (`Park.confirmation`)."""


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """It was not done. `why` says the reason and the next act."""

    why: str


Reply = Done | Refused
