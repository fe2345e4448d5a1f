"""What a command line may ask for: told before anything starts, not when the session refuses it."""

import msgspec

from station.borders.decoding import reason
from station.bus.requests import OpenSession
from station.errors import UsageError
from station.session.asked import absurd_sitting


def sensible(open_session: OpenSession) -> OpenSession:
    """The sitting asked for. Raises UsageError for one that the session would refuse: a task that is no folder's name, a text too long."""
    why = absurd_sitting(open_session)
    if why:
        raise UsageError(why)
    try:
        msgspec.convert(msgspec.to_builtins(open_session), OpenSession)
    except msgspec.ValidationError as error:
        raise UsageError(f"{reason(error)}. Next: shorten it") from error
    return open_session
