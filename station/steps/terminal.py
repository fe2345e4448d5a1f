"""The terminal as a job's client: words are lines, progress is one line that goes away, a question waits for Enter or for a word.

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


def show(job: Job, to: PlainConsole = console, seconds: float | None = None) -> int:
    """Show a job's steps and answer them at this terminal until it ends; its exit code. Raises StationError as `Job.lines` does, and
    UsageError where it offers something and there is no terminal.

    Ctrl-C reaches the job by itself, which ends in its own way; the terminal waits for it.
    """
    ours = threading.current_thread() is threading.main_thread()  # only there signals are heeded
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if ours else None
    try:
        with _Shown(job, to) as shown_here:
            while (lines := job.take(seconds, *shown_here.keys)) is not None:
                for line in lines:
                    shown_here.take(line)
                shown_here.press()
        return job.wait()
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


class _Shown:
    """What of a job stands at the terminal now."""

    def __init__(self, job: Job, to: PlainConsole) -> None:
        self._job, self._to = job, to
        self._passing = False
        self._keyboard: Keyboard | None = None
        self._offer = Offer(0)
        self._question: Step | None = None
        """That waits for a key while something is offered."""

    @property
    def keys(self) -> tuple[int, ...]:
        """Where a key comes from that is an answer by itself."""
        return () if self._keyboard is None else (self._keyboard.fd,)

    def take(self, line: Line) -> None:
        """The job's next line."""
        if self._passing:
            _wipe()
            self._passing = False
        if isinstance(line, Offer):
            self._offer = line
            self._read_keys(bool(line.answers))
        elif not isinstance(line, Step):
            return
        elif line.answers and self._keyboard is not None:
            self._to.print(line.words)
            self._question = line
        elif line.answers:
            given = _asked(line)
            if given is None:
                self._job.leave()
            else:
                self._job.answer(line, given)
        elif DOCUMENT in line.values:
            sys.stdout.write(str(line.values[DOCUMENT]))
        elif line.progress is not None:
            self._passing = _pass(line)
        else:
            self._to.print(line.words)

    def press(self) -> None:
        """Give the job what was pressed. What is no answer is passed over."""
        if self._keyboard is None or not select.select([self._keyboard.fd], [], [], 0)[0]:
            return
        for key in self._keyboard.read():
            begins = _BY_NAME.get(key, key)
            for waiting in self._waiting():
                meant = [answer for answer in waiting.answers if answer.startswith(begins)]
                if len(meant) == 1:
                    self._job.answer(waiting, meant[0])
                    self._question = None if waiting is self._question else self._question
                    break
        if self._keyboard.closed:
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


def _asked(step: Step) -> str | None:
    """The answer; None at the end of the input. Keys pressed before it was asked do not answer it."""
    keyboard = sys.stdin.fileno()
    if os.isatty(keyboard):
        termios.tcflush(keyboard, termios.TCIFLUSH)
    words = [answer for answer in step.answers if answer != GO_ON]
    waits = GO_ON in step.answers
    prompt = f" [{'/'.join(words)}]: "
    if waits:
        instead = f" (or type {' or '.join(words)})" if words else ""
        prompt = f". Then press Enter{instead}: "
    while True:
        typer.echo(f"{shown(step.words)}{prompt}", nl=False)
        typed = _line(keyboard)
        if typed is None:
            return None
        if waits and not (typed and words):
            return GO_ON
        if answer := _meant(typed, words):
            return answer


def _meant(typed: str, words: list[str]) -> str:
    """The answer that was typed, whole or so much of it that it is no other's beginning; "" for none."""
    meant = [word for word in words if word == typed] or [word for word in words if typed and word.startswith(typed)]
    return meant[0] if len(meant) == 1 else ""


def _line(keyboard: int) -> str | None:
    """A line; None at the end. A byte at a time and past Python's buffer, which would take the answers to later questions along."""
    typed = b""
    while (key := os.read(keyboard, 1)) != b"\n":
        if not key:
            return None
        typed += key
    return typed.decode(errors="replace").strip()


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
