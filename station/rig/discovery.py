"""What is plugged in: the contract of finders, which `station find` and `station udev` run.

A finder is a class named by a package entry point in the group `station.finders`: it knows one kind of hardware, asks
it who it is, and says what a rig file would need. It moves nothing and changes nothing unless `set_baud` is called. So that a person can
tell which camera or arm it has found, it may show what a camera sees and where an arm's joints are.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar, runtime_checkable

import msgspec

from station.clock import NS_PER_S, Clock, monotonic_ns
from station.errors import DeviceSilent, StationError, UsageError
from station.terminal.shown import shown

SETTLED = 15
"""Pictures until a camera's exposure fits the room."""
SILENT_NS = 4 * NS_PER_S
"""A camera that takes no picture for so long is asked for none any more; USB cameras need seconds to the first."""
T = TypeVar("T")


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is plugged in."""

    kind: str
    """`arm`, `adapter` (nobody answered behind it), `camera`."""
    model: str
    port: str
    """Where it is now: /dev/ttyUSB0, /dev/video2, a RealSense's serial."""
    stable: str
    """A name that survives replugging and restarts: what belongs into a rig file."""
    serial: str
    details: tuple[str, ...] = ()
    """Servos with model and ID at which baud, formats of a camera."""
    suggestion: tuple[str, ...] = ()
    """Lines for the rig file."""
    advice: tuple[str, ...] = ()
    """What is wrong with it, and the command that mends it."""
    rule: str = ""
    """Its udev rule with `{name}` for the link's name; "" where it needs none."""
    name: str = ""
    """The link's name it has or should get, such as ttyDXL_leader_left."""


class Finder(Protocol):
    """Finds one kind of hardware."""

    def find(self, ports: tuple[str, ...]) -> list[Found]:
        """What is plugged in; only these ports if any are named. A port that cannot be asked is Found with advice."""


@runtime_checkable
class BaudSetter(Finder, Protocol):
    """A finder whose hardware has a baud rate."""

    def set_baud(self, port: str, baud: int) -> str:
        """Set everybody on the port to `baud`; says what was done. Raises a StationError that says what to do."""


Joints = Mapping[str, float]
"""Where joints stand, rad, by name."""


@runtime_checkable
class Photographer(Finder, Protocol):
    """A finder whose hardware takes pictures."""

    def pictures(self, found: Found) -> Generator[bytes | None, None, None]:
        """What a camera sees, as JPEG, picture by picture as it takes them; None in between where none came within half a second.

        Opened when the first is asked for, and closed with the generator. Raises a StationError that says what to do, for what is no camera
        of its own too.
        """


@runtime_checkable
class JointReader(Finder, Protocol):
    """A finder of arms that can be read as they are: nothing is written to them, and nothing gets or loses torque."""

    def joints(self, found: Found) -> Generator[Joints | None, None, None]:
        """Where an arm's joints stand, by their servos' own zeros and directions, reading by reading; None where nobody answered.

        Opened when the first is asked for, and closed with the generator. Raises a StationError that says what to do, for what is no arm of
        its own too.
        """


class Discovered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all finders found."""

    found: tuple[Found, ...]
    failures: tuple[str, ...]
    """Finders that could not work, and why."""


def finders() -> dict[str, Any]:
    """Name → finder, of everything installed."""
    return {point.name: point.load()() for point in entry_points(group="station.finders")}


def discover(ports: Iterable[str] = ()) -> Discovered:
    """Ask every finder. One that fails is named and does not hide the others."""
    found: list[Found] = []
    failures: list[str] = []
    for name, finder in finders().items():
        try:
            found += finder.find(tuple(ports))
        except StationError as error:
            failures.append(f"{name}: {error}")
    return Discovered(tuple(found), tuple(failures))


def set_baud(port: str, baud: int) -> str:
    """Let the finder that can do it set a port's baud (bit/s). Returns what to tell the operator. Raises UsageError where none can."""
    for finder in finders().values():
        if isinstance(finder, BaudSetter):
            return finder.set_baud(port, baud)
    raise UsageError("no installed driver can set a baud rate")


def pictures(found: Found, clock: Clock = monotonic_ns) -> Generator[bytes | None, None, None]:
    """What a camera sees, as `Photographer` has it; to be closed. Raises a StationError that says what to do, for a silent one too."""
    heard_ns = clock()
    takers = [finder.pictures for finder in finders().values() if isinstance(finder, Photographer)]
    with closing(_first_of(found, takers, f"no installed driver takes a picture with {found.model}")) as taken:
        for jpeg in taken:
            now_ns = clock()
            heard_ns = heard_ns if jpeg is None else now_ns
            if now_ns - heard_ns > SILENT_NS:
                raise DeviceSilent(
                    found.model, found.port, "a picture", "none came", "replug it, and close what else uses it"
                )
            yield jpeg


def picture(found: Found) -> bytes:
    """One picture of a camera, as JPEG, once it has found its exposure. Raises a StationError that says what to do."""
    newest, count = b"", 0
    with closing(pictures(found)) as taken:
        for jpeg in taken:
            if jpeg is not None:
                newest, count = jpeg, count + 1
            if count == SETTLED:
                break
    return newest


def joints(found: Found) -> Generator[Joints | None, None, None]:
    """Where an arm's joints stand, as `JointReader` has it; to be closed. Raises a StationError that says what to do."""
    readers = [finder.joints for finder in finders().values() if isinstance(finder, JointReader)]
    return _first_of(found, readers, f"no installed driver reads {found.model} without changing anything")


def _first_of(
    found: Found, streams: Iterable[Callable[[Found], Generator[T, None, None]]], nobody: str
) -> Generator[T, None, None]:
    """The first that begins. Raises what the last of them says if none does, UsageError with `nobody` where there are none."""
    refusal: StationError = UsageError(nobody)
    for begin in streams:
        with closing(begin(found)) as stream:
            try:
                first = next(stream)
            except StationError as error:
                refusal = error
                continue
            except StopIteration:
                return
            yield first
            yield from stream
            return
    raise refusal


def rules(found: Iterable[Found], names: dict[str, str]) -> str:
    """The udev rules of what was found. `names`: serial or port → the link's name, over the suggested one.

    Raises UsageError for a name that fits nothing, or that two things would share.
    """
    devices = [device for device in found if device.rule]
    known = {key for device in devices for key in (device.serial, device.port, device.stable)}
    for key in names:
        if key not in known:
            raise UsageError(
                f"--name {key}=…: nothing plugged in has that serial or port. `station find` lists what there is"
            )
    for key in names:
        meant = [device.port for device in devices if key in (device.serial, device.port, device.stable)]
        if len(meant) > 1:
            raise UsageError(f"--name {key}=…: {' and '.join(meant)} both have it. Next: name each by its port")
    lines: list[str] = []
    taken: set[str] = set()
    matches: dict[str, str] = {}
    for device in devices:
        if device.rule in matches:
            raise UsageError(
                f"{matches[device.rule]} and {device.port} cannot be told apart by a udev rule: both would be\n  {device.rule}\n"
                "Next: unplug one of them"
            )
        matches[device.rule] = device.port
        asked = next((names[key] for key in (device.serial, device.port, device.stable) if key in names), device.name)
        if asked in taken:
            raise UsageError(f"two devices would be called {asked}. Next: give them names with --name SERIAL=NAME")
        taken.add(asked)
        lines.append(f"# {shown(device.model)}, now {shown(device.port)}\n{device.rule.replace('{name}', asked)}\n")
    return "\n".join(lines)
