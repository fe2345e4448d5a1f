"""Calibration files: what was measured about one device, by whom, when, how well. One JSON file per serial number.

`$XDG_CONFIG_HOME/station/calibration/<serial>.json` (`~/.config/…` without that variable). Drivers read theirs over the rig
file's seeds; sessions copy every one in force into the episode. A file is replaced as a whole and carries a checksum, so
one that was torn or edited by hand is refused instead of believed. The replaced one stays beside it, in `replaced/`.
"""

import base64
import datetime
import hashlib
import os
import re
from pathlib import Path

import msgspec

from station.borders.bounds import absurd
from station.borders.decoding import Decoder, Undecodable
from station.errors import CalibrationBroken
from station.files import durable, settings
from station.version import station_version

SCHEMA = 1
_LEAST_TRAVEL_RAD = 0.05
_MOVE_AWAY = "move the file away (the rig file's seeds then hold) and calibrate this device again"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    def __post_init__(self) -> None:
        if what := absurd(self):
            raise ValueError(f"{type(self).__name__}: {what}: a number that was not measured")


class Made(_Part, frozen=True):
    """How a part of the file came to be."""

    date: str
    """Wall time, ISO 8601 with its zone."""
    operator: str
    method: str
    samples: int
    residuals: dict[str, float] = {}
    """What was left over, unit in the name: `repeatability_rad`, `reprojection_px`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        datetime.datetime.fromisoformat(self.date)  # raises ValueError

    def age_days(self, today: datetime.date) -> int:
        """How many days ago that was."""
        return (today - datetime.datetime.fromisoformat(self.date).date()).days


class GripperRange(_Part, frozen=True):
    """A gripper's measured travel: the servo's angle (rad) and the finger's position (m), open and closed."""

    open_rad: float
    close_rad: float
    open_m: float
    close_m: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(self.open_rad - self.close_rad) < _LEAST_TRAVEL_RAD or self.open_m == self.close_m:
            raise ValueError("a gripper's open and closed positions must differ")


class ArmCalibration(_Part, frozen=True):
    """An arm's zeros: q = sign · (angle − offset), brought within half a turn of `centres_rad`. Shapes: (D,), gripper left out."""

    made: Made
    joints: tuple[str, ...]
    offsets_rad: tuple[float, ...]
    signs: tuple[int, ...]
    centres_rad: tuple[float, ...]
    """The middle of each joint's travel: how many turns the servo counts since it got power then does not matter."""
    rest_rad: tuple[float, ...] | None = None
    """Joint positions on the rest stops right after zeroing: what the check before a session compares with."""
    gripper: GripperRange | None = None
    gripper_made: Made | None = None
    """How its travel was measured; the zeros are usually of another day."""
    lag_ms: dict[str, float] = {}
    """A follower's joints: how far each is behind its leader's."""
    settings: dict[str, int] = {}
    """What the servos' own memory held when this was measured; the arm is refused while they differ. Empty in older files."""

    def __post_init__(self) -> None:
        super().__post_init__()
        lengths = {len(self.joints), len(self.offsets_rad), len(self.signs), len(self.centres_rad)}
        if len(lengths) != 1 or (self.rest_rad is not None and len(self.rest_rad) != len(self.joints)):
            raise ValueError("joints, offsets_rad, signs, centres_rad and rest_rad must have one length")
        if not all(sign in (-1, 1) for sign in self.signs):
            raise ValueError("signs are 1 or -1")


class Intrinsics(_Part, frozen=True):
    """A pinhole camera with Brown's distortion (k1, k2, p1, p2, k3), as OpenCV's; pixels of `width` × `height`."""

    made: Made
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float]


class Extrinsics(_Part, frozen=True):
    """Where the camera stands in `parent`: a point there is R(quaternion)·p + xyz. x right, y down, z forward in the camera."""

    made: Made
    parent: str
    """`board` or `rig` for a fixed camera; an arm's node for one on its wrist."""
    xyz_m: tuple[float, float, float]
    quaternion_wxyz: tuple[float, float, float, float]
    depth_m: float
    """How far away what matters is, along the optical axis: turns pixels into millimetres where no board is in view."""


class Latency(_Part, frozen=True):
    """How long after the world looked like that the device stamps it; drivers take it off `captured_at`."""

    made: Made
    latency_ms: float
    uncertainty_ms: float


class CheckReference(_Part, frozen=True):
    """What a camera saw when it was well: the check before a session compares with it."""

    made: Made
    picture_jpeg: str
    """Base64, averaged over some frames."""
    brightness: float
    sharpness: float
    controls: dict[str, float] = {}
    """What its controls read then, by the rig file's names: a policy trained under one exposure does not survive another."""

    def __post_init__(self) -> None:
        super().__post_init__()
        base64.b64decode(self.picture_jpeg, validate=True)  # raises ValueError

    def picture(self) -> bytes:
        """The JPEG."""
        return base64.b64decode(self.picture_jpeg)


