"""What the check makes of the cameras: a survey, what calibration knows and the limits in, findings out. Pure."""

import datetime
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import msgspec
import numpy as np

from calibration.arms.motion import Lags
from calibration.arms.wrist import carrier, on_rest
from calibration.cameras import sighting
from calibration.cameras.board import Board
from calibration.checks.survey import ArmSeen, CameraSeen, Survey
from calibration.checks.verdict import above, below, same, sharing, told, unchecked
from calibration.maths import extrinsics, poses, quality, registration
from calibration.maths.latency import Lag
from calibration.maths.lens import Lens
from calibration.maths.quality import Gray
from calibration.maths.registration import Arrow, Registration
from station.borders.jpeg import content_problem
from station.errors import MeasurementPoor
from station.files.calibration_files import Calibration, Extrinsics, Intrinsics
from station.files.check_results import Finding, Verdict
from station.rig.file import Check
from station.rig.rig import Rig

Known = dict[str, Calibration]
"""Calibrations by serial."""

_NOT_AS_ASKED = ("did not take", "controls not set")
"""What marks a note as something that is not as the rig file wants it; other notes are for information."""
_CHANGED = "something changed it"
_COMPARED = "identity, light, sharpness, place"
_SWING = "`station check --swing 12`, and swing the arms in view"
_CALIBRATE = "`station calibrate cameras`"
_WITHOUT_BOARD = "(± 20 %: from pictures, without a board) "
"""Measured: docs/calibration.md. Near and far things drift differently, and the distance is one for all of them."""
_FOCAL_PER_WIDTH = 0.46
"""Focal length over picture width where none was measured: of a wide lens (a C922 has 0.93, a D405 0.68), so that a move is
rather over- than underestimated."""


_SET_BY = {"exposure_auto": ("exposure", "gain"), "white_balance_auto": ("white_balance",), "focus_auto": ("focus",)}
"""An automatic one, and the controls that it sets."""
_VIEWS = 4
"""Pictures in which the board is looked for: each takes a third of a second of a processor, found or not."""


class Picture(NamedTuple):
    """For the report: the reference beside now, and the drift drawn as arrows."""

    camera: str
    reference_jpeg: bytes
    now_jpeg: bytes
    arrows: tuple[Arrow, ...]


def check(
    rig: Rig, seen: Survey, known: Known, board: Board, lags: Lags, today: datetime.date
) -> tuple[list[Finding], list[Picture]]:
    """Every camera. `lags`: what was seen while the arms were swung, empty if they were not."""
    references = {
        calibration.device: gray
        for calibration in known.values()
        if calibration.reference is not None and (gray := _gray(calibration.reference.picture())) is not None
    }
    found: list[Finding] = []
    pictures: list[Picture] = []
    for node, camera in seen.cameras.items():
        one = _Camera(node, camera, known, references, rig.check, board, pictures, rig.world is not None)
        arm = carrier(rig, node, one.calibration)
        one.others = tuple(seen.sharing(node))
        one.astray = arm if arm and not _rests(seen.arms[arm], known) else ""
        found += one.findings()
        found.append(_lag(node, lags[node], rig.check) if node in lags else _stored_lag(one, today))
    return found, pictures


def _rests(arm: ArmSeen, known: Known) -> bool:
    return on_rest(arm, known.get(arm.description.serial) if arm.description else None)


def _stored_lag(one: "_Camera", today: datetime.date) -> Finding:
    """Nobody swung the arms: what was measured lately and is taken off still holds."""
    about = one.camera.description
    in_force = about.calibration.latency if about is not None and about.calibration is not None else None
    stored = one.calibration.latency if one.calibration is not None else None
    if stored is None:
        return unchecked(one.node, "latency", "it was never measured", "`station calibrate latency`")
    if stored != in_force:
        return unchecked(one.node, "latency", "what was measured is not in force yet", "restart the station")
    days = stored.made.age_days(today)
    if days > one.limits.latency_days:
        return unchecked(one.node, "latency", f"it was measured {days} days ago", _SWING)
    return told(one.node, "latency", "pass", f"{stored.latency_ms:.1f} ms taken off, measured {days} days ago", "")


def _lag(node: str, lag: Lag | str, limits: Check) -> Finding:
    if isinstance(lag, str):
        return unchecked(node, "latency", lag, _SWING)
    do = "`station calibrate latency` measures it anew; then restart the station"
    found = above(node, "latency", abs(lag.lag_ms), "ms", limits.latency_ms, do)
    return found if found.verdict == "pass" else msgspec.structs.replace(found, next=f"{lag.lag_ms:+.0f} ms: {do}")


