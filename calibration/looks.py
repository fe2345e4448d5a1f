"""What is seen while an operator is asked for something: the board, how far a camera has moved, where an arm's joints are. Pure.

Each picture is half of the camera's, for a page that shows two a second.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.cameras import sighting
from calibration.cameras.board import Board
from calibration.maths import registration
from calibration.maths.registration import Arrow
from station.bus.messages import Dimension
from station.errors import MeasurementPoor

Bgr = NDArray[np.uint8]

ARROW_SCALE = 8
"""Arrows are drawn this much longer than the drift they show."""
_WIDTH = 640
_QUALITY = 75
_FOUND, _LOST, _DRIFT = (80, 220, 80), (40, 140, 255), (0, 0, 255)


class Look(NamedTuple):
    """What to show."""

    words: str
    values: dict[str, float | str] = {}
    picture: bytes = b""
    """JPEG."""


def board_seen(jpeg: bytes, board: Board) -> Look:
    """Which of the board's corners are seen, drawn into the picture; roughly: the measurement finds them exactly."""
    picture = _decoded(jpeg)
    corners = sighting.roughly(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8), board)
    enough = len(corners) >= sighting.FEWEST_CORNERS
    for corner in corners.values():
        cv2.circle(picture, (round(corner[0]), round(corner[1])), 6, _FOUND if enough else _LOST, 2, cv2.LINE_AA)
    words = f"the board is {'seen' if enough else 'not seen'}: {len(corners)} of its corners"
    return Look(
        words if enough else f"{words}, {sighting.FEWEST_CORNERS} are needed",
        {"corners": len(corners)},
        _encoded(picture),
    )


def drift_seen(jpeg: bytes, reference: bytes) -> Look:
    """How far what stands still has moved against the reference picture, as arrows."""
    picture, before = _decoded(jpeg), cv2.imdecode(np.frombuffer(reference, np.uint8), cv2.IMREAD_GRAYSCALE)
    now = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    if before is None or before.shape != now.shape:
        return Look("the picture has another size than the reference", {}, _encoded(picture))
    found = registration.register(np.asarray(before, np.uint8), now)
    draw_drift(picture, found.arrows)
    if not found.arrows:
        return Look(f"not to be compared with the reference: {found.outcome}", {}, _encoded(picture))
    drift_px = float(np.median([np.hypot(arrow.dx, arrow.dy) for arrow in found.arrows]))
    words = f"against the reference: {drift_px:.1f} px; arrows are {ARROW_SCALE} times as long"
    return Look(words, {"drift_px": drift_px}, _encoded(picture))


def draw_drift(picture: Bgr, arrows: Sequence[Arrow]) -> None:
    """Draw them into it, `ARROW_SCALE` times as long."""
    for arrow in arrows:
        start = round(arrow.x), round(arrow.y)
        end = round(arrow.x + ARROW_SCALE * arrow.dx), round(arrow.y + ARROW_SCALE * arrow.dy)
        cv2.arrowedLine(picture, start, end, _DRIFT, 2, cv2.LINE_AA, tipLength=0.3)


def camera_seen(jpeg: bytes) -> Look:
    """Just the picture."""
    return Look("", {}, _encoded(_decoded(jpeg)))


def cameras_seen(jpegs: Sequence[bytes]) -> Look:
    """Several cameras' pictures beside and below each other, each as large as the first."""
    pictures = [_decoded(jpeg) for jpeg in jpegs]
    height, width = pictures[0].shape[:2]
    columns = math.ceil(math.sqrt(len(pictures)))
    sheet = np.zeros((height * -(-len(pictures) // columns), width * columns, 3), np.uint8)
    for place, picture in enumerate(pictures):
        top, left = height * (place // columns), width * (place % columns)
        sheet[top : top + height, left : left + width] = cv2.resize(
            picture, (width, height), interpolation=cv2.INTER_AREA
        )
    return Look("", {}, _encoded(sheet))


def joints_seen(position: tuple[float, ...], dimensions: tuple[Dimension, ...], torque: bool) -> Look:
    """Where an arm's joints are. `position`: its reading, of which `dimensions` are the first."""
    values: dict[str, float | str] = {
        f"{dimension.name}_deg": round(float(np.degrees(angle)), 1)
        for dimension, angle in zip(dimensions, position, strict=False)
    }
    rest = position[len(dimensions) :]
    return Look(
        "torque is on" if torque else "torque is off", values | ({"gripper": round(rest[0], 3)} if rest else {})
    )


def _decoded(jpeg: bytes) -> Bgr:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise MeasurementPoor("the camera's picture cannot be decoded")
    return np.asarray(picture, np.uint8)


def _encoded(picture: Bgr) -> bytes:
    height, width = picture.shape[:2]
    if width > _WIDTH:
        picture = np.asarray(
            cv2.resize(picture, (_WIDTH, height * _WIDTH // width), interpolation=cv2.INTER_AREA), np.uint8
        )
    return bytes(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1])
