# ruff: noqa: E501 (a table has one line a row)
"""The TABLE of what is in an episode: datasets with their type, shape, unit and where each row's value comes from; attributes. Pure.

Everybody derives from it: the builder writes each row's `value`, the verifier and every reader hold a file against types, shapes and
counts, `show` tells units and what is marked, the training reader takes what it is named in, the reference is printed from it. A new
number or mark of a row is a field of `bus.messages.Row`, its value in `sync/rows.py`, and a row here.

The first part is ALOHA's layout (act, act-plus-plus, Interbotix' aloha, openpi's converter), the second what those
loaders ignore.
"""

from collections.abc import Mapping
from math import nan
from typing import Any, Literal, NamedTuple

import msgspec

from station.bus.messages import SOURCES
from station.bus.streams import stream_names
from station.devices.contract import Description
from station.errors import EpisodeError

Group = Literal["always", "camera jpeg", "camera raw", "cameras jpeg", "stream", "depth", "extra", "marks"]


Trainer = Literal["ACT", "ACT++", "openpi", "station"]
"""Whose loader: tonyzhaozh/act, MarkFzp/act-plus-plus, openpi's converter for real ALOHAs, `station.training.learning`."""


class Dataset(NamedTuple):
    """One row of the table. Symbols in `shape`: see SYMBOLS."""

    path: str
    dtype: str
    shape: tuple[str | int, ...]
    per: Group
    unit: str
    value: str
    """Where a row's value comes from: a field of the tick, of the row, of what the tick chose of each stream (`tick.qpos`,
    `row.action`, `chosen.age_ns`), or the chosen `sample` itself."""
    what: str
    trainers: tuple[Trainer, ...] = ()
    """Whose loader cannot do without it."""
    since: int = 1
    """The first version of the layout that has it."""
    optional: bool = False
    """The value may be None: NaN stands for it. Whatever else is a float is a number in every row."""
    names: tuple[str, ...] = ()
    """The value is one of these words; the file has its place among them, and them as the attribute `names`."""
    counted: "Count | None" = None
    """The file's attribute that says how often this is so."""

    @property
    def name(self) -> str:
        """The last word of its path; of what there is one per camera or stream, the word before."""
        folder, _, last = self.path.rpartition("/")
        return folder.rpartition("/")[2] if last.startswith("<") else last


class Count(NamedTuple):
    """An attribute that counts rows in which something is so, or runs of them."""

    attribute: str
    of: Literal["rows", "runs"]


class Attribute(NamedTuple):
    """One attribute; `on` is "/" for the file, else the dataset's path in DATASETS."""

    on: str
    name: str
    type: str
    what: str
    since: int = 1
    """The first version of the layout that has it."""


SYMBOLS = {
    "T": "rows: ticks of the episode",
    "D": "numbers of the rig's vector (14 for two 6-joint arms with grippers)",
    "C": "cameras",
    "P": "bytes of the longest JPEG of the episode, over all cameras; shorter ones are padded with zeros",
    "H": "height of the picture",
    "W": "width of the picture",
    "N": "numbers of that stream",
    "M": "marks of the episode",
}

_ALL: tuple[Trainer, ...] = ("ACT", "ACT++", "openpi", "station")