class Calibration(_Part, frozen=True):
    """All that is known about one device. `revision` counts its files."""

    serial: str
    device: str
    """The node it had when it was measured: a serial that turns up at another node tells swapped cables."""
    model: str
    revision: int = 0
    arm: ArmCalibration | None = None
    intrinsics: Intrinsics | None = None
    extrinsics: Extrinsics | None = None
    latency: Latency | None = None
    reference: CheckReference | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    sha256: str
    calibration: msgspec.Raw
    station_version: str = ""
    """Of the software that wrote it; "" in files from before it was said."""


_file: Decoder[_File] = Decoder("json", _File)
_calibration: Decoder[Calibration] = Decoder("json", Calibration)


def folder() -> Path:
    """Where calibration files live; not made by asking."""
    return settings.folder() / "calibration"


def path_of(serial: str) -> Path:
    """The file of a serial number; characters a file name should not have become `_`, told apart by a digest."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", serial).lstrip(".")
    if name != serial or not name:
        name = f"{name or 'device'}-{hashlib.sha256(serial.encode()).hexdigest()[:8]}"
    return folder() / f"{name}.json"


def load(serial: str) -> Calibration | None:
    """What is known about a serial; None if nothing is. Raises CalibrationBroken with the reason."""
    path = path_of(serial)
    try:
        raw = _read(path)
    except FileNotFoundError:
        return None
    found = _decode(path, raw)
    if found.serial != serial:
        raise CalibrationBroken(path, f"it belongs to serial {found.serial}, not {serial}", _MOVE_AWAY)
    return found


def load_all() -> list[Calibration]:
    """Every file of the folder, by name. Raises CalibrationBroken."""
    return [_decode(path, _read(path)) for path in sorted(folder().glob("*.json"))]


def save(calibration: Calibration) -> Path:
    """Replace the device's file as a whole, durably; returns its path. The file's revision is the old one's + 1."""
    path = path_of(calibration.serial)
    path.parent.mkdir(parents=True, exist_ok=True)
    revision = _keep_replaced(path)
    fresh = msgspec.structs.replace(calibration, revision=revision + 1)
    durable.replace(path, encode(fresh))
    return path


def encode(calibration: Calibration) -> bytes:
    """The file's bytes: indented JSON around a checksum of the compact form."""
    body = msgspec.json.encode(calibration)
    file = _File(SCHEMA, hashlib.sha256(body).hexdigest(), msgspec.Raw(body), station_version())
    return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"


def for_episode(calibration: Calibration) -> Calibration:
    """What goes into an episode: all but the reference picture."""
    reference = calibration.reference
    if reference is not None:
        calibration = msgspec.structs.replace(
            calibration, reference=msgspec.structs.replace(reference, picture_jpeg="")
        )
    return calibration


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CalibrationBroken(path, f"it cannot be read ({error.strerror})", "check its permissions") from error


def _decode(path: Path, raw: bytes) -> Calibration:
    try:
        file = _file.decode(raw)
        compact = msgspec.json.format(bytes(file.calibration), indent=-1)
    except (Undecodable, msgspec.MsgspecError, RecursionError) as error:
        raise CalibrationBroken(path, f"it is torn or no calibration file ({error})", _MOVE_AWAY) from error
    if file.schema != SCHEMA:
        raise CalibrationBroken(
            path, f"schema {file.schema}, this station reads {SCHEMA}", "update the station, or calibrate again"
        )
    if hashlib.sha256(compact).hexdigest() != file.sha256:
        raise CalibrationBroken(path, "its numbers are not the ones that were measured (checksum)", _MOVE_AWAY)
    try:
        return _calibration.decode(compact)
    except Undecodable as error:
        raise CalibrationBroken(path, str(error), _MOVE_AWAY) from error


def _keep_replaced(path: Path) -> int:
    """Link the file about to be replaced into `replaced/`; returns its revision, 0 if there is none that can be read."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return 0
    kept = path.parent / "replaced"
    kept.mkdir(exist_ok=True)
    try:
        revision = _decode(path, raw).revision
    except CalibrationBroken:
        revision = max((_revision(old) for old in kept.glob(f"{path.stem}.*.json")), default=0) + 1
    target = kept / f"{path.stem}.{revision}.json"
    target.unlink(missing_ok=True)
    os.link(path, target)
    return revision


def _revision(path: Path) -> int:
    number = path.stem.rpartition(".")[2]
    return int(number) if number.isdigit() else 0
