"""What pages ask for that is done beside the loop: of episodes, jobs, policies, setting up. To be used in the console's event loop."""

from typing import Any

from station.bus.requests import Who
from station.console import wire
from station.console.archive import Archive
from station.console.asking import calibrate_command
from station.console.hub import Hub
from station.console.jobs import Jobs
from station.console.policy_acts import PolicyActs
from station.console.seats import Seat
from station.console.setup import Setup
from station.errors import UsageError
from station.rig.rig import NO_RIG


class Acts:
    """Of one console."""

    def __init__(self, hub: Hub, archive: Archive, jobs: Jobs, setup: Setup) -> None:
        self._hub, self._archive, self._jobs, self._setup = hub, archive, jobs, setup
        self._policies = PolicyActs(hub, archive, jobs)

    @property
    def told(self) -> list[dict[str, Any]]:
        """What a page that comes later is told of what went on."""
        return [told for told in (self._setup.told, self._jobs.told) if told is not None]

    async def done(self, said: wire.Beside, seat: Seat, who: Who) -> str:
        """What was done. Raises StationError."""
        if isinstance(said, wire.OfEpisodes):
            return await self._archive.act(said, self._hub.busy_with)
        if isinstance(said, wire.OfPolicies):
            return await self._policies.act(said, seat, who)
        if isinstance(said, wire.OfSetup):
            await self._setup.act(said, str(who), seat.person)
        elif isinstance(said, wire.AnswerStep):
            if self._jobs.moves(said.answer):
                await self._policies.leave(said, who)
            self._jobs.answer(said.step, said.answer)
        elif isinstance(said, wire.EndJob):
            self._jobs.end()
        else:
            await self._begin(said, seat, who)
        return ""

    async def _begin(self, said: wire.Check | wire.Export | wire.Calibrate | wire.Replay, seat: Seat, who: Who) -> None:
        self._jobs.refuse_beside_a_sitting(self._hub.phase)
        rig = self._hub.rig
        if rig.name == NO_RIG and not isinstance(said, wire.Export):
            raise UsageError("this computer has no rig yet. Next: write the file of one on the Set-up page")
        if isinstance(said, wire.Export):
            self._jobs.refuse_another()
            self._jobs.begin("export", await self._archive.export(said), str(who))
        elif isinstance(said, wire.Replay):
            self._jobs.refuse_another()
            file = await self._archive.episode(said.episode)
            await self._policies.leave(said, who)
            words = ["replay", str(file), "--rig", str(rig.file), "--yes-arms-will-move"]
            self._jobs.begin("replay", words, str(who), of=said.episode, moves=True)
        elif isinstance(said, wire.Calibrate):
            self._jobs.refuse_another()
            await self._policies.leave(said, who)
            self._jobs.begin(f"calibrate {said.what}", calibrate_command(said, rig, seat.person), str(who))
        else:
            by = [f"--operator={seat.person}"] if seat.person else []
            self._jobs.begin("check", ["check", "--rig", str(rig.file), *by], str(who))
