"""What pages read of the disk: answers to their reading, and acts on episodes, done in a thread of their own beside the loop.

Reading is plain GET for whoever is paired, and changes nothing; acts come over the page's link.
"""

import asyncio
import logging
import os
import struct
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web
from multidict import MultiMapping

from station.bus.messages import Description
from station.clock import Clock
from station.console import bundle, calibrations, plans, records
from station.console.limits import Reading
from station.console.policies import Policies
from station.console.seats import Role
from station.console.shelf import Shelf
from station.console.wire import Edit, Export, KeepPlan, OfEpisodes, Recover, Restore, Trash, Unedit
from station.episodes.edits import Change
from station.errors import EpisodeError, RequestRefused, StationError, UsageError
from station.policy.claims import Vector
from station.rig.rig import Rig
from station.runtime.launch import python
from station.web.guard import HEADERS

EPISODES, RIG, POLICIES = "/episodes", "/rig", "/policies"
REPORT = f"{RIG}/report"
_PICTURE = struct.Struct("<II")
"""Before each picture: its row, and how many bytes follow."""
_KEPT = {**HEADERS, "Cache-Control": "private, max-age=86400, immutable"}
"""Of what has its file's stamp in its address."""
_VERDICTS = {"yes": True, "no": False, "unset": None}
_LONGEST_ROWS = 1000
_NICE = 10
T = TypeVar("T")
_log = logging.getLogger("console")


