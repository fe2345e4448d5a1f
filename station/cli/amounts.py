"""What a command line may ask for: told before anything starts, not when the session refuses it."""

import msgspec

from station.bus.requests import OpenSession
from station.decoding import reason
from station.errors import UsageError
from station.session.asked import absurd_sitting


def sensible(opening: OpenSession) -> OpenSession:
    """The sitting asked for. Raises UsageError for one that the session would refuse: a task that is no folder's name, a text too long."""
    why = absurd_sitting(opening)
    try:
        msgspec.convert(msgspec.to_builtins(opening), OpenSession)
    except msgspec.ValidationError as error:
        why = why or f"{reason(error)}. Next: shorten it"
    if why:
        raise UsageError(why)
    return opening
