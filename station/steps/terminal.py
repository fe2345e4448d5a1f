"""The terminal as a job's client: words are lines, progress is one line that goes away, a question waits for Enter or for a word."""

import functools
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from typing import ParamSpec

import typer

from station.steps.job import Job
from station.steps.protocol import GO_ON, Step
from station.steps.speaker import is_job
from station.terminal.screen import PlainConsole, console
from station.terminal.shown import shown

P = ParamSpec("P")


def show(job: Job, to: PlainConsole = console, seconds: float | None = None) -> int:
    """Show a job's steps and answer them at this terminal until it ends; its exit code. Raises StationError as `Job.lines` does.

    Ctrl-C reaches the job by itself, which ends in its own way; the terminal waits for it.
    """
    ours = threading.current_thread() is threading.main_thread()  # only there signals are heeded
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if ours else None
    passing = False
    try:
        for line in job.lines(seconds):
            if passing:
                _wipe()
                passing = False
            if isinstance(line, Step) and line.answers:
                given = _asked(line)
                if given is None:
                    job.leave()
                else:
                    job.answer(line, given)
            elif isinstance(line, Step) and line.progress is not None:
                passing = _pass(line)
            elif isinstance(line, Step):
                to.print(line.words)
        return job.wait()
    finally:
        if passing:
            _wipe()
        if ours:
            signal.signal(signal.SIGINT, before)


def in_a_job(command: Callable[P, None]) -> Callable[P, None]:
    """A command that does its work as a job: at the terminal it starts itself again as one, and shows it."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> None:
        if is_job():
            command(*args, **options)
            return
        with Job(sys.argv[1:]) as job:
            code = show(job)
        if code:
            raise typer.Exit(code)

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
