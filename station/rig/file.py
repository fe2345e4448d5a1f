"""What a rig file may say: its keys, their types, defaults and limits. They are a contract (docs/reference/rig-file.md)."""

import math
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from station.borders.strict_yaml import LONGEST_CHARACTERS, Written, load_with_lines
from station.errors import RigError

_FARTHEST_M = 100.0
"""No rig is larger."""


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an arm's base stands in the rig frame: x forward, y left, z up."""

    xyz_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rpy_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not all(abs(value) <= _FARTHEST_M for value in self.xyz_m):
            raise ValueError(f"xyz_m must be numbers within ±{_FARTHEST_M:g} m")
        if not all(abs(value) <= 2 * math.pi for value in self.rpy_rad):
            raise ValueError("rpy_rad must be numbers within ±6.283: radians, not degrees")


class Safety(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rig's limits."""

    velocity_rad_s: float = 3.14
    """Of every servo, in the servo itself and in the last gate: over any time w a goal moves by at most this times (w + 25 ms)."""
    acceleration_rad_s2: float = 100.0
    """Of every goal, in the last gate."""
    stale_ms: float = 100.0
    """Without a command for this long an arm decelerates."""
    resume_ms: float = 300.0
    """A source or an arm that speaks again within this time is followed again by itself; after a longer silence, or a second
    one within 2 s, the arms hold until an operator acts. Above `stale_ms`; also how long a servo's own watchdog waits."""
    divergence_rad: float = 0.6
    """A goal this far from the measured pose for 0.3 s is a hold; grippers are exempt."""
    camera_loss_s: float = 1.0
    """A camera silent for longer ends the episode."""
    session_hours: float = 8.0
    """How long a calibration check counts."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            if not 0 < getattr(self, field) < 1e6:
                raise ValueError(f"{field} must be a number above 0")
        if self.resume_ms <= self.stale_ms:
            raise ValueError(
                f"resume_ms ({self.resume_ms:g}) must be above stale_ms ({self.stale_ms:g}): "
                "it is how long a silence may last that is followed again"
            )


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the check before a session. Each is (warn, fail): beyond the first it warns, beyond the second it fails."""

    zero_deg: tuple[float, float] = (0.5, 0.9)
    """A joint on its rest stops against where it rested when it was zeroed."""
    leader_follower_deg: tuple[float, float] = (0.8, 1.6)
    """A leader's joint against its follower's, both on their rest stops or engaged."""
    gripper_percent: tuple[float, float] = (4.0, 8.0)
    """A gripper's travel, shorter than the generation's."""
    gripper_days: float = 90.0
    """How long a gripper's measured travel is taken to hold."""
    supply_v: tuple[float, float] = (11.0, 10.0)
    """The lowest voltage a servo sees; below. A device that says what it bears (Dynamixel, by model) is held to that; this counts
    where it is stricter, and below what such a servo should get."""
    temperature_c: tuple[float, float] = (55.0, 68.0)
    """The hottest servo; a model that bears less is held to that."""
    error_percent: tuple[float, float] = (0.5, 5.0)
    """Readings of an arm that failed."""
    rate_percent: tuple[float, float] = (95.0, 85.0)
    """Achieved of the declared rate; below."""
    serial_ms: tuple[float, float] = (4.0, 8.0)
    """From read request to reply, median."""
    jitter_ms: tuple[float, float] = (15.0, 40.0)
    """95th percentile of a camera's gaps about their median."""
    brightness_percent: tuple[float, float] = (15.0, 30.0)
    """Mean brightness against the reference."""
    sharpness_percent: tuple[float, float] = (20.0, 40.0)
    """Fine detail lost against the reference."""
    camera_mm: tuple[float, float] = (1.5, 2.5)
    """How far a camera has moved, if it shifted."""
    camera_deg: tuple[float, float] = (0.2, 0.4)
    """How far a camera has turned, if it turned."""
    scene_depth_m: float = 0.8
    """How far cameras are from what matters, where calibration has not measured it."""
    latency_ms: tuple[float, float] = (15.0, 30.0)
    """How late a camera is against the arms, its stored latency taken off."""
    latency_days: float = 90.0
    """How long a camera's measured latency is taken to hold."""
    late_percent: tuple[float, float] = (1.0, 5.0)
    """Ticks more than 5 ms late."""
    disk_gb: tuple[float, float] = (20.0, 5.0)
    """Free on the data folder's disk; below."""
    disk_mb_s: tuple[float, float] = (60.0, 25.0)
    """Write speed there; below."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            values = getattr(self, field)
            for value in values if isinstance(values, tuple) else (values,):
                if not 0 <= value < 1e6:
                    raise ValueError(f"{field} must be a number from 0")


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ChArUco board that cameras are calibrated and checked with. The default fits an A4 page.

    Measure the printed squares and give their true size. A camera must see a square 15 pixels wide: for a wide lens, or one
    that hangs high, print a larger board.
    """

    squares_x: int = 9
    """Squares along its wide side."""
    squares_y: int = 6
    """Squares along the other."""
    square_m: float = 0.028
    """A square's side."""
    marker_m: float = 0.021
    """A marker's side."""

    def __post_init__(self) -> None:
        if not (3 <= self.squares_x <= 20 and 3 <= self.squares_y <= 20):
            raise ValueError("a board has 3 to 20 squares a side")
        if self.squares_x * self.squares_y > 200:
            raise ValueError("a board has 200 squares at most: there are 100 markers")
        if not 0 < self.marker_m < self.square_m < 1:
            raise ValueError("marker_m must be above 0 and below square_m")


class Teleop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a VR operator's hands move the arms, and what leaders do while a policy moves them."""

    driven_leaders: Literal["ask", "on", "off"] = "ask"
    """Do leaders that take goals go along with their followers while a policy commands, with so little force that one hand stops
    them? Who takes over then finds them where the followers are. `ask`: once in each sitting; they stay limp until somebody says so.
    """
    scale: float = 1.0
    """The gripper's way per the hand's."""
    lower_m: tuple[float, float, float] = (-2.0, -2.0, 0.0)
    """The box in the rig frame that the fingertips stay in. z = 0 is the table when the bases stand on it."""
    upper_m: tuple[float, float, float] = (2.0, 2.0, 2.0)

    def __post_init__(self) -> None:
        if not 0.05 <= self.scale <= 5:
            raise ValueError("scale must be 0.05 to 5")
        if not all(abs(value) <= _FARTHEST_M for value in (*self.lower_m, *self.upper_m)):
            raise ValueError(f"lower_m and upper_m must be numbers within ±{_FARTHEST_M:g} m")
        if not all(low < high for low, high in zip(self.lower_m, self.upper_m, strict=True)):
            raise ValueError("lower_m must be below upper_m in x, y and z")


Marks = tuple[str, ...]
_MOST_MARKS = 9
_LONGEST_MARK = 60


def _check_marks(names: Marks) -> None:
    if len(names) > _MOST_MARKS:
        raise ValueError(f"marks has {len(names)} names, there are keys for {_MOST_MARKS}")
    if len(set(names)) < len(names):
        raise ValueError("marks has a name twice")
    for name in names:
        if not (name.strip() == name and name.isprintable() and 0 < len(name) <= _LONGEST_MARK):
            raise ValueError(f"a mark cannot be called {name[:60]!a}: 1 to {_LONGEST_MARK} characters that can be seen")


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is this task's own."""

    marks: Marks = ()
    """Names of its marks, instead of the rig's."""

    def __post_init__(self) -> None:
        _check_marks(self.marks)


class SideEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arms of one side."""

    base: Base = Base()
    """Where the arm stands; needed for VR and frames."""
    leader: dict[str, Any] | None = None
    """`{driver: …, port: … or address: …, further keys of that driver}`."""
    follower: dict[str, Any] | None = None
    """The same. An arm is at a serial `port` or at a network `address`, one of them."""


class RigFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file, as written."""

    name: str
    """1 to 24 of a–z, 0–9 and _; also names the runtime folder."""
    tick_hz: float = 50.0
    """Rows a second. 50 is what ALOHA, ACT and openpi expect."""
    settle_ms: float = 3.0
    """How long after t_k a tick is emitted, so that samples captured before it have arrived."""
    data: str = "~/station-data"
    """Episodes go to `<data>/<task>/episode_<n>.hdf5`."""
    images: Literal["jpeg", "raw"] = "jpeg"
    """How the HDF5 keeps pictures: JPEG as shot, or raw RGB (ACT's own loader; 184 MB/s for 4 cameras)."""
    arms: dict[str, SideEntry] = {}
    """Sides by name; their order makes the vector."""
    cameras: dict[str, dict[str, Any]] = {}
    """Cameras by name, each `{driver: …, keys of that driver}`."""
    vr: dict[str, Any] | None = None
    """A headset, `{driver: …, keys of that driver}`."""
    teleop: Teleop = Teleop()
    """How a VR operator's hands move the arms."""
    safety: Safety = Safety()
    """Limits, see below."""
    check: Check = Check()
    """Limits of the check before a session, see below."""
    marks: Marks = ("mark",)
    """Names of moments that are marked while an episode is recorded (`contact`, `again from here`): keys 1 to 9; m, a fourth pedal and the
    headset's y set them in turn."""
    tasks: dict[str, Task] = {}
    """What is one task's own, by its name."""
    board: Board = Board()
    """What cameras are calibrated and checked with, see below."""
    world: dict[str, Any] | None = None
    """Simulated rigs: what stands in for the hardware. A `port:` or `source:` `ports/…` and an `address:` `world/…` are then the world's.
    Arms anywhere else are taken for real ones, and commands ask before they move.
    """

    def __post_init__(self) -> None:
        _check_marks(self.marks)


def read_rig_file(path: Path) -> tuple[Written, str]:
    """What the file says, and its text. Raises RigError for one that is no YAML."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST_CHARACTERS + 1)  # the loader says what is wrong with one that is longer
        return load_with_lines(text), text
    except (OSError, UnicodeDecodeError) as error:
        raise RigError(path, "file", f"cannot be read: {error}", "check the path and its permissions") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RigError(
            path, "file", " ".join(str(error).split()), "correct that line; the file is YAML",
            line=mark.line + 1 if mark is not None else 0,
        ) from error  # fmt: skip
