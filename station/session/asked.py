"""What a sitting may be asked for. Pure. The bus bounds every number; here is what only the session knows to be absurd."""

from station.borders.bounds import LONGEST_S
from station.borders.names import LONGEST_TEXT, bad_text
from station.bus.requests import Note, OpenSession, SessionRequest
from station.session.names import bad_sitting


def absurd_length(seconds: float | None, tick_hz: float) -> str:
    """Why an episode cannot be so long; "" if it can."""
    if seconds is None or 1 / tick_hz <= seconds <= LONGEST_S:  # NaN is neither
        return ""
    if seconds < 1 / tick_hz:
        return f"{seconds} s is less than one tick"
    return f"an episode of {seconds:g} s cannot be. Next: one tick ({1 / tick_hz:g} s) to {LONGEST_S:g} s, or without a length"


def absurd_sitting(asked: OpenSession) -> str:
    """Why no sitting can be like this; "" if one can."""
    if not 0 <= asked.reset_s <= LONGEST_S:
        return f"{asked.reset_s:g} s between two episodes cannot be. Next: 0 to {LONGEST_S:g} s"
    if asked.episodes < 0:
        return f"{asked.episodes} episodes cannot be. Next: how many, or 0 for no limit"
    return bad_sitting(asked)


def impossible(request: SessionRequest) -> str:
    """Why no session can do what is asked, whatever its phase; "" if one can."""
    if isinstance(request, OpenSession):
        return absurd_sitting(request)
    return bad_text("note", request.text, LONGEST_TEXT) if isinstance(request, Note) else ""
