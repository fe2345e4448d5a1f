"""`station demo`: a simulated rig, a scripted operator, real episodes, and a policy that learnt from such episodes, where one ships."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from station.borders.options import MOST, seconds_option
from station.bus.requests import OpenSession
from station.cli.episodes.showing import draw
from station.cli.headless import record_headless
from station.cli.physics import Physics
from station.cli.rollout import Hands, Ran, Rollout
from station.client import Station, connect
from station.episodes.catalogue import Episode, episodes
from station.errors import RequestRefused, StationError, UsageError
from station.policy.folder import SHIPPED, find_policy
from station.rig.choice import rig_of
from station.rig.rig import Rig
from station.terminal.screen import console

INSTRUCTIONS = {
    "handover": "pick up the red cube with the right arm and hand it to the left one",
    "pick": "pick up the red cube, carry it over and put it down",
    "pick_two_ur5e": "pick up the red cube with the right arm, carry it over and put it down",
    "pick_xarm7": "pick up the red cube, carry it over and put it down",
    "pick_fr3": "pick up the red cube with the right arm, carry it over and put it down",
}
"""By the scene of a rig's world, which is the task as well."""
SCENES = (1000, 1001, 1002)
"""The rollouts': none that the shipped policy was trained on. One trial tells little of a policy that fails now and then."""
ROLLOUT_S = 15.0


def demo(
    data: Annotated[Path, typer.Option("--data", help="where the episodes go")] = Path("demo-data"),
    count: Annotated[int, typer.Option("--episodes", min=1, max=MOST)] = 3,
    seconds: Annotated[float, seconds_option("--seconds", 0.0)] = 11.0,
    name: Annotated[str, typer.Option("--rig", help="which simulated rig")] = "sim",
) -> None:
    """Bring up a simulated rig, record its task a few times, let the shipped policy try it if there is one, draw what was recorded."""
    rig = rig_of(name)
    task = _task(rig)
    arms, cameras = len(rig.leaders) + len(rig.followers), len(rig.cameras)
    console.print(f"starting the simulated rig {rig.name}: arms {arms}, rendered cameras {cameras}, physics")
    data.mkdir(parents=True, exist_ok=True)
    before = {episode.path for episode in episodes(data.absolute())}
    with connect(rig) as station:
        open_session = OpenSession(task, str(data.absolute()), "scripted", INSTRUCTIONS[task])
        early = record_headless(station, open_session, count, seconds)
        if (SHIPPED / task / "policy.yaml").is_file():
            _let_the_policy_try(station, find_policy(task))
    fresh = [episode for episode in episodes(data.absolute()) if episode.path not in before]
    console.print(_table(fresh))
    for episode in fresh:
        for picture in draw(episode.path, data / "pictures"):
            console.print(str(picture))
    console.print(
        Text(f"\nNext: station episodes show {fresh[0].path}\n      station replay {fresh[0].path} --rig {rig.name}")
        if fresh
        else ""
    )
    if early or len(fresh) < count:
        raise StationError(
            f"{early} of {count} episodes ended early (the cause is above), {max(0, count - len(fresh))} were not saved. "
            f"Next: `station bench --rig {rig.name}` says what this computer lacks"
        )


def _task(rig: Rig) -> str:
    """What is done on it. Raises UsageError for a rig that is not simulated, or has no leaders for the scripted operator's hands."""
    scene = str(rig.world.settings.get("scene", "")) if rig.world is not None else ""
    if scene not in INSTRUCTIONS or rig.moves_real_arms or not rig.leaders:
        raise UsageError(
            f"rig {rig.name} has no scene that the scripted operator plays. "
            "Next: `station demo --rig sim`, `sim_gello_ur5e`, `sim_gello_ur5e_bimanual`, `sim_gello_xarm7` or `sim_gello_fr3_bimanual`"
        )
    return scene


def _let_the_policy_try(station: Station, policy: Path) -> None:
    """In some scenes, each told as physics saw it."""
    physics, done = Physics(station), 0
    with Rollout(station, Hands()) as rollout:
        rollout.load(policy)
        for number, scene in enumerate(SCENES, start=1):
            physics.begin()
            try:
                rollout.home(scene)
                ran = rollout.run(ROLLOUT_S, over=physics.over)
            except RequestRefused as error:  # what was recorded is shown all the same
                console.print(f"rollout {number} of {len(SCENES)}, scene {scene}: the policy did not begin: {error}")
                continue
            done += physics.done
            console.print(f"rollout {number} of {len(SCENES)}, scene {scene}: {_saw(physics.done, ran)}")
    console.print(f"the policy handed the cube over in {done} of {len(SCENES)} scenes")
    console.print(f"how often it would: station eval --rig sim --policy {policy.name}")


def _saw(done: bool, ran: Ran) -> str:
    """What physics and the pilot saw of a rollout."""
    if done:
        return f"the left gripper alone held the cube after {ran.seconds:.1f} s"
    held = f": it ended in a hold: {ran.held}" if ran.held else f" within {ROLLOUT_S:g} s"
    return f"failed: the left gripper never held the cube alone for half a second{held}"


def _table(fresh: list[Episode]) -> Table:
    table = Table(title="recorded")
    for column in ("episode", "ticks", "late", "lost", "repeated", "MB", "where"):
        table.add_column(column, justify="left" if column == "where" else "right", overflow="fold")
    for e in fresh:
        numbers = (e.number, e.rows, e.late, e.lost, e.stale, round(e.size_bytes / 1e6))
        table.add_row(*map(str, numbers), str(e.path))
    return table
