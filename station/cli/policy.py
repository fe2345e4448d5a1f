"""`station policy import|show|bench`: make a policy folder of a checkpoint; what one says, how fast it is here.

What runs a policy (numpy, sockets, decoders) is imported by the command that needs it: help and a description wait for none of it.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from station.borders.options import seconds_option
from station.cli import import_policy
from station.clock import monotonic_ns
from station.policy.description import described
from station.policy.folder import find_policy, load_policy
from station.rig.choice import rig_of
from station.terminal.screen import PlainConsole
from station.terminal.told import JsonOption, tell

app = typer.Typer(
    no_args_is_help=True, help="Import a checkpoint as a policy folder; look at one: what it says, how fast it is here."
)
app.add_typer(import_policy.app, name="import")

Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", parser=find_policy, help="The folder that holds policy.yaml and the weights, or a shipped name."
    ),
]


@app.command()
def show(
    folder: Folder,
    rig: Annotated[str, typer.Option("--rig", help="Hold it against this rig's file, too. Nothing is started.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Check policy.yaml and show what it says. Nothing is loaded. Exit 1 where no rig could run it, or that one cannot."""
    from station.policy.claims import of_policy, refuse_anywhere, refuse_unseen

    policy = load_policy(folder)
    if as_json:
        tell(policy)
    else:
        _print(f"policy {policy.folder.name}", described(policy))
    claim = of_policy(policy, policy.folder / "policy.yaml")
    if rig:
        refuse_unseen(claim, rig_of(rig))
    refuse_anywhere(claim)


@app.command()
def bench(
    folder: Folder,
    inferences: Annotated[int, typer.Option(min=1, help="How many inferences to time, after the warm-up.")] = 100,
    rig: Annotated[
        str, typer.Option("--rig", help="Time it on this rig: real arms don't move, simulated ones do.")
    ] = "",
    seconds: Annotated[float, seconds_option("--seconds", 1.0, "How long on the rig.")] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Load and warm up the policy, and measure it: by itself, or in its place on a rig."""
    if rig:
        from station.cli.policy_on_rig import in_words, measure_on
        from station.client import connect

        loaded = rig_of(rig)
        with connect(loaded) as station:
            on_rig = measure_on(station, folder, seconds)
        if as_json:
            tell(on_rig)
        else:
            _print(f"policy {folder.resolve().name} on rig {loaded.name}", in_words(on_rig))
        return
    from station.policy.bench import bench_policy

    result = bench_policy(folder, inferences, monotonic_ns)
    if as_json:
        tell(result)
        return
    _print(f"policy {folder.resolve().name} on this computer", [
        ("loading and warm-up", f"{result.load_ms:.0f} ms"),
        ("inference, median", f"{result.inference_p50_ms:.1f} ms"),
        ("inference, p95", f"{result.inference_p95_ms:.1f} ms"),
        ("pictures → observation, p95", f"{result.observation_p95_ms:.1f} ms"),
        ("chunk buffer, one step", f"{result.buffer.step_us:.1f} µs, {result.buffer.step_mb:.3f} MB"),
    ])  # fmt: skip


def _print(title: str, rows: list[tuple[str, str]]) -> None:
    table = Table("", "", title=title, show_header=False)
    for row in rows:
        table.add_row(*row)
    PlainConsole(soft_wrap=False).print(table)
