"""`station bench`: what this rig does on this computer, and what limits it."""

import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from station.bench.figures import Distribution, Figures
from station.bench.long_run import KEPT_NOWHERE, Line, Trouble, measured_s, watch_stalls
from station.bench.measure import Listener, measure_disk
from station.bench.stalls import EpisodeSeen, StallSeen, tally
from station.borders.options import RigOption, seconds_option
from station.bus.requests import OpenSession
from station.cli.headless import record_headless
from station.client import Station, connect
from station.clock import NS_PER_S, monotonic_ns
from station.rig.choice import rig_of
from station.rig.rig import Rig
from station.terminal.screen import console
from station.terminal.told import STDOUT, tell_to

SETTLE_S = 3.0
"""Left out at the beginning: alignment, first frames."""


def bench(
    rig: RigOption,
    seconds: Annotated[float, seconds_option("--seconds", 1.0)] = 20.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="write the figures here; - is stdout, and nothing else there")
    ] = None,
    stalls_file: Annotated[
        Path | None,
        typer.Option(
            "--stalls",
            help="only stalls, over many episodes, each added to this file; the same command goes on from it",
        ),
    ] = None,
    episode_s: Annotated[
        float, typer.Option("--episode-seconds", min=1.0, help="with --stalls: the length of an episode")
    ] = 60.0,
    yes: Annotated[bool, typer.Option("--yes-arms-will-move", help="engage and record also on real arms")] = False,
) -> None:
    """Measure latency, jitter, losses, CPU, memory and the disk, recording meanwhile where arms may move."""
    loaded = rig_of(rig)
    record = yes or not loaded.moves_real_arms
    if stalls_file is not None:
        with connect(loaded) as station:
            recorder = partial(_record, station) if record else None
            lines = watch_stalls(station, seconds, episode_s, stalls_file, recorder)
        _show_long_run(loaded, lines)
        return
    with connect(loaded) as station:
        figures = measure(station, seconds, record)
    if json_file is not None:
        tell_to(json_file, figures)
    if json_file == STDOUT:
        return
    console.print(_summary(figures))
    console.print(_streams(figures))
    console.print(_nodes(figures))
    if figures.stalls:
        console.print(_stalls(figures.stalls, loaded.safety.resume_ms))
    for limit in figures.limits:
        console.print(f"limit: {limit}")


def measure(station: Station, seconds: float, record: bool) -> Figures:
    """Listen to a running rig for `seconds`; with `record` an episode is recorded meanwhile, and thrown away."""
    listener = Listener(station, monotonic_ns)
    data = station.rig.data
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix=".bench-") as folder:
        open_session = OpenSession("bench", folder, "bench", override=KEPT_NOWHERE)
        recorder = threading.Thread(target=record_headless, args=(station, open_session, 1, seconds + 2 * SETTLE_S))
        if record:
            recorder.start()
        listener.listen_until_recording(record)
        listener.listen(monotonic_ns() + int(SETTLE_S * NS_PER_S))
        listener.forget()
        listener.listen(monotonic_ns() + int(seconds * NS_PER_S))
        figures = listener.figures(seconds)
        listener.close()
        if record:
            recorder.join()
        return figures.with_disk(*measure_disk(Path(folder)))


def _record(
    station: Station, open_session: OpenSession, episodes: int, seconds: float, meanwhile: Callable[[], None]
) -> int:
    return record_headless(station, open_session, episodes, seconds, meanwhile=meanwhile)


def _row(name: str, values: Distribution, unit: str) -> tuple[str, ...]:
    numbers = (f"{value:.2f}" for value in (values.p50, values.p95, values.p99, values.max))
    return (name, unit, *numbers, str(values.n))


def _summary(figures: Figures) -> Table:
    title = f"rig {figures.rig}, {figures.seconds:g} s: {figures.ticks} ticks, {figures.late_ticks} late"
    table = Table("", "unit", "p50", "p95", "p99", "max", "n", title=title, title_justify="left")
    table.add_row(*_row("tick sent after t_k", figures.tick_emission_ms, "ms"))
    table.add_row(*_row("leader sampled → follower goal written", figures.setpoint_to_written_ms, "ms"))
    table.add_row(*_row(f"disk sync ({figures.disk_mb_s:.0f} MB/s)", figures.disk_sync_ms, "ms"))
    return table


def _streams(figures: Figures) -> Table:
    table = Table("stream (ms)", "Hz", "of", "every p50", "p99", "sent p50", "p99", "lost")
    for stream in figures.streams:
        interval, transit = stream.interval_ms, stream.transit_ms
        numbers = (interval.p50, interval.p99, transit.p50, transit.p99)
        row = (f"{stream.rate_hz:.1f}", f"{stream.declared_hz:g}", *(f"{n:.2f}" for n in numbers), str(stream.lost))
        table.add_row(stream.stream, *row)
    return table


def _nodes(figures: Figures) -> Table:
    title = f"the station itself: {figures.own_cpu_percent:.0f} % of one core, {figures.own_pss_mb:.0f} MB (PSS: shared pages counted once)"
    if figures.stolen_percent:
        title += f"; {figures.stolen_percent:.1f} % of its processors' time were not given to this virtual machine"
    table = Table("node", "CPU %", "budget", "MB", "growth MB", title=title, title_justify="left")
    for node in figures.nodes:
        name = f"{node.node} (simulated)" if node.simulated else node.node
        table.add_row(
            name, f"{node.cpu_percent:.1f}", f"{node.budget_percent:g}", f"{node.pss_mb:.0f}", f"{node.growth_mb:.1f}"
        )
    return table


def _stalls(stalls: Sequence[StallSeen], resume_ms: float) -> Table:
    count = tally(list(stalls), resume_ms)
    title = (
        f"{count.stalls} stalls, {count.total_ms:.0f} ms in all, the longest {count.longest_ms:.0f} ms. Episodes ended by one shorter "
        f"than {resume_ms:g} ms: {count.ended_by_shorter}; by a second within 2 s: {count.ended_by_second}; "
        f"by a longer one: {count.ended_by_longer}"
    )
    table = Table("at s", "ms", "stolen ms", "silent", "then", title=title, title_justify="left")
    for stall in stalls:
        then = f"held: {stall.why}" if stall.outcome == "held" else stall.outcome
        row = (f"{stall.at_s:.1f}", f"{stall.ms:.0f}", f"{stall.stolen_ms:.0f}", ", ".join(stall.who))
        table.add_row(*row, then + ("; the episode ended" if stall.ended_episode else ""))
    return table


def _show_long_run(rig: Rig, lines: list[Line]) -> None:
    console.print(_stalls([line for line in lines if isinstance(line, StallSeen)], rig.safety.resume_ms))
    episodes = [line for line in lines if isinstance(line, EpisodeSeen)]
    early = [line for line in episodes if line.ended]
    console.print(
        f"{measured_s(lines):.0f} s measured, {len(episodes)} episodes, {sum(line.rows for line in episodes)} rows, "
        f"{sum(line.stalled_rows for line in episodes)} of them in {sum(line.stalls for line in episodes)} stalls; {len(early)} ended early"
    )
    for episode in early:
        console.print(f"at {episode.at_s:.1f} s, after {episode.rows} rows: {episode.ended}")
    for line in lines:
        if isinstance(line, Trouble):
            console.print(f"at {line.at_s:.1f} s recording was begun anew: {line.why}")
