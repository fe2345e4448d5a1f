"""What the shell offers behind TAB besides names of commands and options: by the NAME of a parameter, whichever command has it.

`station --install-completion` puts it into the shell. Where nothing is offered the shell offers files.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from station.errors import StationError

if TYPE_CHECKING:
    from station.rig.rig import Rig


class Offer(NamedTuple):
    """One word that could stand there, as click's shells want it."""

    value: str
    help: str | None = None
    type: str = "plain"


def rigs(_: str) -> Iterable[str]:
    """Names that `--rig` takes: shipped ones, and this computer's."""
    from station.rig.rig import rig_names

    return rig_names()


def tasks(rig: str) -> Iterable[str]:
    """Tasks of which there are recordings."""
    return (folder.name for folder in _loaded(rig).data.expanduser().iterdir() if folder.is_dir())


def devices(rig: str) -> Iterable[str]:
    """Devices of the rig, by node."""
    return (device.node for device in _loaded(rig).devices)


def arms(rig: str) -> Iterable[str]:
    """Arms of the rig, by node."""
    return (device.node for device in _loaded(rig).devices if device.role in ("leader", "follower"))


def nodes(rig: str) -> Iterable[str]:
    """Every process of the rig."""
    from station.runtime.processes import processes

    return (process.node for process in processes(_loaded(rig)))


OFFERED: dict[str, Callable[[str], Iterable[str]]] = {
    "rig": rigs, "like": rigs, "task": tasks, "only": devices, "on": arms, "arm": arms, "node": nodes,
}  # fmt: skip
"""Parameter → what is offered, given what `--rig` says ("": this computer's own)."""


def _loaded(rig: str) -> "Rig":
    from station.rig.choice import choice
    from station.rig.rig import find_rig, load_rig

    return load_rig(find_rig(choice(rig).name_or_path))


def offer(parameter: str, context: Any, incomplete: str) -> list[Offer]:
    """What could stand for a parameter and begins as typed. Nothing where no rig is named, or its file is wrong: TAB tells no errors."""
    try:
        words = sorted(OFFERED[parameter](str(context.params.get("rig") or "")))
    except (StationError, OSError):
        return []
    return [Offer(word) for word in words if word.startswith(incomplete)]


def completed(command: Any) -> Any:
    """The command, and those below it, with what their parameters offer."""
    for parameter in command.params:
        if parameter.name in OFFERED:
            parameter.shell_complete = partial(offer, parameter.name)
    for below in getattr(command, "commands", {}).values():
        completed(below)
    return command
