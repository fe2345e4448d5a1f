"""`station dataset export`, `verify`, `diff`, `formats`: what trainers are given."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from station.cli.dataset_progress import progress
from station.cli.dataset_select import From, LeftOut, left_out, say_left, selection_from
from station.cli.episodes.told import Where, told
from station.clock import monotonic_ns
from station.errors import EpisodeError, UsageError
from station.steps.speaker import speaking
from station.steps.terminal import in_a_job
from station.terminal.screen import PlainConsole, numbers
from station.terminal.told import JsonOption, tell

if TYPE_CHECKING:  # the functions below import what they need: the terminal that shows the job only reads the options
    from station.datasets.choosing import Choice
    from station.datasets.conversion import Conversion
    from station.datasets.export import Engine
    from station.datasets.hub import Intended

_console = PlainConsole()
_VERIFYING = ("hashing", "verifying")
_EXPORTING = ("reading episodes", "writing", "verifying", "hashing")

Workers = Annotated[int | None, typer.Option(help="Processes; as many as processors. 0: this one.")]
Scheduler = Annotated[
    str, typer.Option(help="An existing Dask cluster instead: tcp://127.0.0.1:8786. It must see the same folders.")
]


class Exported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station dataset export --json` tells."""

    out: str
    format: str
    episodes: int
    recordings: int
    """Files that they are of."""
    frames: int
    rate_hz: float
    left_out: tuple[LeftOut, ...]


