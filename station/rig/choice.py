"""Which rig a command is about: the one named, or this computer's; who did not name it is told which it is and who says so."""

import os
import sys
from typing import NamedTuple

from station.errors import UsageError
from station.files import settings
from station.rig.rig import Rig, find_rig, load_rig, no_rig, rig_names
from station.terminal.shown import shown

VARIABLE = "STATION_RIG"


class Choice(NamedTuple):
    """A rig's name or path, and who chose it."""

    name_or_path: str
    chosen_by: str
    """`--rig`, `STATION_RIG`, the settings file."""


def choice(name_or_path: str = "") -> Choice:
    """The rig behind `--rig`, or without it behind `STATION_RIG`, or behind this computer's settings. Raises UsageError without any."""
    if name_or_path:
        return Choice(name_or_path, "--rig")
    if named := os.environ.get(VARIABLE, ""):
        return Choice(named, VARIABLE)
    if named := settings.load().rig:
        return Choice(named, str(settings.path()))
    raise UsageError(
        f"which rig? Next: `--rig NAME`, or once for this computer `station rig use NAME`. There are {', '.join(rig_names())}"
    )


def rig_or_none(name_or_path: str = "") -> Rig:
    """As `rig_of`; where no rig is named and this computer has none chosen, one without devices (`no_rig`)."""
    if name_or_path or os.environ.get(VARIABLE) or settings.load().rig:
        return rig_of(name_or_path)
    return no_rig()


def rig_of(name_or_path: str = "") -> Rig:
    """The rig a command is about, checked; on stderr which it is, where it was not named. Raises UsageError for a name that is none,
    RigError for a file that is wrong.
    """
    chosen = choice(name_or_path)
    try:
        rig = load_rig(find_rig(chosen.name_or_path))
    except UsageError as error:
        raise UsageError(f"{error}" if name_or_path else f"{error} (the rig is named by {chosen.chosen_by})") from error
    if not name_or_path:
        print(shown(f"rig {rig.name}, by {chosen.chosen_by} ({rig.file})"), file=sys.stderr)
    return rig
