"""The terminal as a job's client: words are lines, progress is one line that goes away, a question waits for Enter or for a word, one of a
few or one's own.

While a job offers something, each key is an answer by itself: the letter that it begins with, Enter for "go on", Space for "pause".
"""

import functools
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self

import typer

from station.steps.job import Job
from station.steps.protocol import DOCUMENT, GO_ON, Line, Offer, Step
from station.steps.speaker import is_job
from station.terminal.keys import Keyboard
from station.terminal.screen import PlainConsole, console
from station.terminal.shown import shown

P = ParamSpec("P")
_BY_NAME = {"enter": GO_ON, "space": "pause"}
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def show(job: Job, to: PlainConsole = console, seconds: float | None = None) -> int:
    """Show a job's steps and answer them at this terminal until it ends; its exit code. Raises StationError as `Job.lines` does, and
    UsageError where it offers something and there is no terminal.

    Ctrl-C, `kill` and the terminal's closing are handed on to the job, which ends in its own way, also while a question stands; the
    terminal waits for it.
    """
    ours = threading.current_thread() is threading.main_thread()  # only there signals are heeded
    before = {number: signal.signal(number, lambda *_: job.stop()) for number in _ENDINGS} if ours else {}
    try:
        with _Shown(job, to) as shown_here:
            while (lines := job.take(seconds, *shown_here.keys)) is not None:
                for line in lines:
                    shown_here.take(line)
                shown_here.press()
        return job.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Shown:
    """What of a job stands at the terminal now."""

    def __init__(self, job: Job, to: PlainConsole) -> None:
        self._job, self._to = job, to
        self._passing = False
        self._keyboard: Keyboard | None = None
        self._offer = Offer(0)
        self._question: Step | None = None
        """That waits for a key while something is offered."""
        self._prompt: _Prompt | None = None
        self._later: list[Line] = []
        """What the job said while a prompt stood."""

    @property
    def keys(self) -> tuple[int, ...]:
        """Where keys come from."""
        if self._prompt is not None:
            return (self._prompt.fd,)
        return () if self._keyboard is None else (self._keyboard.fd,)

    def take(self, line: Line) -> None:
        """The job's next line."""
        if self._prompt is not None:
            self._later.append(line)
            return
        if self._passing:
            _wipe()
            self._passing = False
        if isinstance(line, Offer):
            self._offer = line
            self._read_keys(bool(line.answers))
        elif not isinstance(line, Step):
            return
        elif line.asks and self._keyboard is not None:
            self._to.print(line.words)
            self._question = line
        elif line.asks:
            self._prompt = _Prompt(line)
        elif DOCUMENT in line.values:
            sys.stdout.write(str(line.values[DOCUMENT]))
        elif line.progress is not None:
            self._passing = _pass(line)
        else:
            self._to.print(line.words)

    def press(self) -> None:
        """Give the job what was pressed or typed. A key that is no answer is passed over, a line that is none is asked for again."""
        if self._prompt is not None:
            self._read_line(self._prompt)
        elif self._keyboard is not None:
            self._read_key(self._keyboard)

    def _read_line(self, prompt: "_Prompt") -> None:
        try:
            given = prompt.read()
        except EOFError:
            self._job.leave()
        else:
            if given is None:
                return
            self._job.answer(prompt.step, given)
        self._prompt = None
        later, self._later = self._later, []
        for line in later:
            self.take(line)

    def _read_key(self, keyboard: Keyboard) -> None:
        if not select.select([keyboard.fd], [], [], 0)[0]:
            return
        for key in keyboard.read():
            begins = _BY_NAME.get(key, key)
            for waiting in self._waiting():
                meant = [answer for answer in waiting.answers if answer.startswith(begins)]
                if len(meant) == 1:
                    self._job.answer(waiting, meant[0])
                    self._question = None if waiting is self._question else self._question
                    break
        if keyboard.closed:
            self._read_keys(False)
            self._job.leave()

    def _waiting(self) -> tuple[Step | Offer, ...]:
        return (self._offer,) if self._question is None else (self._question, self._offer)

    def _read_keys(self, wanted: bool) -> None:
        if wanted and self._keyboard is None:
            self._keyboard = Keyboard().__enter__()
        elif not wanted and self._keyboard is not None:
            self._keyboard.__exit__(None, None, None)
            self._keyboard = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._read_keys(False)
        if self._passing:
            _wipe()
        if self._prompt is not None:  # the job has ended over its question
            self._to.print()
            self._prompt = None
            for line in self._later:
                self.take(line)


def as_a_job() -> None:
    """Do this very command as a job, shown here. Raises typer.Exit with its code where that is not 0."""
    with Job(sys.argv[1:]) as job:
        code = show(job)
    if code:
        raise typer.Exit(code)


def in_a_job(command: Callable[P, None]) -> Callable[P, None]:
    """A command that does its work as a job: at the terminal it starts itself again as one, and shows it."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> None:
        if is_job():
            command(*args, **options)
            return
        as_a_job()

    return run


class _Prompt:
    """A question that a typed line answers. Keys pressed before it was asked do not answer it."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.fd = sys.stdin.fileno()
        self._typed = b""
        if os.isatty(self.fd):
            termios.tcflush(self.fd, termios.TCIFLUSH)
        self._words = [answer for answer in step.answers if answer != GO_ON]
        self._waits = GO_ON in step.answers
        self._fits = step.typed.fits if step.typed is not None else ", ".join(self._words) if step.suggested else ""
        """What fits, in words, where the prompt does not say it."""
        self._ask()

    def _ask(self) -> None:
        choice = self.step.suggested or ("" if self.step.typed is not None else "/".join(self._words))
        prompt = f" [{choice}]: " if choice else ": "
        if self._waits:
            instead = f" (or type {' or '.join(self._words)})" if self._words else ""
            prompt = f". Then press Enter{instead}: "
        typer.echo(f"{shown(self.step.words)}{prompt}", nl=False)

    def read(self) -> str | None:
        """The answer, once a line is one; it is asked again for one that is none. Raises EOFError at the end of the input.

        A byte at a time and past Python's buffer, which would take the answers to later questions along.
        """
        while select.select([self.fd], [], [], 0)[0]:
            key = os.read(self.fd, 1)
            if not key:
                raise EOFError
            self._typed += key
            if key == b"\n":
                line, self._typed = self._typed, b""
                said = line.decode(errors="replace").strip()
                if answer := self._meant(said):
                    return answer
                if said and self._fits:
                    typer.echo(shown(f"{said[:60]!r}: {self._fits}"))
                self._ask()
        return None

    def _meant(self, typed: str) -> str:
        """The answer that was typed, whole or so much of it that it is no other's beginning; "" for none."""
        if not typed and self.step.suggested:
            return self.step.suggested
        if self._waits and not (typed and self._words):
            return GO_ON
        if self.step.typed is not None:
            return typed if self.step.allows(typed) else ""
        meant = [word for word in self._words if word == typed]
        meant = meant or [word for word in self._words if typed and word.startswith(typed)]
        return meant[0] if len(meant) == 1 else ""


def _pass(step: Step) -> bool:
    """A line that the next one takes the place of. Only people see it."""
    if not sys.stdout.isatty():
        return False
    sys.stdout.write(f"\r\x1b[K{shown(step.words)[:70]} {step.progress or 0.0:.0%}")
    sys.stdout.flush()
    return True


def _wipe() -> None:
    sys.stdout.write("\r\x1b[K")
    sys.stdout.flush()
