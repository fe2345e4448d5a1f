"""`station episodes verify | recover`: is it whole, and what was left."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.episodes.answers import Verified
from station.cli.episodes.listing import makes_of
from station.cli.episodes.told import DEFAULT_DATA, Data, console, existing, told
from station.episodes import catalogue
from station.episodes.verify import verify as findings_of
from station.errors import EpisodeError, UsageError
from station.terminal.told import JsonOption, tell

if TYPE_CHECKING:
    from station.episodes.recover import Recovered


def verify(
    paths: Annotated[list[Path], typer.Argument(help="Episodes, or folders of them.")], as_json: JsonOption = False
) -> None:
    """Hold episodes against the layout, decode every picture, compare labels; exit 1 if one is not whole."""
    with told():
        files = [file for path in paths for file in _files(path)]
        done = []
        for file in files:
            done.append(_verified(file))
            if not as_json:
                _tell(done[-1])
        if as_json:
            tell(done)
        else:
            _tell_mixtures(files)
        if bad := [one for one in done if not one.whole]:
            raise EpisodeError(f"{len(bad)} of {len(files)} are not whole")


def _verified(file: Path) -> Verified:
    findings = findings_of(file, decode=True)
    episode = catalogue.read_episode(file)
    problem = episode.problem.removeprefix(f"{file}: ")
    findings = findings or ([problem] if problem else [])
    return Verified(file, not findings, tuple(findings), episode.form.in_words() if episode.form is not None else "")


def _tell(one: Verified) -> None:
    console.print(f"{one.path}: {'whole' if one.whole else ''}")
    for line in (one.make, *one.findings):
        if line:
            console.print(f"  {line}")


def _tell_mixtures(files: list[Path]) -> None:
    for folder, there in groupby(sorted(files), lambda file: file.parent):
        for sentence in makes_of(folder, [catalogue.read_episode(file) for file in there]).differences:
            console.print(f"a mixture, which no trainer can take as one: {sentence}")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [episode.path for episode in catalogue.episodes(path)]
    return [existing(path)]


def _tell_recovered(result: "Recovered") -> None:
    what = f"{result.rows} rows in {result.episode}" if result.episode else ""
    detail = result.detail.removeprefix(f"{result.part}: ")
    console.print(
        f"{result.part}: {result.outcome} {what or '–'}{'; ' if what and detail else ' ' if detail else ''}{detail}"
    )


def recover(data: Data = DEFAULT_DATA, as_json: JsonOption = False) -> None:
    """Save every journal that was left; exit 1 if one could not be saved whole. Nothing that holds a byte is deleted."""
    from station.episodes.recover import (
        recover as recover_journals,  # here: `ls` is in this group too, and builds nothing
    )

    with told():
        if not data.is_dir():
            raise UsageError(f"{data}: no such folder")
        done = []
        for result in recover_journals(data):
            done.append(result)
            if not as_json:
                _tell_recovered(result)
        if as_json:
            tell(done)
        else:
            console.print(f"{sum(result.episode is not None for result in done)} saved")
        hurt = [result for result in done if not result.whole]
        if hurt:
            raise EpisodeError(
                f"{len(hurt)} of {len(done)} could not be saved whole; what is in them is kept, the lines above say where"
            )