class _Camera:
    """One camera's findings."""

    def __init__(
        self, node: str, camera: CameraSeen, known: Known, references: dict[str, Gray], limits: Check, board: Board,
        pictures: list[Picture], drawn: bool,
    ) -> None:  # fmt: skip
        self.node, self.camera, self.limits, self.board = node, camera, limits, board
        self.references, self.pictures = references, pictures
        self.drawn = drawn
        """By a simulated world: a still scene then honestly repeats, byte for byte."""
        self.others: tuple[str, ...] = ()
        """Devices of the same serial number."""
        self.astray = ""
        """The arm that carries it, if that does not lie where the reference picture was taken."""
        self.calibration = known.get(camera.description.serial) if camera.description else None

    def findings(self) -> Iterator[Finding]:
        camera = self.camera
        if camera.description is None or len(camera.at_ns) < 3:
            said = camera.last.error if camera.last and camera.last.error else f"{len(camera.at_ns)} pictures"
            yield told(self.node, "present", "fail", said, "check its cable; `station status` tells more")
            return
        yield told(self.node, "present", "pass", f"{camera.description.model}, serial {camera.description.serial}", "")
        yield from sharing(self.node, self.others)
        yield from self._stream()
        yield self._content()
        yield from self._controls()
        grays = camera.grays()
        if not grays:
            yield told(self.node, "picture", "fail", "no picture can be decoded", "unplug and plug the camera again")
            return
        yield from self._against_reference(quality.mean_picture(grays), grays)

    def _content(self) -> Finding:
        """Are the pictures all there? Readers fill what was lost with grey, or smear it, and say nothing."""
        problems = [problem for jpeg in self.camera.pictures if (problem := content_problem(jpeg))]
        if not problems:
            return told(self.node, "content", "pass", f"{len(self.camera.pictures)} pictures decoded in full", "")
        verdict: Verdict = "fail" if 2 * len(problems) >= len(self.camera.pictures) else "warn"
        value = f"{len(problems)} of {len(self.camera.pictures)} pictures have lost data ({problems[-1]})"
        return told(self.node, "content", verdict, value, "give the camera its own USB port and another cable")

    def _controls(self) -> Iterator[Finding]:
        """Exposure, gain, white balance, focus against those of the reference: pictures of other ones look the same to a check, and not
        to a policy. What the camera itself sets (an automatic one is on) drifts by nature and is not compared.
        """
        about, reference = self.camera.description, self.calibration.reference if self.calibration else None
        if about is None or reference is None or not reference.controls:
            return
        now = about.settings
        by_itself = {name for auto, names in _SET_BY.items() if now.get(auto) == 1 for name in names}
        moved = [
            f"{name} is {now[name]}, was {was:.0f}"
            for name, was in reference.controls.items()
            if name in now and name not in by_itself and now[name] != was
        ]
        do = "`controls:` in the rig file fixes them; `station calibrate cameras` when it was meant"
        yield told(
            self.node,
            "controls",
            "warn" if moved else "pass",
            ", ".join(moved) or "as in the reference",
            do if moved else "",
        )

    def _stream(self) -> Iterator[Finding]:
        camera, limits = self.camera, self.limits
        about = camera.description
        assert about is not None
        wanted = about.streams[0]
        size = f"{camera.size[0]} × {camera.size[1]}"
        yield same(
            self.node,
            "resolution",
            size,
            f"{wanted.width} × {wanted.height}",
            "correct the rig file or the camera's mode",
        )
        pace = quality.pace(camera.at_ns)
        do = "give the camera its own USB port, more light (long exposures slow it), or fewer programs beside"
        yield below(self.node, "frame rate", 100 * pace.rate_hz / wanted.rate_hz, "%", limits.rate_percent, do)
        yield above(self.node, "frame jitter", pace.jitter_ms, "ms", limits.jitter_ms, do)
        for note in camera.last.notes if camera.last else ():
            if not any(word in note for word in _NOT_AS_ASKED):
                continue
            yield told(self.node, "controls", "warn", note, "correct `controls` in the rig file, or set it by hand")
        for warning in camera.last.error.split("; ") if camera.last and camera.last.error else ():
            control = _CHANGED in warning
            do = (
                "set it back, or restart the station, which sets it" if control else "do what it says, then check again"
            )
            yield told(self.node, "controls" if control else "state", "warn", warning, do)
        if self.drawn:
            return
        repeats = 100 * quality.repeated(camera.digests) / max(1, len(camera.digests) - 1)
        yield above(self.node, "repeated pictures", repeats, "%", (1.0, 20.0), "unplug and plug the camera again")

    def _against_reference(self, now: Gray, grays: list[Gray]) -> Iterator[Finding]:
        reference = self.calibration.reference if self.calibration else None
        own = self.references.get(self.node)
        if reference is None or self.calibration is None:
            yield unchecked(self.node, _COMPARED, "there is no reference picture", _CALIBRATE)
            return
        if self.astray:
            yield unchecked(
                self.node, _COMPARED, f"{self.astray} is not on its rest stops", "`station park --release` first"
            )
            return
        identity = self._identity(now)
        yield identity
        if identity.verdict != "pass":
            self.pictures.append(Picture(self.node, reference.picture(), self.camera.pictures[-1], ()))
            return
        if own is None or own.shape != now.shape:
            yield unchecked(self.node, "place", "the reference is of another size", _CALIBRATE)
            return
        light = 100 * abs(quality.exposure(now).mean / max(1.0, reference.brightness) - 1)
        yield above(
            self.node,
            "exposure",
            light,
            "%",
            self.limits.brightness_percent,
            "put the light or the exposure back to what it was",
        )
        lost = 100 * max(
            0.0, 1 - float(np.median([quality.sharpness(gray) for gray in grays])) / max(1e-9, reference.sharpness)
        )
        yield above(
            self.node, "sharpness", lost, "% lost", self.limits.sharpness_percent, "clean the lens, put the focus back"
        )
        yield from self._place(own, now, grays, reference.picture())

    def _identity(self, now: Gray) -> Finding:
        calibration = self.calibration
        assert calibration is not None
        if calibration.device != self.node:
            do = f"this camera's serial belongs to {calibration.device}: swap the cables or the rig file's sources"
            return same(self.node, "identity", calibration.device, self.node, do)
        match = quality.identify(now, self.references, self.node)
        do = f"it shows what {match.reference} should show: swap the cables or the rig file's sources"
        return same(self.node, "identity", match.reference or self.node, self.node, do)

    def _place(self, own: Gray, now: Gray, grays: list[Gray], reference_jpeg: bytes) -> Iterator[Finding]:
        calibration = self.calibration
        assert calibration is not None
        found = registration.register(own, now)
        self.pictures.append(Picture(self.node, reference_jpeg, self.camera.pictures[-1], found.arrows))
        by_picture = self._by_picture(calibration, found, now)
        drift = self._by_board(calibration.intrinsics, calibration.extrinsics, grays)
        if drift is None:
            yield from by_picture
            return
        by_board = [self._mm(drift.mm, "by the board"), self._deg(drift.deg, "by the board")]
        if {f.verdict for f in by_picture} == {"pass"} and {f.verdict for f in by_board} != {"pass"}:
            where = f"it lies {drift.mm:.1f} mm, {drift.deg:.2f}° from its mark; the camera has not moved"
            yield told(self.node, "board", "warn", where, "put the board onto its mark, then check again")
            yield from by_picture
        else:
            yield from by_board

    def _by_picture(self, calibration: Calibration, found: Registration, now: Gray) -> list[Finding]:
        """Against the reference picture alone."""
        if found.outcome == "no texture":
            do = "put a board into view, then check again"
            return [unchecked(self.node, "place", "the reference has too little to go by", do)]
        if found.outcome != "matched":
            value = f"{100 * found.share:.0f} % of the reference is found again"
            do = "clear the view; if it is clear, the camera has moved far: put it back, then " + _CALIBRATE
            return [told(self.node, "place", "fail", value, do)]
        depth_m = calibration.extrinsics.depth_m if calibration.extrinsics else self.limits.scene_depth_m
        lens = calibration.intrinsics
        focal_px = lens.fx if lens else _FOCAL_PER_WIDTH * now.shape[1]
        centre_px = (lens.cx, lens.cy) if lens else (now.shape[1] / 2, now.shape[0] / 2)
        return [
            self._mm(registration.moved_mm(found, depth_m, focal_px, centre_px), "if it shifted", _WITHOUT_BOARD),
            self._deg(registration.turned_deg(found, focal_px, centre_px), "if it turned"),
        ]

    def _mm(self, value: float, how: str, accuracy: str = "") -> Finding:
        do = (
            f"{accuracy}put the camera back where the reference picture shows it, tighten its mount; if it shall stay: "
            + _CALIBRATE
        )
        return above(self.node, f"place, {how}", value, "mm", self.limits.camera_mm, do)

    def _deg(self, value: float, how: str) -> Finding:
        do = (
            "turn the camera back to where the reference picture shows it, tighten its mount; if it shall stay: "
            + _CALIBRATE
        )
        return above(self.node, f"direction, {how}", value, "°", self.limits.camera_deg, do)

    def _by_board(
        self, lens: Intrinsics | None, stored: Extrinsics | None, grays: list[Gray]
    ) -> extrinsics.Drift | None:
        """Against the stored pose, where that was measured with a board that lies there again; else None."""
        if lens is None or stored is None or stored.parent != "board":
            return None
        views = [view for gray in grays[-_VIEWS:] if (view := sighting.find(gray, self.board)) is not None]
        if not views:
            return None
        try:
            seen = extrinsics.board_pose_of(views, self.board, lens_of(lens))
        except MeasurementPoor:
            return None
        return extrinsics.drift(
            poses.from_quaternion(stored.quaternion_wxyz, stored.xyz_m), seen.camera_from_board.inverse()
        )


def lens_of(stored: Intrinsics) -> Lens:
    """The lens of a calibration file."""
    matrix = np.array([[stored.fx, 0, stored.cx], [0, stored.fy, stored.cy], [0, 0, 1.0]])
    return Lens(matrix, np.array(stored.distortion))


def _gray(jpeg: bytes) -> Gray | None:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if picture is None else np.asarray(picture, np.uint8)
