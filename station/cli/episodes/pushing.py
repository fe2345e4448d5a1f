"""`station episodes push | retire`: the day's end. Copies elsewhere, read back; then originals to the trash."""

import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import psutil
import typer

from station.cli.episodes.answers import PushTold, Retired, RetireTold
from station.cli.episodes.told import DEFAULT_DATA, Data, Where, console, say_error, told
from station.episodes import catalogue, naming
from station.episodes.catalogue import Episode
from station.episodes.filters import asked, said
from station.episodes.pushing.destination import Destination, destination
from station.episodes.pushing.pace import Gate
from station.episodes.pushing.push import Outcome
from station.episodes.pushing.push import plan as plan_push
from station.episodes.pushing.push import push as push_all
from station.episodes.pushing.retire import plan as plan_retirement
from station.episodes.quality.store import card
from station.errors import EpisodeError, StationError, UsageError
from station.terminal.screen import PlainConsole
from station.terminal.told import JsonOption, tell

_aside = PlainConsole(stderr=True)
"""What is said on the way where a program listens."""
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_PERIODS_S = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}
Endpoint = Annotated[str, typer.Option(help="Of a store that is not Amazon's: https://minio.lab:9000.")]


def push(
    to: Annotated[str, typer.Argument(metavar="DEST", help="A mounted folder, or s3://bucket/prefix.")],
    data: Data = DEFAULT_DATA,
    where: Where = None,
    rate: Annotated[str, typer.Option(help="Bytes a second at most, reading back included: 20M, 500k.")] = "",
    endpoint: Endpoint = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy episodes, with their labels, and read each copy back. Broken off, the same command goes on. It waits while a rig here works."""
    from station.client.at_work import RigsAtWork

    with told():
        place, bytes_per_s = destination(to, endpoint), rate_of(rate)
        say = _aside if as_json else console
        _low_priority()
        with RigsAtWork() as at_work:
            gate = Gate(bytes_per_s, at_work, lambda why: say.print(f"waiting: {why}" if why else "going on"))
            chosen, unusable = _chosen(data, where)
            wanted = plan_push(chosen, place, gate)
            size = sum(each.size_bytes for each in wanted)
            say.print(f"{len(wanted)} files of {len(chosen)} episodes to {place.name}: {size / 1e9:.2f} GB")

            def began(number: int, path: Path) -> None:
                say.print(f"{number + 1} of {len(wanted)}: {path.parent.name}/{path.name}")

            outcomes = () if dry_run else _send(push_all(wanted, place, gate, began), size, say)
        if as_json:
            files = {
                name: tuple(each.path for each in outcomes if not each.error and each.sent == sent)
                for name, sent in _ENDS
            }
            failed = {str(each.path): each.error for each in outcomes if each.error}
            tell(PushTold(place.name, len(chosen), len(wanted), size, **files, failed=failed, unusable=tuple(unusable)))
        for problem in unusable:
            say_error(f"left out: {problem}")
        if failures := sum(bool(each.error) for each in outcomes):
            raise EpisodeError(f"{failures} files have no copy; the lines above say why")
        if unusable:
            raise EpisodeError(f"{len(unusable)} left out that cannot be used")


_ENDS = (("sent", True), ("were_there", False))


def _send(pushed: Iterable[Outcome], size: int, say: PlainConsole) -> tuple[Outcome, ...]:
    began_s, outcomes = time.monotonic(), []
    for outcome in pushed:
        outcomes.append(outcome)
        if outcome.error:
            say_error(outcome.error)
    seconds = time.monotonic() - began_s
    failed, sent = sum(bool(each.error) for each in outcomes), sum(each.sent for each in outcomes)
    say.print(
        f"{sent} sent and read back, {len(outcomes) - failed - sent} were there, {failed} failed; {seconds:.0f} s, "
        f"{size / max(seconds, 1e-3) / 1e6:.1f} MB/s"
    )
    return tuple(outcomes)


def retire(
    older_than: Annotated[str, typer.Option(help="12h, 30d, 8w: since the recording began.")],
    data: Data = DEFAULT_DATA,
    pushed: Annotated[
        bool, typer.Option("--pushed", help="Only what was pushed and read back; nothing else can be retired.")
    ] = False,
    where: Where = None,
    endpoint: Endpoint = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this it is only shown.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Move old episodes to the trash, whose copies were read back and are there. `station episodes delete --undo` brings them back."""
    with told():
        if not pushed:
            raise UsageError("only what was pushed goes to the trash: say --pushed too")
        places: dict[str, Destination] = {}

        def place(name: str) -> Destination:
            if name not in places:
                places[name] = destination(*_place_of(name, endpoint))
            return places[name]

        chosen, _ = _chosen(data, where)
        found = plan_retirement(chosen, period_s(older_than), time.time_ns(), place, Gate())
        going = [each.episode for each in found if not each.why_not]
        say = _aside if as_json else console
        for each in found:
            say.print(
                f"{catalogue.label(each.episode)}: {f'stays, {each.why_not}' if each.why_not else 'to the trash'}"
            )
        size = sum(each.size_bytes for each in going) / 1e9
        moved = _move(going) if yes else set()
        if as_json:
            tell(
                RetireTold(
                    yes, tuple(Retired(each.episode.path, each.episode.path in moved, each.why_not) for each in found)
                )
            )
        if not yes:
            say.print(
                f"{len(going)} of {len(found)} older episodes, {size:.2f} GB; nothing was moved. Next: the same with --yes"
            )
            return
        _tell_moved(len(moved), len(going) - len(moved), size, say)


def _move(going: list[Episode]) -> set[Path]:
    """Those that could be."""
    moved = set()
    for episode in going:
        try:
            naming.delete(episode.path)
        except StationError as error:
            say_error(error)
        else:
            moved.add(episode.path)
    return moved


def _tell_moved(moved: int, refused: int, size_gb: float, say: PlainConsole) -> None:
    say.print(
        f"{moved} episodes, {size_gb:.2f} GB, are in the trash (`.hdf5.deleted`): `station episodes delete --undo` brings "
        "one back; removing these files frees the disk"
    )
    if refused:
        raise EpisodeError(f"{refused} are as they were; the lines above say why")


def _chosen(data: Path, where: list[str] | None) -> tuple[list[Episode], list[str]]:
    found = list(asked(catalogue.episodes(data), said(where or ()), card))
    return [each.episode for each in found if each.against is None], [
        each.episode.problem for each in found if each.episode.problem
    ]


def _place_of(name: str, endpoint: str) -> tuple[str, str]:
    """A destination's own name as it is said on a command line: `http://host:9000/bucket/prefix` is an endpoint and a bucket."""
    if name.startswith(("http://", "https://")):
        found = re.fullmatch(r"(https?://[^/]+)/(.*)", name)
        assert found is not None
        return f"s3://{found[2]}", endpoint or found[1]
    return name, endpoint if name.startswith("s3://") else ""


def rate_of(text: str) -> float | None:
    """`20M`, `500k`, `20MB/s`: bytes a second; None for none. Raises UsageError."""
    if not text:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)(?:b(?:/s)?)?", text.strip().lower())
    if found is None or not float(found[1]):
        raise UsageError(f"--rate {text[:40]}: say bytes a second as 20M or 500k")
    return float(found[1]) * _UNITS[found[2]]


def period_s(text: str) -> float:
    """`30d`. Raises UsageError."""
    found = re.fullmatch(r"(\d{1,5}(?:\.\d+)?)([hdw])", text.strip().lower())
    if found is None:
        raise UsageError(f"--older-than {text[:40]}: say hours, days or weeks as 12h, 30d or 8w")
    return float(found[1]) * _PERIODS_S[found[2]]


def _low_priority() -> None:
    """Whatever else runs here goes first, at the processor and at the disk."""
    process = psutil.Process()
    process.nice(19)
    process.ionice(psutil.IOPRIO_CLASS_IDLE)
