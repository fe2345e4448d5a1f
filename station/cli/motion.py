"""`station replay`, `park` and `recover`: what the arms do without a leader, through the same pilot and gates."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from station.borders.options import RigOption
from station.bus import keys
from station.bus.messages import Description, PilotState, Setpoint, Tick
from station.bus.requests import Disengage, Done, Engage, LendKey, OperatorAct, Park, Recover
from station.bus.sockets import RequestClient, Subscriber
from station.cli.physics import prepare_scene
from station.client import Station, connect
from station.episodes.naming import number_of
from station.errors import EpisodeError, NodeAbsent, RequestRefused, StationError, UsageError
from station.policy.claims import Vector, refuse, refuse_unseen, resampled, rig_vector
from station.policy.recorded import Recorded, read_recorded
from station.rig.choice import rig_of
from station.rig.rig import Rig
from station.runtime.node import Node
from station.runtime.processes import processes
from station.runtime.realtime import at_priority
from station.steps.speaker import is_job, speaking
from station.terminal.screen import console

DESCRIBED_S = 5.0
"""How long followers may take to say what they are (they do once a second)."""


def replay(
    file: Annotated[Path, typer.Argument(help="an episode")],
    rig: RigOption,
    yes: Annotated[bool, typer.Option("--yes-arms-will-move", help="do not ask before real arms move")] = False,
) -> None:
    """Play an episode's /action again: the followers ramp to its first pose, then follow it tick by tick."""
    with speaking(tells_prints=True) if is_job() else nullcontext():
        _replay(file, rig, yes)


def _replay(file: Path, rig: str, yes: bool) -> None:
    loaded = rig_of(rig)
    recorded = _recorded(file)
    refuse_unseen(recorded.claim, loaded)
    actions = _at_the_rigs_rate(recorded, loaded, file.name)
    if loaded.moves_real_arms and not yes:
        typer.confirm("The followers will replay the episode. Is the way clear?", abort=True)
    with connect(loaded) as station:
        refuse(recorded.claim, hear_vector(station))
        prepare_scene(station, number_of(file))
        key = station.ask("supervisor", LendKey("replay")).token
        with keys.lent(loaded.name, "replay", key):
            missed = Replayer(station, actions).run()
    console.print(
        f"replayed {len(actions)} ticks of {file.name}" + (f"; {missed} ticks were skipped" if missed else "")
    )


def _recorded(file: Path) -> Recorded:
    """UsageError if it is no episode that can be played."""
    try:
        return read_recorded(file)
    except EpisodeError as error:
        raise UsageError(str(error)) from error


def _at_the_rigs_rate(recorded: Recorded, rig: Rig, name: str) -> npt.NDArray[np.floating]:
    """(T, D) rows, one per tick of the rig; says so where the episode has another rate."""
    recorded_hz = recorded.tick_hz
    if recorded_hz is None:
        console.print(f"{name} does not say its rate; taken for the rig's {rig.tick_hz:g} Hz")
        return recorded.actions
    if abs(recorded_hz - rig.tick_hz) <= 1e-3 * rig.tick_hz:
        return recorded.actions
    rows = resampled(recorded.actions, recorded_hz, rig.tick_hz)
    console.print(
        f"{name} was recorded at {recorded_hz:g} Hz, the rig ticks at {rig.tick_hz:g}: "
        f"{len(recorded.actions)} rows become {len(rows)}, interpolated"
    )
    return rows


def hear_vector(station: Station, patience_s: float = DESCRIBED_S) -> Vector:
    """The rig's vector as its running followers describe it. Raises NodeAbsent naming one that says nothing."""
    return rig_vector(station.rig, hear_descriptions(station, station.rig.followers, patience_s))


def hear_descriptions(
    station: Station, arms: tuple[str, ...], patience_s: float = DESCRIBED_S
) -> dict[str, Description]:
    """What running arms say they are, by node. Raises NodeAbsent naming one that says nothing."""
    found: dict[str, Description] = {}
    for sample in station.listen([("description", arm) for arm in arms], patience_s):
        if isinstance(sample.body, Description):
            found[sample.node] = sample.body
        if len(found) == len(arms):
            return found
    silent = ", ".join(arm for arm in arms if arm not in found)
    raise NodeAbsent(f"{silent} has not said what it is. Next: `station status --rig {station.rig.name}`")


