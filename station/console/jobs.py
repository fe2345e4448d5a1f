"""A command of the house that runs for the pages: its steps are shown to all of them, its questions answered by one.

The same code as the terminal's, in a process of its own (`station.steps`): what it says is read step by step, never as text for people.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from station.errors import RequestRefused, StationError
from station.steps.job import Job
from station.steps.protocol import End, Line, Step
from station.terminal.shown import shown

Tell = Callable[[dict[str, Any]], None]


class Jobs:
    """One at a time, for one rig. To be used in one event loop; `tell` gets what every page is to show of it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._job: Job | None = None
        self._step: Step | None = None
        self.told: dict[str, Any] | None = None
        """The newest of what was told; None before the first."""

    def begin(self, name: str, arguments: Sequence[str], by: str) -> None:
        """Start it. Raises RequestRefused while another runs."""
        if self._job is not None:
            assert self.told is not None
            raise RequestRefused(
                f"{self.told['name']} runs already, for {self.told['by']}. Next: wait for it, or end it"
            )
        self._job, self._step = Job(arguments, quiet=True), None
        self._say({"name": name, "by": by, "running": True, "words": "", "answers": (), "progress": None, "code": None})
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self._read, self._job, loop)

    def refuse_another(self) -> None:
        """Raises RequestRefused while one runs."""
        if self._job is not None:
            assert self.told is not None
            raise RequestRefused(
                f"{self.told['name']} runs already, for {self.told['by']}. Next: wait for it, or end it"
            )

    def answer(self, step: int, answer: str) -> None:
        """Answer what it asked. Raises RequestRefused where it asks nothing of that number, or offers no such answer."""
        if self._job is None or self._step is None or self._step.number != step or answer not in self._step.answers:
            raise RequestRefused("nothing is asked like that any more. Next: look at what the job says now")
        self._job.answer(self._step, answer)
        self._step = None
        self._say({"answers": ()})

    def end(self) -> None:
        """End it where it is. Raises RequestRefused where none runs."""
        if self._job is None:
            raise RequestRefused("no job runs")
        self._job.stop()

    def close(self) -> None:
        """With the console."""
        if self._job is not None:
            self._job.close()

    def _read(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of its own, until its last line."""
        why = ""
        try:
            for line in job.lines():
                loop.call_soon_threadsafe(self._heard, line)
            job.wait()
        except (StationError, OSError) as error:
            why = str(error)
        job.close()
        with suppress(RuntimeError):  # the console has ended meanwhile
            loop.call_soon_threadsafe(self._ended, job, why)

    def _heard(self, line: Line) -> None:
        if isinstance(line, Step):
            self._step = line if line.answers else None
            words = shown(line.words)
            self._say({
                "step": line.number, "words": words, "answers": line.answers, "progress": line.progress, "picture": line.picture,
            })  # fmt: skip

    def _ended(self, job: Job, why: str) -> None:
        end = job.end or End(1, why or "it ended before it was done")
        self._job = self._step = None
        self._say(
            {
                "running": False,
                "answers": (),
                "progress": None,
                "code": end.code,
                "words": shown(end.words or why),
                "picture": "",
            }
        )

    def _say(self, changed: dict[str, Any]) -> None:
        self.told = {**(self.told or {}), "kind": "job", **changed}
        self._tell(self.told)