DATASETS = (
    Dataset("/observations/qpos", "float32", ("T", "D"), "always", "as `units`", "tick.qpos", "followers' positions; a gripper is its finger aperture, 0 closed to 1 open", _ALL),
    Dataset("/observations/qvel", "float32", ("T", "D"), "always", "`units`/s", "tick.qvel", "followers' velocities", ("ACT",)),
    Dataset("/observations/effort", "float32", ("T", "D"), "always", "as `effort_units`", "tick.effort", "followers' efforts"),
    Dataset("/observations/images/<camera>", "uint8", ("T", "P"), "camera jpeg", "JPEG", "sample", "JPEG as the camera made it, zero-padded; one chunk a row, or several where one is longer than the first by an eighth; standards-correct: decodes to BGR with OpenCV, to RGB with everything else", ("ACT++", "openpi", "station")),
    Dataset("/observations/images/<camera>", "uint8", ("T", "H", "W", 3), "camera raw", "RGB", "sample", "RGB pictures; one chunk a row", _ALL),
    Dataset("/action", "float32", ("T", "D"), "always", "as `units`", "row.action", "what the source asked for at this tick, as it asked; a gripper is the leader's joint, normalised", _ALL),
    Dataset("/compress_len", "float32", ("C", "T"), "cameras jpeg", "bytes", "sample", "bytes of each JPEG without its padding", ("station",)),
    Dataset("/action_sent", "float32", ("T", "D"), "always", "as `units`", "row.action_sent", "the goal derived from that setpoint, after ramp and limits"),
    Dataset("/policy_action", "float32", ("T", "D"), "always", "as `units`", "row.policy_action", "what the policy asked for, whoever commanded; NaN where it asked nothing or to hold", optional=True),
    Dataset("/human_action", "float32", ("T", "D"), "always", "as `units`", "row.human_action", "what the human asked for; NaN where no human commanded (driven leaders only echo the followers)", optional=True),
    Dataset("/control/source", "uint8", ("T",), "always", "", "row.source", "who commanded: an index into the attribute `names`", names=SOURCES),
    Dataset("/control/intervention", "bool", ("T",), "always", "", "row.intervention", "a human commands while a policy runs: took over from it"),
    Dataset("/control/late", "bool", ("T",), "always", "", "row.late", "the tick was emitted more than 5 ms after its time; its time is still the grid's", counted=Count("late_ticks", "rows")),
    Dataset("/control/stalled", "bool", ("T",), "always", "", "row.stalled", "source or arm was silent for a moment (`stale_ms` to `resume_ms`): the followers slowed down, or were catching up; the source stays", since=2, counted=Count("stalls", "runs")),
    Dataset("/timestamps/tick", "int64", ("T",), "always", "ns", "tick.t_ns", "when the tick is on the grid"),
    Dataset("/timestamps/<stream>", "int64", ("T",), "stream", "ns", "chosen.captured_at_ns", "when the sample in this row was captured"),
    Dataset("/sync/age/<stream>", "int64", ("T",), "stream", "ns", "chosen.age_ns", "how old it was at the tick"),
    Dataset("/sync/is_new/<stream>", "bool", ("T",), "stream", "", "chosen.is_new", "false: the row repeats the sample of the row before"),
    Dataset("/marks/time", "int64", ("M",), "marks", "ns", "mark.at_ns", "when each mark was set, in that order; on the clock of /timestamps", since=4),
    Dataset("/marks/row", "int64", ("M",), "marks", "row", "mark.at_ns", "the newest row whose tick is at or before it; the first one where none is", since=4),
    Dataset("/marks/name", "uint8", ("M",), "marks", "", "mark.name", "what it is called: an index into the attribute `names`", since=4),
    Dataset("/observations/depth/<camera>", "uint16", ("T", "H", "W"), "depth", "mm", "sample", "depth pictures; gzip 1 and shuffle, one chunk a row"),
    Dataset("/observations/extra/<stream>", "float64", ("T", "N"), "extra", "as described", "sample", "any other recorded stream, as numbers; NaN where one is absent", optional=True),
)  # fmt: skip

