"""`station calibrate cameras`: the reference picture, the lens, and where a fixed or a wrist camera stands."""

import base64

import cv2
import numpy as np

from calibration import looks
from calibration.arms import zeros as zeroing
from calibration.cameras import half_seen, sighting
from calibration.cameras.board import Board, View
from calibration.checks.cameras import lens_of
from calibration.maths import extrinsics, handeye, intrinsics, quality
from calibration.maths.handeye import Station
from calibration.maths.lens import Lens
from calibration.maths.poses import Pose, from_quaternion
from calibration.maths.quality import Gray
from calibration.measuring import Measuring, See
from station.errors import MeasurementPoor
from station.files.calibration_files import CheckReference, Extrinsics, Intrinsics, Made

VIEWS = 16
STOPS = 12
_REFERENCE_S = 1.2


def reference(measuring: Measuring, node: str) -> str:
    """Keep what a camera sees now as what it should see. Raises MeasurementPoor for pictures that are no reference: dark, blurred,
    something that moves in them.
    """
    known = measuring.stored(node).reference
    before = known.picture() if known is not None else b""
    see = measuring.sees(node, lambda jpeg: looks.drift_seen(jpeg, before) if before else looks.camera_seen(jpeg))
    measuring.ask(f"{node}: arms parked, table as it always is, lights as always, nobody in view", see)
    camera = measuring.pictures(node, _REFERENCE_S)
    colour = [np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)) for jpeg in camera.pictures]
    grays = camera.grays()
    if poor := quality.no_reference(grays):
        raise MeasurementPoor(f"{node}: {poor}")
    mean = np.asarray(np.round(np.mean(np.stack(colour), axis=0)), np.uint8)
    jpeg = bytes(cv2.imencode(".jpg", mean, (cv2.IMWRITE_JPEG_QUALITY, 95))[1])
    kept = CheckReference(
        measuring.made("mean picture", len(grays)), base64.b64encode(jpeg).decode(),
        quality.exposure(quality.mean_picture(grays)).mean, float(np.median([quality.sharpness(gray) for gray in grays])),
        {name: float(value) for name, value in measuring.settings(node).items()},
    )  # fmt: skip
    return f"{node}: reference picture of {len(grays)} kept. {measuring.save(node, reference=kept)}"


def lens(measuring: Measuring, node: str, board: Board) -> str:
    """A camera's lens from views of the board."""
    views = []
    for number in range(VIEWS):
        measuring.ask(
            f"{node}: hold the board still, near or far, in another corner, tilted another way ({number + 1} of {VIEWS})",
            _board(measuring, node, board),
        )
        views.append(_view(node, measuring.picture(node), board))
    found = intrinsics.calibrate(views, board)
    matrix, distortion = found.lens
    k1, k2, p1, p2, k3 = (float(value) for value in distortion)
    stored = Intrinsics(
        measuring.made("ChArUco board, Zhang", len(found.view_rms_px), {"reprojection_px": found.rms_px}), found.width, found.height,
        float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2]), (k1, k2, p1, p2, k3),
    )  # fmt: skip
    path = measuring.save(node, intrinsics=stored)
    dropped = "".join(f"; view {drop.view + 1} dropped: {drop.reason}" for drop in found.dropped)
    return (
        f"{node}: focal length {stored.fx:.1f}, {stored.fy:.1f} px, reprojection {found.rms_px:.3f} px{dropped}. {path}"
    )


def _board(measuring: Measuring, node: str, board: Board) -> See:
    """What a camera sees of the board just now."""
    return measuring.sees(node, lambda jpeg: looks.board_seen(jpeg, board))


def _view(node: str, gray: Gray, board: Board) -> View | str:
    """The board, or why it is not seen. Raises MeasurementPoor for another board than the rig file's: no view will be better."""
    found = sighting.find(gray, board)
    if found is not None:
        return found
    unseen = half_seen.why(gray, board)
    if unseen.wrong:
        raise MeasurementPoor(f"{node}: {unseen.reason}")
    return unseen.reason


