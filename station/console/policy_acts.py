"""What pages ask about policies and no session does: have one loaded, let it think in shadow, evaluate several.

To be used in the console's event loop. Who commands the arms is the session's to say; here nothing moves before it gave leave.
"""

import asyncio

from station.bus.requests import AskLeave, LoadPolicy, Refused, Reply, StartPolicy, StopPolicy, Who
from station.console import wire
from station.console.archive import Archive
from station.console.asking import Question
from station.console.hub import Hub
from station.console.jobs import Jobs
from station.console.leave import leave_for
from station.console.seats import Seat
from station.errors import RequestRefused


class PolicyActs:
    """Of one console."""

    def __init__(self, hub: Hub, archive: Archive, jobs: Jobs) -> None:
        self._hub, self._archive, self._jobs = hub, archive, jobs

    async def act(self, said: wire.OfPolicies, seat: Seat, who: Who) -> str:
        """Do it; what was done. Raises StationError."""
        self._refuse_strangers(who)
        if isinstance(said, wire.Evaluate):
            return await self._evaluate(said, seat, who)
        session = self._hub.heard.session
        if session is not None and session.source == "policy" and session.phase != "ended":
            raise RequestRefused("a policy's sitting is open, and needs its runner. Next: end it, then ask again")
        if isinstance(said, wire.Shadow):
            await self._asked("policy", StartPolicy(shadow=True) if said.on else StopPolicy(), who)
            return ""
        folder = await self._archive.do(lambda: self._archive.policies.path(said.policy))
        await self._asked("policy", LoadPolicy(str(folder.absolute()), said.instruction), who)
        return said.policy

    async def leave(self, said: wire.Beside, who: Who) -> None:
        """For what moves arms. Raises RequestRefused where nobody at the rig allows it."""
        await self._asked("session", leave_for(said), who)

    async def _evaluate(self, said: wire.Evaluate, seat: Seat, who: Who) -> str:
        self._jobs.refuse_beside_a_sitting(self._hub.phase)
        self._jobs.refuse_another()
        if said.override and not seat.person:  # else it would be that of whoever's account the console runs in
            raise RequestRefused(
                "an override is somebody's. Next: `station console link --for NAME` makes a link that says whose"
            )
        policies = self._archive.policies
        folders = [await self._archive.do(lambda name=name: policies.path(name)) for name in said.policies]  # type: ignore[misc]
        out = await self._archive.do(lambda: policies.folder_for(said.name))
        await self.leave(said, who)
        options = {
            "--trials": said.trials, "--seconds": said.seconds, "--seed": said.seed, "--out": out, "--operator": seat.person,
            "--instruction": said.instruction, "--override": said.override,
        }  # fmt: skip
        words = [f"--policy={folder.absolute()}" for folder in folders] + [
            f"{name}={given}" for name, given in options.items() if given
        ]
        flags = ["--blind"] * said.blind + ["--judge=keys"] * said.by_hand
        self._jobs.begin(
            "eval",
            ["eval", "--rig", str(self._hub.rig.file), *words, *flags],
            str(who),
            of=said.name,
            blind=said.blind,
            moves=True,
        )
        return ""

    def _refuse_strangers(self, who: Who) -> None:
        """The runner knows of no control: what the session says of it counts here, too."""
        session = self._hub.heard.session
        if session is None:
            raise RequestRefused("the session says nothing. Next: `station status` says whether it runs")
        if why := session.control.refusal(who.seat):
            raise RequestRefused(why)

    async def _asked(self, node: str, request: AskLeave | LoadPolicy | StartPolicy | StopPolicy, who: Who) -> Reply:
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._hub.ask(
            Question(node, request), who, lambda reply: None if answered.done() else answered.set_result(reply)
        )
        reply = await answered
        if isinstance(reply, Refused):
            raise RequestRefused(reply.why)
        return reply