ATTRIBUTES = (
    Attribute("/", "sim", "bool", "recorded on a simulated rig"),
    Attribute("/", "compress", "bool", "pictures are JPEG"),
    Attribute("/", "layout", "int64", "version of this layout"),
    Attribute("/", "task", "string", "the task's name: also the folder"),
    Attribute("/", "episode", "int64", "the episode's number in its folder"),
    Attribute("/", "instruction", "string", "what a language-conditioned policy is told"),
    Attribute("/", "operator", "string", "who recorded it"),
    Attribute("/", "scene", "string", "the scene"),
    Attribute("/", "object", "string", "the object that the task was done with, where the task's collection plan names some", 5),
    Attribute("/", "policy", "string", "the policy that ran, if one did: kind, folder, sha256 of policy.yaml and of every other file of the folder (what a server says of itself, what a replayed episode holds)"),
    Attribute("/", "trial", "int64", "which trial of an evaluation it was, from 1; 0: none", 3),
    Attribute("/", "condition", "string", "under which condition of the evaluation: which scene, whose turn", 3),
    Attribute("/", "policy_delay_p95_ms", "float64", "from an observation's tick to its first usable row: the worst 95th percentile of its window (250 answers) in the episode; NaN without a policy"),
    Attribute("/", "policy_starved_ticks", "int64", "ticks for which the policy had no row left and asked to hold"),
    Attribute("/", "policy_faults", "int64", "answers of the policy that were no answers"),
    Attribute("/", "success", "int8", "−1 not said, 0 no, 1 yes; the only attribute ever rewritten. The labels file wins"),
    Attribute("/", "camera_names", "strings", "cameras in the rig's order"),
    Attribute("/", "dim_names", "strings", "names of the vector's numbers (D)"),
    Attribute("/", "units", "strings", "their units (D)"),
    Attribute("/", "effort_units", "strings", "units of /observations/effort (D): mA, A, N·m, N, 0.1 % (a load), empty where an arm does not measure it. Before layout 3 all were mA", 3),
    Attribute("/", "action_space", "string", "always joint_position"),
    Attribute("/", "rig", "string", "the rig's name"),
    Attribute("/", "rig_sha256", "string", "hash of the rig file"),
    Attribute("/", "rig_yaml", "string", "the rig file"),
    Attribute("/", "devices", "string", "JSON: what each device said of itself (model, serial, firmware, streams)"),
    Attribute("/", "kinematics", "string", "JSON: per follower whose geometry is known its joints among `dim_names`, its chain of hinges (as URDF has them, tip between the fingertips) and where its base stands in the rig frame", 3),
    Attribute("/", "calibration", "string", "JSON: per device with a calibration file, the file that was in force, reference picture left out"),
    Attribute("/", "check_result", "string", "JSON: the check that opened the session: verdict, findings, when, why it was overridden; empty if there was none"),
    Attribute("/", "imported", "string", "JSON: what it was imported from and the sha256 of that; empty where a station recorded it. Then velocity, effort and what was sent are NaN where they are not known", 4),
    Attribute("/", "station_version", "string", "version of the software that recorded"),
    Attribute("/", "tick_hz", "float64", "rate of the grid"),
    Attribute("/", "clock", "string", "what the times are: CLOCK_MONOTONIC of the station's host, ns"),
    Attribute("/", "start_ns", "int64", "an instant on that clock …"),
    Attribute("/", "start_wall_ns", "int64", "… and the same instant in Unix time"),
    Attribute("/", "late_ticks", "int64", "rows whose tick was late"),
    Attribute("/", "stalls", "int64", "how often that happened: runs of rows marked stalled", 2),
    Attribute("/", "lost_samples", "int64", "samples lost on the way to the journal, over the streams in /timestamps"),
    Attribute("/", "stale_samples", "int64", "rows × streams older than three periods of the stream's rate (100 ms where it has none)"),
    Attribute("/", "ended", "string", "why the recording ended by itself; empty when it was asked to"),
    Attribute("/", "recovered", "bool", "saved from a journal that was cut off"),
    Attribute("/", "damage", "string", "what was wrong with the journal; the rows before it are here"),
    Attribute("/", "unrecorded_streams", "strings", "streams that appeared while it was recorded (a headset put on), and so are not in it", 2),
    Attribute("/", "quality", "string", "JSON: the quality card, measured while the file was built (`station episodes show`); empty where it could not be", 3),
    Attribute("/timestamps/<stream>", "kind", "string", "what the stream carries"),
    Attribute("/timestamps/<stream>", "lost", "int64", "samples of it lost on the way to the journal"),
    Attribute("/timestamps/<stream>", "stale", "int64", "rows in which it was stale"),
    Attribute("/compress_len", "camera_names", "strings", "the order of its rows"),
    Attribute("/control/source", "names", "strings", "what the numbers mean"),
    Attribute("/marks/name", "names", "strings", "names of the marks that were set", 4),
    Attribute("/observations/extra/<stream>", "dim_names", "strings", "names of its numbers (N)"),
)  # fmt: skip

VERSION = 5
"""2: `/control/stalled`, `stalls` and `unrecorded_streams`. 3: `quality`, `effort_units`, `kinematics`, `trial` and `condition`.
4: `/marks` and `imported`. 5: `object`.
Raised with every new row of the tables, which says since when it is
there: older files are then whole without it.
"""
STALE_PERIODS = 3
STALE_DEFAULT_NS = 100_000_000


