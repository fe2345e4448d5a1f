"""What the Set-up page asks for while the rig is not up: what is plugged in, a rig file of it, each joint tried by hand.

Devices are looked at by the terminal's own commands, in processes of their own: a driver's library that hangs hangs there.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from station.console import wire
from station.console.hub import Hub
from station.console.jobs import Jobs, Tell
from station.errors import RequestRefused, StationError, UsageError
from station.rig.discovery import Discovered, Found
from station.rig.rig import own_rigs, place_of_new
from station.runtime.launch import python
from station.terminal.shown import shown

WITHIN_S = 60.0
"""Every port is asked at three speeds, side by side: that takes seconds."""


class Setup:
    """Of one console. To be used in one event loop; `tell` gets what every page is to show of it."""

    def __init__(self, hub: Hub, jobs: Jobs, tell: Tell, wall_s: Callable[[], float] = time.time) -> None:
        self._hub, self._jobs, self._tell, self._wall_s = hub, jobs, tell, wall_s
        self.told: dict[str, Any] | None = None
        """What was found last; None before the first look."""

    async def act(self, said: wire.OfSetup, by: str, operator: str) -> None:
        """Do it, or begin it. `operator`: who is at the page. Raises StationError."""
        self._refuse()
        if isinstance(said, wire.Find):
            await self._find(said.ports, by)
        elif isinstance(said, wire.NewRig):
            place_of_new(said.name)
            words = ["rig", "new", *_ports(said.ports), "--", said.name]
            self._jobs.begin(f"rig new {said.name}", words, by, of=said.name)
        else:
            if said.rig not in {file.stem for file in own_rigs().glob("*.yaml")}:
                raise UsageError(f"{said.rig[:50]!r} is none of your rigs. Next: write its file first")
            operators = [f"--operator={operator}"] if operator else []
            self._jobs.begin(f"rig try {said.rig}", ["rig", "try", *operators, "--", said.rig], by, of=said.rig)

    def _refuse(self) -> None:
        """Two who speak at one port hear neither's answers."""
        name = self._hub.rig.name
        if self._hub.up:
            self._jobs.refuse_beside_a_sitting(self._hub.phase)
            raise RequestRefused(f"rig {name} is up: its ports are its drivers'. Next: `station stop --rig {name}`")
        self._jobs.refuse_another()
        if self.told is not None and self.told["looking"]:
            raise RequestRefused(f"{self.told['by']} looks already. Next: wait for what is found")

    async def _find(self, ports: tuple[str, ...], by: str) -> None:
        before = self.told or {"found": (), "failures": (), "at_s": None}
        self._say({**before, "kind": "found", "by": by, "looking": True})
        try:
            found = await _discovered(ports)
            self._say({
                **(self.told or {}), "at_s": self._wall_s(), "found": [_thing(each) for each in found.found],
                "failures": [shown(failure) for failure in found.failures],
            })  # fmt: skip
        finally:
            self._say({**(self.told or {}), "looking": False})

    def _say(self, told: dict[str, Any]) -> None:
        self.told = told
        self._tell(told)


async def _discovered(ports: tuple[str, ...]) -> Discovered:
    """What `station find` tells. Raises StationError with its last word."""
    words = python("station.cli", "find", "--json", *_ports(ports))
    looking = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, complaint = await asyncio.wait_for(looking.communicate(), WITHIN_S)
    except TimeoutError:
        raise StationError(f"nothing was heard within {WITHIN_S:g} s. Next: `station find` at the rig") from None
    finally:
        with suppress(ProcessLookupError):
            looking.kill()
        await looking.wait()
    try:
        # nothing found is an answer too, though the command fails then
        return msgspec.json.decode(out, type=Discovered)
    except msgspec.MsgspecError:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:]
        raise StationError("".join(last).removeprefix("station: ") or "it ended without a word") from None


def _ports(ports: tuple[str, ...]) -> list[str]:
    """As options: one word each, so that none can be another."""
    return [f"--port={port}" for port in ports]


def _thing(found: Found) -> dict[str, Any]:
    told = {name: shown(getattr(found, name)) for name in ("kind", "model", "port", "stable", "serial")}
    lists = {name: [shown(line) for line in getattr(found, name)] for name in ("details", "advice")}
    return {**told, **lists, "usable": bool(found.suggestion)}
