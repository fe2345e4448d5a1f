"""A job's side: tells and asks. A process is a job if it was started as one (`station.steps.job`)."""

import base64
import contextlib
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping

import typer

from station.errors import StationError
from station.steps import protocol
from station.steps.protocol import GO_ON, LONGEST_LINE, Answer, End, Step

MARK = "STATION_STEPS"
"""The environment variable that a job is started with."""
_LOOK_S = 0.05


def is_job() -> bool:
    """Was this process started as a job, so that somebody reads its lines?"""
    return os.environ.get(MARK) == "1"


class Speaker:
    """Writes steps to `out` and reads answers from `answers` (descriptors)."""

    def __init__(self, out: int, answers: int) -> None:
        self._out, self._answers = out, answers
        self._number = 0
        self._rest = b""

    def tell(
        self, words: str, progress: float | None = None, values: Mapping[str, float | str] | None = None, picture: bytes = b""
    ) -> None:  # fmt: skip
        """Say what is done now, or what was found. `picture`: a JPEG."""
        self._step(words, (), progress, values, picture)

    def ask(
        self, words: str, answers: tuple[str, ...] = (GO_ON,), meanwhile: Callable[[], None] = lambda: None,
        values: Mapping[str, float | str] | None = None, picture: bytes = b"",
    ) -> str:  # fmt: skip
        """Wait for one of the answers, calling `meanwhile` twenty times a second: what flows meanwhile must be taken in, or it piles up.

        What was answered before it was asked answers nothing. Raises typer.Abort when nobody is there to answer any more.
        """
        number = self._step(words, answers, None, values, picture)
        while True:
            while not select.select([self._answers], [], [], _LOOK_S)[0]:
                meanwhile()
            for given in self._read():
                if given.step == number and given.answer in answers:
                    return given.answer

    def end(self, code: int, words: str = "") -> None:
        """The last line."""
        self._write(End(code, words))

    def _step(
        self, words: str, answers: tuple[str, ...], progress: float | None, values: Mapping[str, float | str] | None, picture: bytes
    ) -> int:  # fmt: skip
        self._number += 1
        step = Step(
            self._number, words, answers, base64.b64encode(picture).decode(), dict(values or {}), progress
        )  # fmt: skip
        self._write(step)
        return self._number

    def _write(self, line: Step | End) -> None:
        data = memoryview(protocol.encode(line))
        while data:
            data = data[os.write(self._out, data) :]

    def _read(self) -> list[Answer]:
        """The answers that have come whole. What is no answer is passed over."""
        data = os.read(self._answers, 1 << 16)
        if not data:
            raise typer.Abort
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        found = []
        for raw in lines:
            with contextlib.suppress(ValueError):
                found.append(protocol.answer(raw))
        return found


@contextlib.contextmanager
def speaking() -> Iterator[Speaker]:
    """This process's speaker, for a job's whole work; how it ended is its last line.

    Its standard output is the lines alone: what anything else prints goes to the standard error.
    """
    sys.stdout.flush()
    out = os.dup(1)
    os.dup2(2, 1)
    speaker = Speaker(out, 0)
    try:
        yield speaker
        speaker.end(0)
    except StationError as error:
        speaker.end(error.exit_code, str(error))
        raise
    except (typer.Abort, KeyboardInterrupt):
        with contextlib.suppress(BrokenPipeError):  # who showed it may be gone
            speaker.end(1, "interrupted; the arms hold")
        raise
    finally:
        sys.stdout.flush()
        os.dup2(out, 1)
        os.close(out)