class Plan(NamedTuple):
    """What one episode has of everything: fills the table's symbols and names."""

    rows: int
    dimensions: int
    jpeg: bool
    padded: int
    """P; 0 where pictures are raw."""
    cameras: tuple[str, ...]
    """In the rig's order."""
    pictures: Mapping[str, tuple[int, int]]
    """(H, W) per camera; unused for JPEG."""
    depths: Mapping[str, tuple[int, int]]
    """(H, W) per camera that has depth."""
    extras: Mapping[str, int]
    """N per extra stream."""
    streams: tuple[str, ...]
    marks: int = 0
    version: int = VERSION
    """Of the layout."""


class Expected(NamedTuple):
    """One dataset of one episode."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    picture: bool
    gzip: bool
    entry: Dataset
    name: str
    """Of the camera or the stream that it is of; "" for one of the whole row."""


def expected(plan: Plan) -> list[Expected]:
    """Every dataset of an episode, in the table's order."""
    return [found for entry in DATASETS if entry.since <= plan.version for found in _fill(entry, plan)]


def _fill(entry: Dataset, plan: Plan) -> list[Expected]:
    names: Mapping[Group, tuple[str, ...]] = {
        "always": ("",),
        "camera jpeg": plan.cameras if plan.jpeg else (),
        "camera raw": () if plan.jpeg else plan.cameras,
        "cameras jpeg": ("",) if plan.jpeg else (),
        "stream": plan.streams,
        "depth": tuple(plan.depths),
        "extra": tuple(plan.extras),
        "marks": ("",),
    }
    return [_one(entry, plan, name) for name in names[entry.per]]


def _one(entry: Dataset, plan: Plan, name: str) -> Expected:
    height, width = (plan.depths if entry.per == "depth" else plan.pictures).get(name, (0, 0))
    sizes = {
        "T": plan.rows, "D": plan.dimensions, "C": len(plan.cameras), "P": plan.padded, "H": height, "W": width,
        "N": plan.extras.get(name, 0), "M": plan.marks,
    }  # fmt: skip
    path = entry.path.replace("<camera>", name).replace("<stream>", name)
    shape = tuple(size if isinstance(size, int) else sizes[size] for size in entry.shape)
    picture = entry.per in ("camera jpeg", "camera raw", "depth")
    return Expected(path, entry.dtype, shape, picture, entry.per == "depth", entry, name)


def entries_of(path: str) -> list[Dataset]:
    """The table's rows that a file's dataset may be; none for a stranger."""
    found = [entry for entry in DATASETS if entry.path == path]
    folder = path.rpartition("/")[0]
    return found or [
        entry
        for entry in DATASETS
        if entry.path.rpartition("/")[2].startswith("<") and entry.path.rpartition("/")[0] == folder
    ]


def value_of(entry: Dataset, of: object) -> Any:
    """What the file gets for a field of the tick, the row or the chosen sample that `of` is: a number, or a vector of them."""
    value = getattr(of, entry.value.partition(".")[2])
    if entry.names:
        return entry.names.index(value)
    return nan if value is None else value


def taken_by(trainer: Trainer) -> dict[str, str]:
    """Name → path of what that trainer's loader takes."""
    return {entry.name: entry.path for entry in DATASETS if trainer in entry.trainers}


def streams(descriptions: Mapping[str, Description]) -> dict[str, tuple[str, str]]:
    """Name in the file (and in a tick's `chosen`) → (kind, node), of every recorded stream that devices publish.

    Raises EpisodeError where two streams would have one name (a camera called like another one's depth).
    """
    found: dict[str, tuple[str, str]] = {}
    for node, description in descriptions.items():
        for kind, name in stream_names(node, (stream.kind for stream in description.streams)).items():
            if name in found:
                raise EpisodeError(
                    f"the {kind} of {node} and the {found[name][0]} of {found[name][1]} would both be called {name}. "
                    "Next: give one of the two devices another name in the rig file"
                )
            found[name] = kind, node
    return found


def numbers(body: msgspec.Struct) -> dict[str, float]:
    """Every number in a body by its dotted name: `left.0`, `buttons.trigger`. What is None or no number is left out."""
    found: dict[str, float] = {}
    _collect("", msgspec.to_builtins(body), found)
    return found


def _collect(name: str, value: object, found: dict[str, float]) -> None:
    prefix = f"{name}." if name else ""
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(f"{prefix}{key}", inner, found)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            _collect(f"{prefix}{place}", inner, found)
    elif isinstance(value, int | float):
        found[name] = float(value)
