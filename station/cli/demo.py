"""`station demo`: the simulated rig, a scripted operator, real episodes at the end."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from station.bus.requests import OpenSession
from station.cli.attach import attached, console
from station.cli.episodes import draw
from station.cli.headless import record_headless
from station.cli.status import rig_of
from station.episodes.catalogue import Episode, episodes
from station.errors import StationError

TASK = "handover"
INSTRUCTION = "pick up the red cube with the right arm and hand it to the left one"


def demo(
    data: Annotated[Path, typer.Option("--data", help="where the episodes go")] = Path("demo-data"),
    count: Annotated[int, typer.Option("--episodes", min=1)] = 3,
    seconds: Annotated[float, typer.Option("--seconds")] = 11.0,
) -> None:
    """Bring up the simulated rig, record a cube hand-over a few times, and draw what was recorded."""
    rig = rig_of("sim")
    console.print("starting the simulated rig: 4 arms on servo buses, 4 rendered cameras, physics")
    data.mkdir(parents=True, exist_ok=True)
    before = {episode.path for episode in episodes(data.absolute())}
    with attached(rig):
        early = record_headless(rig, OpenSession(TASK, str(data.absolute()), "scripted", INSTRUCTION), count, seconds)
    fresh = [episode for episode in episodes(data.absolute()) if episode.path not in before]
    console.print(_table(fresh))
    for episode in fresh:
        for picture in draw(episode.path, data / "pictures"):
            console.print(str(picture))
    console.print(
        f"\nNext: station episodes show {fresh[0].path}\n      station replay {fresh[0].path} --rig sim"
        if fresh
        else ""
    )
    if early or len(fresh) < count:
        raise StationError(f"{early} episodes ended early, {count - len(fresh)} were not saved")


def _table(fresh: list[Episode]) -> Table:
    table = Table(title="recorded")
    for column in ("episode", "ticks", "late", "lost", "repeated", "MB", "where"):
        table.add_column(column, justify="left" if column == "where" else "right", overflow="fold")
    for e in fresh:
        numbers = (e.number, e.rows, e.late, e.lost, e.stale, round(e.size_bytes / 1e6))
        table.add_row(*map(str, numbers), str(e.path))
    return table
