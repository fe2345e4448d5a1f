"""A job's side: tells and asks. A process is a job if it was started as one (`station.steps.job`)."""

import base64
import contextlib
import io
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping

import msgspec
import typer

from station.errors import StationError
from station.steps import protocol
from station.steps.protocol import DOCUMENT, GO_ON, LONGEST_LINE, Answer, End, Line, Look, Offer, Step, Typed
from station.terminal.told import as_text

MARK = "STATION_STEPS"
"""The environment variable that a job is started with."""
LOOKS = "STATION_LOOKS"
"""And that says that whoever started it shows pictures."""
_LOOK_S = 0.05


def is_job() -> bool:
    """Was this process started as a job, so that somebody reads its lines?"""
    return os.environ.get(MARK) == "1"


class Speaker:
    """Writes steps to `out` and reads answers from `answers` (descriptors).

    Where nobody is there any more, the next word or look says so, once: typer.Abort. What ends the work then needs no listener.
    """

    def __init__(self, out: int, answers: int, looks: bool = False) -> None:
        """`looks`: whoever listens shows pictures."""
        self._out, self._answers = out, answers
        self.looks = looks
        """Is it worth saying what is seen?"""
        self._number = 0
        self._rest = b""
        self._left = self._silent = False
        """Nobody answers any more; nobody listens any more."""
        self._asked: Step | None = None
        self._answer: str | None = None
        self._offered: dict[str, int] = {}
        """What may be given, and the offer since which it may without a break."""
        self._about = ""
        self._given: list[str] = []

    def tell(
        self, words: str, progress: float | None = None, values: Mapping[str, float | str] | None = None, picture: bytes = b""
    ) -> None:  # fmt: skip
        """Say what is done now, or what was found. `picture`: a JPEG."""
        self._step(words, (), progress, values, picture)

    def document(self, body: msgspec.Struct) -> None:
        """The command's answer to `--json`."""
        self.tell("", values={DOCUMENT: as_text(body)})

    def ask(
        self, words: str, answers: tuple[str, ...] = (GO_ON,), meanwhile: Callable[[], None] = lambda: None,
        values: Mapping[str, float | str] | None = None, picture: bytes = b"", typed: Typed | None = None, suggested: str = "",
    ) -> str:  # fmt: skip
        """Wait for one of the answers, calling `meanwhile` twenty times a second: what flows meanwhile must be taken in, or it piles up.

        `typed`: what may be typed instead, which nothing may be offered beside; `suggested`: the likeliest answer. What was answered before
        it was asked answers nothing. Raises typer.Abort when nobody is there to answer any more.
        """
        assert typed is None or not self._offered, "keys that are answers by themselves cannot make a word"
        self._asked, self._answer = self._step(words, answers, None, values, picture, typed, suggested), None
        while self._answer is None:
            if self._left:
                raise typer.Abort
            if select.select([self._answers], [], [], _LOOK_S)[0]:
                self._take_in()
            else:
                meanwhile()
        self._asked = None
        return self._answer

    def look(self, words: str, values: Mapping[str, float | str] | None = None, picture: bytes = b"") -> None:
        """Say what is seen while something is asked; nothing where nobody shows pictures. `picture`: a JPEG."""
        if self.looks:
            self._write(Look(words, base64.b64encode(picture).decode(), dict(values or {})))

    def offer(self, *answers: str, about: str = "") -> None:
        """From now on these may be given at any time, and nothing else. `about`: what they say something of, for people."""
        if (set(answers), about) == (set(self._offered), self._about):
            return
        self._number, self._about = self._number + 1, about
        self._offered = {answer: self._offered.get(answer, self._number) for answer in answers}
        self._given = [answer for answer in self._given if answer in self._offered]
        self._write(Offer(self._number, answers, about))

    def given(self) -> list[str]:
        """What has been given of what is offered, since the last look, in its order. Never blocks."""
        while not self._left and select.select([self._answers], [], [], 0)[0]:
            self._take_in()
        given, self._given = self._given, []
        return given

    def end(self, code: int, words: str = "") -> None:
        """The last line."""
        self._write(End(code, words))

    def _step(
        self, words: str, answers: tuple[str, ...], progress: float | None, values: Mapping[str, float | str] | None, picture: bytes,
        typed: Typed | None = None, suggested: str = "",
    ) -> Step:  # fmt: skip
        self._number += 1
        shows, numbers = base64.b64encode(picture).decode(), dict(values or {})
        step = Step(self._number, words, answers, shows, numbers, progress, typed, suggested)
        self._write(step)
        return step

    def _write(self, line: Line) -> None:
        data = memoryview(protocol.encode(line))
        try:
            while data and not self._silent:
                data = data[os.write(self._out, data) :]
        except BrokenPipeError:
            self._silent = True
            raise typer.Abort from None

    def _take_in(self) -> None:
        """The answers that have come whole. What is no answer, or none to what is asked or offered now, is passed over."""
        data = os.read(self._answers, 1 << 16)
        if not data:
            self._left = True
            raise typer.Abort
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        for raw in lines:
            with contextlib.suppress(ValueError):
                self._take(protocol.answer(raw))

    def _take(self, given: Answer) -> None:
        offered = given.answer in self._offered and given.step >= self._offered[given.answer]
        asked = self._asked
        if (
            asked is not None
            and self._answer is None
            and asked.allows(given.answer)
            and (given.step == asked.number or offered)
        ):
            self._answer = given.answer
        elif offered:
            self._given.append(given.answer)


class _Told(io.TextIOBase):
    """What is printed to it is told, a line a step."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker, self._rest = speaker, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._speaker.tell(line)
        return len(text)


@contextlib.contextmanager
def speaking(tells_prints: bool = False) -> Iterator[Speaker]:
    """This process's speaker, for a job's whole work; how it ended is its last line.

    Its standard output is the lines alone: what anything else prints goes to the standard error, or, where it `tells_prints`, is told.
    """
    sys.stdout.flush()
    out = os.dup(1)
    os.dup2(2, 1)
    speaker = Speaker(out, 0, os.environ.get(LOOKS) == "1")
    printed = contextlib.redirect_stdout(_Told(speaker)) if tells_prints else contextlib.nullcontext()
    try:
        with printed:
            yield speaker
        speaker.end(0)
    except StationError as error:
        speaker.end(error.exit_code, str(error))
        raise
    except (typer.Abort, KeyboardInterrupt):
        with contextlib.suppress(typer.Abort):  # who showed it may be gone
            speaker.end(1, "interrupted; the arms hold")
        raise
    finally:
        sys.stdout.flush()
        os.dup2(out, 1)
        os.close(out)
