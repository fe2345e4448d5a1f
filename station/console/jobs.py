"""A command of the house that runs for the pages: its steps are shown to all of them, its questions answered by one.

The same code as the terminal's, in a process of its own (`station.steps`): what it says is read step by step, never as text for people.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from station.errors import RequestRefused, StationError
from station.steps.job import Job
from station.steps.protocol import End, Line, Look, Offer, Step
from station.terminal.shown import shown

Tell = Callable[[dict[str, Any]], None]
ELSEWHERE = ("take over", "in hand", "lead", "go along", "hold", "pause")
"""Of what a job offers: what pages have words of their own for, which the session holds against the hands at the leaders."""
STILL = ("success", "failure", "repeat", "quit", "no")
"""Answers to a job that moves arms after which none moves: they need nobody's leave."""
SAID = 12
"""Lines of what a job has told that a page gets, the newest: what a rig file's check finds, what each joint was read as."""
_PASSED = "nothing is asked like that any more. Next: look at what the job says now"


class Jobs:
    """One at a time, for one rig. To be used in one event loop; `tell` gets what every page is to show of it, `show` what is seen
    while it asks: of that only the newest matters.
    """

    def __init__(self, tell: Tell, show: Tell) -> None:
        self._tell, self._show = tell, show
        self._job: Job | None = None
        self._step: Step | None = None
        self._offer: Offer | None = None
        self.told: dict[str, Any] | None = None
        """The newest of what was told; None before the first."""

    def begin(
        self, name: str, arguments: Sequence[str], by: str, of: str = "", blind: bool = False, moves: bool = False
    ) -> None:
        """Start it. `of`: what it makes, for the pages; `blind`: nobody is to know which policy runs; `moves`: it moves arms.

        Raises RequestRefused while another runs.
        """
        self.refuse_another()
        self._job, self._step, self._offer = Job(arguments, quiet=True, looks=True), None, None
        self.told = None
        self._say({
            "name": name, "by": by, "of": of, "blind": blind, "moves": moves, "running": True, "words": "", "step": 0, "answers": (),
            "typed": None, "suggested": "", "said": (), "offer": 0, "offers": (), "about": "", "progress": None, "picture": "",
            "code": None,
        })  # fmt: skip
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self._read, self._job, loop)

    @property
    def blind(self) -> bool:
        """Is nobody to know which policy runs?"""
        return self._job is not None and self.told is not None and bool(self.told["blind"])

    def moves(self, answer: str) -> bool:
        """May arms move because of that answer?"""
        return self._job is not None and self.told is not None and bool(self.told["moves"]) and answer not in STILL

    def refuse_another(self) -> None:
        """Raises RequestRefused while one runs."""
        if self._job is not None:
            assert self.told is not None
            raise RequestRefused(
                f"{self.told['name']} runs already, for {self.told['by']}. Next: wait for it, or end it"
            )

    def refuse_beside_a_sitting(self, phase: str) -> None:
        """Raises RequestRefused while one is open. `phase`: of the session, "" while it says nothing."""
        if phase not in ("", "ended"):
            raise RequestRefused("a sitting is open, and comes first. Next: end it, then ask again")

    def answer(self, step: int, answer: str) -> None:
        """Answer what it asked, or give what it offers. Raises RequestRefused where it does neither any more by that number."""
        asked = next((one for one in (self._step, self._offer) if one is not None and one.number == step), None)
        if self._job is None or asked is None or (asked is self._offer and answer in ELSEWHERE):
            raise RequestRefused(_PASSED)
        if not asked.allows(answer):
            typed = asked.typed if isinstance(asked, Step) else None
            raise RequestRefused(f"{answer[:60]!r}: {typed.fits}" if typed is not None else _PASSED)
        self._job.answer(asked, answer)
        if asked is self._step:
            self._step = None
            self._say({"answers": (), "typed": None})

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
        if isinstance(line, Look):
            step = self._step.number if self._step is not None else 0
            told = {"words": shown(line.words), "picture": line.picture, "values": line.values}
            self._show({"kind": "look", "step": step, **told})
        elif isinstance(line, Step):
            self._step = line if line.asks else None
            self._note(line)
            self._say({
                "step": line.number, "words": shown(line.words), "answers": line.answers, "typed": msgspec.to_builtins(line.typed),
                "suggested": line.suggested, "progress": self._far(line), "picture": line.picture,
            })  # fmt: skip
        elif isinstance(line, Offer):
            self._offer = line
            offers = tuple(one for one in line.answers if one not in ELSEWHERE)
            self._say({"offer": line.number, "offers": offers, "about": shown(line.about)})

    def _note(self, step: Step) -> None:
        """What was told last, for pages that show more of it than the newest words."""
        assert self.told is not None
        if step.words and not step.asks and step.progress is None:
            self.told = {**self.told, "said": (*self.told["said"], shown(step.words))[-SAID:]}

    def _far(self, step: Step) -> float | None:
        """How much is done; of trials, what was said last: what is told between two of them says nothing of it."""
        if step.progress is None and self.told is not None and self.told["moves"]:
            return float(self.told["progress"]) if self.told["progress"] is not None else None
        return step.progress

    def _ended(self, job: Job, why: str) -> None:
        end = job.end or End(1, why or "it ended before it was done")
        self._job = self._step = self._offer = None
        self._say(
            {
                "running": False,
                "answers": (),
                "typed": None,
                "offers": (),
                "progress": None,
                "code": end.code,
                "words": shown(end.words or why) or (self.told or {}).get("words", ""),
                "picture": "",
            }
        )

    def _say(self, changed: dict[str, Any]) -> None:
        self.told = {**(self.told or {}), "kind": "job", **changed}
        self._tell(self.told)