class Archive:
    """Of one rig's data folder. To be used in one event loop."""

    def __init__(
        self, rig: Rig, clock: Clock, recording: Callable[[], bool], vector: Callable[[], Vector | None], blind: Callable[[], bool],
        descriptions: Mapping[str, Description],
    ) -> None:  # fmt: skip
        """`vector`: the rig's, once all its arms have said what they are. `blind`: nobody is to know which policy runs."""
        self._rig, self._shelf, self.policies = rig, Shelf(rig.data, blind), Policies(rig)
        self._vector, self._descriptions = vector, descriptions
        self._clock, self._recording = clock, recording
        self._reading = Reading()
        self._thread = ThreadPoolExecutor(1, "shelf", initializer=_give_way)
        self._reporting = asyncio.Lock()
        self._recovering: asyncio.subprocess.Process | None = None

    async def answer(self, request: web.Request, role: Role) -> web.Response:
        """To one question of somebody in that role."""
        asked = request.query
        try:
            if request.path == REPORT:
                return await self._report(role)
            if request.path.startswith(RIG):
                return await self._of_rig(request.path.removeprefix(RIG).strip("/"), asked.get("node", ""))
            if request.path.startswith(POLICIES):
                return await self._of_policies(request.path.removeprefix(POLICIES).strip("/"), asked.get("of", ""))
            return await self._of_episodes(request.path.removeprefix(EPISODES).strip("/"), asked)
        except UsageError as error:
            return web.Response(status=404, text=str(error), headers=HEADERS)
        except (StationError, OSError) as error:  # OSError: a disk that went away meanwhile
            return web.Response(status=409, text=str(error), headers=HEADERS)

    async def _of_rig(self, what: str, node: str) -> web.Response:
        known = {
            "check": lambda: records.last_check(self._rig),
            "log": lambda: records.log(self._rig, node),
            "acts": lambda: records.acts(self._rig),
            "calibrations": lambda: calibrations.told(self._rig, dict(self._descriptions)),
        }
        if what not in known:
            raise UsageError("no such page")
        return _json(await self.do(known[what]))

    async def _report(self, role: Role) -> web.Response:
        """A file to be sent to whoever helps: what it tells of the computer is an engineer's to give away. One is made at a time."""
        if role != "engineer":
            raise RequestRefused("an engineer may make a report. Next: `station console link --role engineer`")
        async with self._reporting:
            made = await bundle.report(self._rig)
        file = {"Content-Disposition": f'attachment; filename="report-{self._rig.name}.zip"'}
        return web.Response(body=made, content_type="application/zip", headers={**HEADERS, **file})

    async def _of_policies(self, what: str, of: str) -> web.Response:
        policies, vector = self.policies, self._vector()
        known = {
            "": lambda: policies.listing(vector),
            "one": lambda: policies.detail(of, vector),
            "evaluations": lambda: {"evaluations": policies.evaluations()},
            "evaluation": lambda: policies.evaluation(of),
        }
        if what not in known:
            raise UsageError("no such page")
        return _json(await self.do(known[what]))

    async def _of_episodes(self, what: str, asked: MultiMapping[str]) -> web.Response:
        of, task, scene, thing = (asked.get(name, "") for name in ("of", "task", "scene", "object"))
        documents: dict[str, Callable[[], object]] = {
            "": lambda: self._shelf.listing(asked.getall("where", [])),
            "trash": self._shelf.trash,
            "outline": lambda: self._shelf.outline(of),
            "one": lambda: self._shelf.detail(of),
            "plan": lambda: plans.plan(self._rig.data, task),
            "example": lambda: self._shelf.example(task, scene, thing),
        }
        if what in documents:
            return _json(await self.do(documents[what]))
        if what == "selection":
            where, left_out = asked.getall("where", []), asked.getall("not", [])
            text = await self.do(lambda: self._shelf.selection_text(where, left_out, asked.get("reason", "")))
            return web.Response(text=text, headers=HEADERS)
        if what == "thumbnail":
            jpeg = await self.do(lambda: self._shelf.thumbnail(of, "last" in asked))
            return web.Response(body=jpeg, content_type="image/jpeg", headers=_KEPT)
        if what == "column":
            column = await self.do(lambda: self._shelf.played(of).column(asked.get("name", "")))
            if column is None:
                raise UsageError("no such column")
            return await self._bytes(column)
        if what == "moment":
            (row,) = _rows(asked.get("row", ""), most=1)
            return await self._pictures(lambda: self._shelf.played(of).moment(row))
        if what == "pictures":
            rows = _rows(asked.get("rows", ""))
            return await self._pictures(lambda: self._shelf.played(of).pictures(asked.get("camera", ""), rows))
        raise UsageError("no such page")

    async def act(self, said: OfEpisodes, busy_with: str) -> str:
        """Do it; what was done. `busy_with`: path of the newest episode of the sitting that goes on, "" where none does.

        Raises StationError.
        """
        shelf = self._shelf
        if isinstance(said, Recover):
            return await self._recover()
        if isinstance(said, KeepPlan):
            return await self.do(lambda: plans.keep(self._rig.data, said.task, bytes(said.plan)))
        names = said.episodes
        if isinstance(said, Trash) and busy_with in await self.do(lambda: [str(shelf.path(name)) for name in names]):
            why = "the newest episode of this sitting is the sitting's. Next: `u` on the Now page takes it back"
            raise EpisodeError(why)
        if isinstance(said, Edit):
            return await self.do(lambda: shelf.edit(names, _change(said)))
        acts = {Unedit: shelf.undo, Trash: shelf.delete, Restore: shelf.restore}
        return await self.do(lambda: acts[type(said)](names))

    async def export(self, said: Export) -> list[str]:
        """Write the selection; the command that makes the training set. Raises StationError."""
        file, out = await self.do(
            lambda: self._shelf.kept_selection(said.name, said.where, said.left_out, said.reason.strip())
        )
        return ["dataset", "export", said.format, str(out), "--selection", str(file)]

    async def _recover(self) -> str:
        """Journals that were left become episodes, in a process of its own with the lowest priority."""
        if self._recovering is not None:
            raise EpisodeError("journals are being made episodes already: wait for it")
        words = python("station.episodes.recover", self._shelf.data)
        self._recovering = await asyncio.create_subprocess_exec(
            "nice", "-n", "19", *words, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, told = await self._recovering.communicate()
            if self._recovering.returncode:
                raise EpisodeError(told.decode(errors="replace").strip()[-2000:] or "it was ended before it was done")
            return "every journal that was left is an episode, or is being recorded"
        finally:
            self._recovering = None

    async def _pictures(self, read: Callable[[], list[tuple[int, bytes]]]) -> web.Response:
        pictures = await self.do(read)
        return await self._bytes(b"".join(_PICTURE.pack(row, len(jpeg)) + jpeg for row, jpeg in pictures))

    async def _bytes(self, body: bytes) -> web.Response:
        await asyncio.sleep(self._reading.wait_s(len(body), self._recording(), self._clock()))
        return web.Response(body=body, content_type="application/octet-stream", headers=HEADERS)

    async def episode(self, name: str) -> Path:
        """The file of an episode that was listed. Raises UsageError."""
        return await self.do(lambda: self._shelf.path(name))

    async def do(self, what: Callable[[], T]) -> T:
        """In the thread that reads and writes."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, what)

    async def close(self) -> None:
        """Files are let go of; a recovery that goes on is safe to leave, and is left."""
        await self.do(self._shelf.close)
        self._thread.shutdown()


def _change(said: Edit) -> Change:
    given = {name: value for name in ("note", "task", "instruction") if (value := getattr(said, name)) is not None}
    if said.success is not None:
        given["success"] = _VERDICTS[said.success]
    if not given:
        raise UsageError("nothing to say. Next: choose a verdict, or write a note")
    return Change(**given)


def _rows(text: str, most: int = _LONGEST_ROWS) -> list[int]:
    parts = text.split(",")
    if (
        len(text) > _LONGEST_ROWS
        or len(parts) > most
        or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
    ):
        raise UsageError("rows are numbers with commas between")
    return [int(part) for part in parts]


def _json(found: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(found), content_type="application/json", headers=HEADERS)


def _give_way() -> None:
    """This thread comes after whatever else the computer does."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)  # of the calling thread, on Linux