def place(measuring: Measuring, node: str, board: Board) -> str:
    """Where a fixed camera stands, seen from the board in its marked place, by PnP (`calibration.maths.extrinsics`).

    Raises MeasurementPoor without a measured lens, or where the board is not seen, or moves.
    """
    known = _lens(measuring, node)
    measuring.ask(f"{node}: put the board onto its marked place on the table, in view", _board(measuring, node, board))
    grays = measuring.pictures(node, _REFERENCE_S).grays()
    found = [_view(node, gray, board) for gray in grays]
    views = [view for view in found if not isinstance(view, str)]
    if not views:
        raise MeasurementPoor(f"{node} does not see the board: {found[-1]}. Next: put it into view, well lit")
    extrinsics.refuse_moving(views, board, known)
    seen = extrinsics.board_pose_of(views, board, known)
    made = measuring.made("ChArUco board, PnP", len(views), {"reprojection_px": seen.rms_px})
    stored = _extrinsics(
        seen.camera_from_board.inverse(), "board", made, float(seen.camera_from_board.translation_m[2])
    )
    above_mm = 1000 * abs(stored.xyz_m[2])
    return f"{node}: {above_mm:.0f} mm above the board, reprojection {seen.rms_px:.2f} px. {measuring.save(node, extrinsics=stored)}"


def wrist(measuring: Measuring, node: str, arm: str, board: Board, stops: int = STOPS) -> str:
    """Where a camera sits on `arm`'s gripper, by hand–eye: the arm goes to some stops, the board lies still."""
    known, gripper_at = _lens(measuring, node), GripperPose(measuring, arm)
    see = _board(measuring, node, board)
    measuring.ask(f"{node}: lay the board flat before {arm}; it must not move from now on", see)
    stations: list[Station] = []
    numbers: list[int] = []
    for stop in range(stops):
        measuring.ask(
            f"{arm}: hold it still where {node} sees the board, turned another way ({stop + 1} of {stops})", see
        )
        readings, gray = measuring.stop(arm, node)
        view = _view(node, gray, board)
        if isinstance(view, str):
            measuring.ask(f"{node}: {view}; this stop is left out")
            continue
        try:
            stations.append(Station(gripper_at(zeroing.resting(readings, arm)), view))
            numbers.append(stop + 1)
        except MeasurementPoor as error:
            measuring.ask(f"{error}; this stop is left out")
    found = handeye.calibrate(stations, board, known)
    depth_m = float(
        np.median([extrinsics.board_pose(s.view, board, known).camera_from_board.translation_m[2] for s in stations])
    )
    residuals = {"held_out_mm": found.held_out_mm, "held_out_deg": found.held_out_deg}
    stored = _extrinsics(
        found.gripper_from_camera, arm, measuring.made("hand–eye, Park and Martin", found.stations, residuals), depth_m
    )
    x, y, z = (1000 * value for value in stored.xyz_m)
    left_out = "".join(
        f"; stop {numbers[number]} did not fit to the others and is left out" for number in found.left_out
    )
    return (
        f"{node}: at {x:+.1f}, {y:+.1f}, {z:+.1f} mm from {arm}'s fingertips; stops the fit was not shown are off by "
        f"{found.held_out_mm:.2f} mm, {found.held_out_deg:.2f}°{left_out}. {measuring.save(node, extrinsics=stored)}"
    )


class GripperPose:
    """Where an arm's fingertips are in the frame of its base, from its joints."""

    def __init__(self, measuring: Measuring, arm: str) -> None:
        """Raises UsageError for an arm whose driver describes no chain, MeasurementPoor without the packages that move it."""
        try:
            from station.kinematics.arm import Kinematics
            from station.kinematics.chains import FRAME
            from station.kinematics.models import chain_model
        except ImportError as error:
            raise MeasurementPoor(
                f"a wrist camera needs arm kinematics ({error}). Next: pip install 'teleop-station[vr]'"
            ) from error
        chain, dimensions = measuring.chain(arm), measuring.dimensions(arm)
        lower, upper = tuple(d.lower for d in dimensions), tuple(d.upper for d in dimensions)
        self._arm = Kinematics(chain_model(chain, lower, upper), FRAME)

    def __call__(self, joints_rad: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Pose:
        """base_from_gripper. (D,)"""
        found = self._arm.forward(joints_rad)
        w, x, y, z = (float(value) for value in found.quaternion_wxyz)
        px, py, pz = (float(value) for value in found.position_m)
        return from_quaternion((w, x, y, z), (px, py, pz))


def _lens(measuring: Measuring, node: str) -> Lens:
    known = measuring.stored(node).intrinsics
    if known is None:
        raise MeasurementPoor(f"{node} has no measured lens. Next: `station calibrate cameras --board --only {node}`")
    return lens_of(known)


def _extrinsics(pose: Pose, parent: str, made: Made, depth_m: float) -> Extrinsics:
    x, y, z = (float(value) for value in pose.translation_m)
    return Extrinsics(made, parent, (x, y, z), pose.quaternion_wxyz(), depth_m)