class Replayer:
    """A source on the bus: asks for row 0 until the followers are there, then for one row a tick."""

    def __init__(self, station: Station, actions: npt.NDArray[np.floating]) -> None:
        """`actions`: (T, D), a row each tick, in the rig's order and units."""
        self._station, self._actions = station, actions
        self._first_tick: int | None = None

    def run(self) -> int:
        """Align, play, let go. Returns how many ticks passed without their row being asked for (0 is right)."""
        station = self._station
        node = Node(station.rig, "replay")
        # who else asks for a goal every tick
        priority = next(row.realtime for row in processes(station.rig) if row.node == "policy")
        try:
            with (
                station.subscribe([("tick", "synchronizer"), ("pilot", "pilot")]) as heard,
                station.request_client("pilot") as pilot,
                at_priority(priority),
            ):
                return self._play(node, heard, pilot)
        finally:
            node.close()

    def _play(self, node: Node, heard: Subscriber, pilot: RequestClient) -> int:
        asked = 0
        number = b""
        while True:
            sample = heard.receive(1000)
            if sample is None:
                raise StationError("no ticks on the bus. Next: `station status` says whether the synchronizer runs")
            if isinstance(sample.body, PilotState):
                self._heard_pilot(sample.body)
                continue
            if not isinstance(sample.body, Tick):
                continue
            row = self._row(sample.body.tick)
            if row >= len(self._actions):
                pilot.ask(Disengage())
                return len(self._actions) - asked
            goal = tuple(map(float, self._actions[row]))
            tick = sample.body.tick if self._first_tick is not None else -1
            node.publisher.publish("setpoint", Setpoint("replay", tick, sample.body.t_ns, goal))
            asked += self._first_tick is not None
            number = number or pilot.send(Engage("replay"))
            reply = pilot.poll_reply(number)
            if reply is not None and not isinstance(reply, Done):
                raise RequestRefused(reply.why)
            if reply is not None:
                self._first_tick = sample.body.tick + 1

    def _row(self, tick: int) -> int:
        return max(0, tick - self._first_tick) if self._first_tick is not None else 0

    def _heard_pilot(self, state: PilotState) -> None:
        if self._first_tick is not None and state.state == "hold":
            raise RequestRefused(f"the replay stopped in hold: {state.why}. Next: clear the cause and run it again")


def park(
    rig: RigOption,
    release: Annotated[bool, typer.Option("--release", help="then take torque off, per arm, asked twice")] = False,
) -> None:
    """Ramp every arm to its sleep pose."""
    loaded = rig_of(rig)
    with connect(loaded) as station, station.request_client("pilot") as pilot:
        console.print(pilot.ask(Park()).detail)
        for arm in (*loaded.followers, *loaded.leaders) if release else ():
            _release(pilot, arm)


def _release(pilot: RequestClient, arm: str) -> None:
    """Asked twice here and by the pilot, which lets go only of what it is asked for a second time."""
    first = pilot.ask(Park(release=True, arms=(arm,)))
    if not first.token:  # it has no torque
        return
    if typer.confirm(f"{arm}: does it rest on its stops, so that it cannot fall?") and typer.confirm(
        f"{arm}: take torque off now?"
    ):
        pilot.ask(Park(release=True, arms=(arm,), confirmation=first.token))
        console.print(f"{arm}: torque off")


def recover(
    arm: Annotated[str, typer.Argument(help="an arm's node, such as follower_left")],
    rig: RigOption,
    act: Annotated[
        str, typer.Option("--act", help="another act its driver has, such as activate_gripper or guide")
    ] = "",
    yes: Annotated[bool, typer.Option("--somebody-is-at-the-arm", help="do not ask whether somebody is")] = False,
) -> None:
    """End what stopped an arm: a protective stop, a reflex, a servo that shut down. It then holds, until you engage."""
    loaded = rig_of(rig)
    with connect(loaded) as station:
        does = _does(station, arm, act or "recover")
        if loaded.moves_real_arms and not yes:
            typer.confirm(
                f"{arm}: {does}. Does somebody stand at the arm, ready to support it and to stop it?", abort=True
            )
        station.ask("pilot", OperatorAct(arm, act) if act else Recover(arm))
    console.print(f"{arm}: {act or 'recover'} is done; nobody commands it. Next: engage when you are ready")


def _does(station: Station, arm: str, act: str) -> str:
    """What the act does, as the arm's driver says. Raises UsageError for an arm or an act that is not there."""
    arms = (*station.rig.followers, *station.rig.leaders)
    if arm not in arms:
        raise UsageError(f"{arm} is no arm of this rig: {', '.join(arms)}")
    acts = {one.name: one.does for one in hear_descriptions(station, (arm,))[arm].acts}
    if act not in acts:
        raise UsageError(f"{arm} has no act {act}; it has {', '.join(acts) or 'none'}")
    return acts[act]
