"""A client's side: starts a command as a job, reads its steps, answers them."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from station.clock import NS_PER_S, monotonic_ns
from station.errors import StationError
from station.runtime.launch import python
from station.steps import protocol
from station.steps.protocol import LONGEST_LINE, Answer, End, Line, Offer, Step
from station.steps.speaker import LOOKS, MARK

STOP_S = 15.0
"""How long a job that is to end may take: a station that it started is stopped, arms held."""


class Job:
    """A command in a process of its own: `Job(["calibrate", "arms", "--rig", "aloha"])`. A context manager that ends it."""

    def __init__(self, arguments: Sequence[str], quiet: bool = False, looks: bool = False) -> None:
        """`quiet`: what it says besides its steps goes nowhere; else to this process's standard error. `looks`: pictures are shown here."""
        self._named = " ".join(("station", *arguments))
        self._began_ns = monotonic_ns()
        self._process = subprocess.Popen(
            python("station.cli", *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None,
            env=os.environ | {MARK: "1", LOOKS: "1" if looks else "0"},
            process_group=0,  # Ctrl-C at a terminal is its client's, which hands it on once
        )  # fmt: skip
        self._rest = b""
        self.end: End | None = None
        """Its last line, once it has come."""

    def lines(self, seconds: float | None = None) -> Iterator[Line]:
        """Its steps as they come, and its end. Raises StationError for what is no step, and where all of it takes longer than `seconds`."""
        while (taken := self.take(seconds)) is not None:
            yield from taken

    def take(self, seconds: float | None = None, *beside: int) -> list[Line] | None:
        """The lines that have come; waits for some, or until one of the descriptors `beside` has something. None: that was all.

        Raises StationError as `lines` does.
        """
        assert self._process.stdout is not None
        out = self._process.stdout.fileno()
        left_s = None if seconds is None else max(0.0, seconds - (monotonic_ns() - self._began_ns) / NS_PER_S)
        ready = select.select([out, *beside], [], [], left_s)[0]
        if not ready:
            raise StationError(f"{self._named} did not end within {seconds:g} s. Next: run it by itself")
        if out not in ready:
            return []
        data = os.read(out, 1 << 16)
        if not data:
            return None
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise StationError(f"{self._named} says a line without end. Next: run it by itself")
        return [self._line(raw) for raw in whole]

    def _line(self, raw: bytes) -> Line:
        try:
            line = protocol.line(raw)
        except ValueError as error:
            raise StationError(f"{self._named} said what is no step: {error}. Next: run it by itself") from error
        if isinstance(line, End):
            self.end = line
        return line

    def answer(self, step: Step | Offer, answer: str) -> None:
        """Answer a step that asks, or give what is offered. Raises ValueError for an answer that it does not allow.

        A job that has ended hears nothing.
        """
        if not step.allows(answer):
            typed = [step.typed.fits] if isinstance(step, Step) and step.typed is not None else []
            raise ValueError(f"{answer!r} is none of {', '.join((*step.answers, *typed)) or 'no answers'}")
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), protocol.encode(Answer(step.number, answer)))
        except BrokenPipeError:
            return

    def leave(self) -> None:
        """Nobody answers any more: a job that asks ends then."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C does; what it says until then is read as before."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """Until it has ended by itself; its exit code."""
        return self._process.wait()

    def close(self) -> None:
        """End it if it has not ended: asked first, killed after `STOP_S`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
