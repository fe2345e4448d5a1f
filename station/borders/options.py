"""Types of command lines' options that several rooms' commands take."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from station.borders.bounds import LONGEST_S

MOST = 1_000_000
"""Episodes or trials that anybody can want."""
RigOption = Annotated[
    str,
    typer.Option(
        "--rig", default_factory=str, show_default=False,
        help="a shipped rig's name, one of yours, or a path; without it $STATION_RIG or `station rig use` says which",
    ),
]  # fmt: skip


def seconds_option(flag: str, least: float, help: str | None = None) -> Any:
    """An option that takes seconds, from `least` to a day. (Typer's own `min` and `max` let NaN pass.)"""
    return typer.Option(flag, parser=_seconds(least), metavar="SECONDS", help=help)


def _seconds(least: float) -> Callable[[Any], float]:
    def parse(given: Any) -> float:
        try:
            seconds = float(given)
        except ValueError:
            seconds = float("nan")
        if not least <= seconds <= LONGEST_S:
            raise typer.BadParameter(f"{str(given)[:20]!r} is no length of time from {least:g} to {LONGEST_S:g} s")
        return seconds

    return parse