class DatasetVerified(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station dataset verify --json` tells."""

    out: str
    findings: tuple[str, ...]
    """What it has that its sources have not, a sentence each; none: it is whole."""


class Differences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station dataset diff --json` tells."""

    differences: tuple[str, ...]


class FormatTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One format of `station dataset formats --json`."""

    name: str
    read_by: str
    videos: tuple[str, ...]
    """The kinds of pictures it can hold; the first where nothing is said."""
    spaces: tuple[str, ...]
    """What its states and actions can be of; the first where nothing is said."""


@in_a_job
def export(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="lerobot-v3, …: `station dataset formats` lists them.")
    ],
    out: Annotated[Path, typer.Argument(help="The dataset's folder: a new one, or one to add episodes to.")],
    folders: From = None,
    selection_file: Annotated[
        Path | None, typer.Option("--selection", help="The selection's file, instead of --from.")
    ] = None,
    where: Where = None,
    rate: Annotated[
        str, typer.Option(help="Frames a second, at most the rows'; `camera`: the slowest camera's own.")
    ] = "",
    action: Annotated[str, typer.Option(help="asked, sent (after ramp and limits) or human.")] = "asked",
    action_at: Annotated[
        str, typer.Option(help="Which of the rows up to the next frame gives the action: last or first.")
    ] = "last",
    representation: Annotated[str, typer.Option(help="absolute, step-delta or (of fingertips) relative.")] = "absolute",
    space: Annotated[
        str, typer.Option(help="joint, or the fingertips: ee (rotation vectors), ee-6d. The format's own first.")
    ] = "",
    gripper: Annotated[str, typer.Option(help="open-1 (0 closed, 1 open), closed-1 or open-minus-1.")] = "open-1",
    video: Annotated[
        str,
        typer.Option(
            help="h264, av1, as-shot (the camera's JPEGs, not encoded again), jpeg, raw. The format's own first."
        ),
    ] = "",
    size: Annotated[str, typer.Option(help="Of the pictures, 224x224; they are stretched.")] = "",
    crop: Annotated[
        list[str] | None,
        typer.Option(
            help="The part of the pictures, before --size: 480x480 (their middle) or 480x480+80+0 (from column 80, row 0); "
            "cam_high=480x480 of one camera; may be given again."
        ),
    ] = None,
    camera: Annotated[list[str] | None, typer.Option(help="Only this camera; may be given again.")] = None,
    depth: Annotated[
        bool, typer.Option(help="The cameras' depth too, as recorded: act, plain, rlds, robomimic.")
    ] = False,
    operators: Annotated[bool, typer.Option("--operators", help="Name the operators in the card.")] = False,
    workers: Workers = None,
    scheduler: Scheduler = "",
    push: Annotated[
        str, typer.Option(metavar="ACCOUNT/NAME", help="Send it to the Hugging Face Hub too: private, read back.")
    ] = "",
    public: Annotated[bool, typer.Option("--public", help="With --push: for everybody to see.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a training set, or add episodes to one. Interrupted, the same command goes on. It gets its name when it has been read back."""
    with told(), speaking(tells_prints=True) as speaker, _engine(workers, scheduler) as engine:
        from station.datasets.choosing import Choice, choose
        from station.datasets.export import export as make
        from station.datasets.parts import format_named
        from station.datasets.selection import read_selection

        if (selection_file is None) == (not folders):
            raise UsageError("say either --from or --selection")
        if selection_file is not None:
            selection, beside = read_selection(selection_file), selection_file.absolute().parent
            if where:
                raise UsageError("--where goes with --from; a selection has its own `where`")
        else:
            selection, beside = selection_from(folders or [], where, None, False, 0.0, "episode", 0), Path.cwd()
        fmt = format_named(format_name)
        choice = choose(selection, beside)
        asked = {
            "action": action, "action_at": action_at, "representation": representation, "gripper": gripper,
            "video": video or fmt.videos[0], "space": space or fmt.spaces[0],
            "size": _size(size), "crop": dict(_crop(one) for one in crop or ()), "cameras": tuple(camera or ()),
            "depth": depth, "operators": operators,
            "rate_hz": _camera_rate(choice) if rate == "camera" else _rate(rate),
        }  # fmt: skip
        conversion, hub = _conversion(asked), _hub(push, public)
        telling = progress(speaker, _EXPORTING, as_json, monotonic_ns)
        done = make(format_name, out, selection, choice, conversion, engine(), telling)
        plan = done.plan
        if as_json:
            speaker.document(
                Exported(
                    str(out),
                    plan.format,
                    len(plan.episodes),
                    len(plan.sources),
                    plan.frames,
                    plan.rate_hz,
                    left_out(done.left),
                )
            )
        else:
            counts = f"{len(plan.episodes)} episodes of {len(plan.sources)} recordings, {plan.frames} frames"
            values = {"episodes": float(len(plan.episodes)), "frames": float(plan.frames), "rate_hz": plan.rate_hz}
            stayed = f", {done.linked} files as they were" if done.linked else ""
            how = f"read back whole{stayed}" if done.is_new else "there already, nothing new"
            speaker.tell(f"{out}: {counts} at {plan.rate_hz:g} Hz, {how}", values=values)
            say_left(Choice((), done.left))
        if hub is not None:
            _push(out, hub)


@in_a_job
def verify(
    out: Annotated[Path, typer.Argument(help="A dataset that was exported here.")],
    workers: Workers = None,
    scheduler: Scheduler = "",
    as_json: JsonOption = False,
) -> None:
    """Hold a dataset against its checksums and its sources: counts, positions, every row, task texts, pictures, statistics."""
    with told(), speaking(tells_prints=True) as speaker, _engine(workers, scheduler) as engine:
        from station.datasets.export import verify as findings_of
        from station.datasets.record import read_record

        plan = read_record(out).plan
        findings = findings_of(out, plan, engine(), progress(speaker, _VERIFYING, as_json, monotonic_ns))
        if as_json:
            speaker.document(DatasetVerified(str(out), tuple(findings)))
        for finding in () if as_json else findings:
            _console.print(f"  {finding}")
        if findings:
            raise EpisodeError(f"{out}: {len(findings)} findings; it is not what its sources are. Next: export again")
        if not as_json:
            _console.print(f"{out}: {len(plan.episodes)} episodes, {plan.frames} frames: whole")


def diff(
    one: Annotated[Path, typer.Argument(help="A dataset.")],
    other: Annotated[Path, typer.Argument(help="Another one.")],
    as_json: JsonOption = False,
) -> None:
    """What two datasets differ in: episodes, rows, conversion, versions, statistics. Exit 1 where they do."""
    from station.datasets.comparing import differences

    with told():
        found = differences(one, other)
        if as_json:
            tell(Differences(tuple(found)))
        else:
            for line in found:
                _console.print(f"  {line}")
            _console.print("they are the same" if not found else f"{len(found)} differences")
        if found:
            raise typer.Exit(1)


def list_formats(as_json: JsonOption = False) -> None:
    """The formats that can be exported, and who reads them."""
    from station.datasets.parts import formats

    with told():
        if as_json:
            tell(
                [
                    FormatTold(name, fmt.consumers, tuple(fmt.videos), tuple(fmt.spaces))
                    for name, fmt in sorted(formats().items())
                ]
            )
            return
        columns = ("format", "read by", "--video", "--space")
        table = numbers(columns, columns)
        for name, fmt in sorted(formats().items()):
            table.add_row(name, fmt.consumers, ", ".join(fmt.videos), ", ".join(fmt.spaces))
        _console.print(table)


def _hub(repo: str, public: bool) -> "Intended | None":
    """What is to be sent where, said before anything is done."""
    if not repo:
        if public:
            raise UsageError("--public goes with --push")
        return None
    from station.datasets.hub import intended

    wanted = intended(repo, public)
    PlainConsole(stderr=True).print(wanted.in_words())
    return wanted


def _push(out: Path, wanted: "Intended") -> None:
    from station.datasets.hub import push, size_of

    console = PlainConsole(stderr=True)
    files, size = size_of(out)
    console.print(f"sending {files} files, {size / 1e6:.1f} MB; {wanted.in_words()}")
    console.print(f"{push(out, wanted)}: sent and read back")


@contextmanager
def _engine(workers: int | None, scheduler: str) -> "Iterator[Callable[[], Engine]]":
    """Processes of this computer, which begin at once while this one goes on, or a cluster that is there."""
    if scheduler:
        if workers is not None:
            raise UsageError("--workers and --scheduler exclude each other: a cluster has the workers that it has")
        from station.datasets.engines.dask import Cluster
        from station.datasets.export import Engine

        with Cluster(scheduler) as cluster:
            yield lambda: Engine(cluster.executor, cluster.workers)
    else:
        from station.datasets.engines.processes import Processes, usual_workers

        with Processes(usual_workers() if workers is None else workers) as here:
            here.begin(["station.datasets.export"])

            def engine() -> "Engine":
                from station.datasets.export import Engine

                return Engine(here.executor, here.workers)

            yield engine


def _conversion(asked: dict[str, Any]) -> "Conversion":
    from station.datasets.conversion import Conversion

    try:
        return msgspec.convert(asked, Conversion)
    except msgspec.ValidationError as error:
        raise UsageError(f"{error}. Next: `station dataset export --help` lists what can be said") from error


def _size(said: str) -> dict[str, int] | None:
    if not said:
        return None
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", said)
    if found is None:
        raise UsageError(f"--size {said}: say it as 640x480")
    return {"width": int(found[1]), "height": int(found[2])}


def _crop(said: str) -> tuple[str, dict[str, int | None]]:
    """Of which camera (`""`: of all), and what."""
    camera, _, part = said.rpartition("=")
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})(?:\+(\d{1,4})\+(\d{1,4}))?", part)
    if found is None:
        raise UsageError(f"--crop {said}: say it as 480x480, 480x480+80+0 or cam_high=480x480")
    values = (int(value) if value else None for value in found.groups())
    return camera, dict(zip(("width", "height", "left", "top"), values, strict=True))


def _rate(said: str) -> float | None:
    try:
        return float(said) if said else None
    except ValueError:
        raise UsageError(f"--rate {said}: say frames a second, or `camera`") from None


def _camera_rate(choice: "Choice") -> float:
    from station.datasets.camera_rate import slowest_camera_hz

    return slowest_camera_hz(choice.taken)
