"""The lines of a job: steps one way, answers the other, one JSON document on each. Pure.

A job tells a step and goes on, or asks one and waits until somebody has given an answer that it allows: one of a few words, or what is
typed, where it says what fits. While it goes on it may offer answers: nobody waits for them, and whoever shows them has a key or a button
for each. Its last line says how it ended. Whoever shows it (the terminal, a page) needs to know nothing else about what it does.
"""

import re

import msgspec

from station.borders.decoding import Decoder

GO_ON = "go on"
"""The answer of a prompt that only waits until somebody is ready."""
DOCUMENT = "document"
"""The value that is a command's whole answer to `--json`: whoever shows the job writes it as it is, and nothing else."""
LONGEST_LINE = 8 << 20
"""Bytes: a picture of a camera is a tenth of it."""


class Typed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer in words of one's own, such as a name."""

    pattern: str
    """A regular expression that fits the whole of it, and that browsers read as Python does: no `\\A`, no `\\Z`."""
    fits: str
    """The same for people: `a–z, 0–9 and _`."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="step"):
    """One step: what is done now, or what somebody is to do."""

    number: int
    """From 1; an answer names it."""
    words: str
    answers: tuple[str, ...] = ()
    """One of these is waited for, or what is typed; empty and nothing to be typed: nothing is."""
    picture: str = ""
    """A JPEG in base64, to be shown with it."""
    values: dict[str, float | str] = {}
    """Numbers and words for a program, by name, units in the names."""
    progress: float | None = None
    """How much of the whole is done, 0 to 1; None where that is not known."""
    typed: Typed | None = None
    """What may be typed instead of one of the answers; None: nothing."""
    suggested: str = ""
    """The likeliest answer: a terminal gives it for Enter alone, a page writes it into its field."""

    def allows(self, answer: str) -> bool:
        """Does that answer it?"""
        return answer in self.answers or (
            self.typed is not None and re.fullmatch(self.typed.pattern, answer) is not None
        )

    @property
    def asks(self) -> bool:
        """Is an answer waited for?"""
        return bool(self.answers) or self.typed is not None


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="offer"):
    """What may be given from now on, at any time and as often as somebody likes, until the next offer: each begins with another letter.

    An answer counts for as long as it has been offered without a break since the offer that it names, so that one that was under way when
    the offer changed is heard where it still means the same, and nowhere else.
    """

    number: int
    """In one row with the steps'; an answer names it."""
    answers: tuple[str, ...] = ()
    """Empty: nothing any more."""
    about: str = ""
    """What they say something of, for as long as they are offered: what is told meanwhile says other things."""

    def allows(self, answer: str) -> bool:
        """Is that offered?"""
        return answer in self.answers


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="look"):
    """What is seen while it asks: the newest takes the place of the one before, and a step ends it. Said only to whoever shows pictures."""

    words: str
    picture: str = ""
    """A JPEG in base64."""
    values: dict[str, float | str] = {}
    """As a step's."""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end"):
    """The last line. `code` is the process's exit code: 0 done, 1 failed with a reason, 2 bad usage."""

    code: int
    words: str = ""
    """The reason; "" for one that is done."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To a step that asked, or to an offer."""

    step: int
    answer: str


Line = Step | Offer | Look | End
_line: Decoder[Line] = Decoder("json", Line)
_answer: Decoder[Answer] = Decoder("json", Answer)


def encode(line: Line | Answer) -> bytes:
    """One line."""
    return msgspec.json.encode(line) + b"\n"


def line(raw: bytes) -> Line:
    """A job's line. Raises Undecodable, a ValueError."""
    return _line.decode(raw)


def answer(raw: bytes) -> Answer:
    """A client's line. Raises Undecodable, a ValueError."""
    return _answer.decode(raw)
