"""What the operator and the rig do together to measure a device, and the files that come of it."""

import base64
import datetime
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from calibration import arms as zeroing
from calibration import extrinsics, gello, grippers, intrinsics, latency, quality, sighting
from calibration.board import Board
from calibration.checks_cameras import lens_of
from calibration.survey import ArmSeen, CameraSeen, Listener
from station import calibration_files
from station.bus.messages import Dimension
from station.calibration_files import ArmCalibration, Calibration, CheckReference, Extrinsics, Intrinsics, Latency, Made
from station.clock import NS_PER_S, Clock
from station.errors import MeasurementPoor, UsageError
from station.rig import Rig

Array = NDArray[np.float64]

_PLACING_S = 1.5
_VIEWS = 16
_VIEW_S = 0.4
_REFERENCE_S = 1.2
_PATIENCE_NS = 10 * NS_PER_S


class Measuring:
    """A running rig, an operator who is asked one thing at a time, and the files."""

    def __init__(
        self, rig: Rig, attached: Callable[[Rig], AbstractContextManager[None]], operator: str,
        ask: Callable[[str], None], clock: Clock,
    ) -> None:  # fmt: skip
        self.rig, self._operator, self._ask, self._clock = rig, operator, ask, clock
        self._attached = attached(rig)
        self._listener: Listener

    def __enter__(self) -> Self:
        self._attached.__enter__()
        self._listener = Listener(self.rig)
        self._listen(1.5)
        until_ns = self._clock() + _PATIENCE_NS
        while not self._listener.all_described() and self._clock() < until_ns:
            self._listen(0.2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._attached.__exit__(kind, error, trace)

    def arms(self) -> list[str]:
        """Arms that are no GELLO."""
        return [node for node in self._listener.seen.arms if node not in self.gellos()]

    def gellos(self) -> list[str]:
        """GELLO leaders."""
        return [d.node for d in self.rig.devices if d.role == "leader" and getattr(d.settings, "model", "") == "gello"]

    def chosen(self, nodes: list[str], only: list[str] | None) -> list[str]:
        """Those of `nodes` the operator named. Raises UsageError for one that is not there, or when there are none."""
        strange = [name for name in only or () if name not in nodes]
        if strange or not nodes:
            raise UsageError(
                f"{', '.join(strange) or 'nothing'} to calibrate; this rig has {', '.join(nodes) or 'none of that kind'}"
            )
        return [node for node in nodes if not only or node in only]

    def zero_arm(self, node: str, placings: int, pose_deg: list[float] | None) -> str:
        """Measure an arm on its rest stops. With the joints' true angles there (a jig), its zeros follow from them.

        Without, zeros stay what they are, and where it rests is kept for the check. Returns what to tell the operator.
        """
        if self._arm(node).torque:
            raise MeasurementPoor(
                f"{node} has torque on, it then rests where its motors hold it. Next: `station park --release --rig {self.rig.name}`"
            )
        old, dimensions = self._zeros(node), self._dimensions(node)
        signs, offsets = np.array(old.signs, np.float64), np.array(old.offsets_rad)
        taken = []
        for placing in range(placings):
            self._ask(f"{node}: lift it, lay it onto its rest stops, let go ({placing + 1} of {placings})")
            taken.append(zeroing.servo_rad(self._rest(node), offsets, signs))
        rest = zeroing.joint_rad(
            np.stack([zeroing.resting(t, node) for t in taken]), offsets, signs, np.array(old.centres_rad)
        )
        reference = rest.mean(axis=0) if pose_deg is None else np.radians(pose_deg)
        if len(reference) != len(dimensions):
            raise UsageError(f"{node} has {len(dimensions)} joints, the pose {len(reference)} angles")
        found = zeroing.zero(taken, reference, signs, node)
        worst = float(np.max(found.repeatability_rad))
        made = self._made(
            "rest stops" if pose_deg is None else "reference pose",
            found.readings,
            {"repeatability_rad": worst, "noise_rad": float(np.max(found.noise_rad))},
        )
        zeros = msgspec.structs.replace(
            old,
            made=made,
            offsets_rad=old.offsets_rad if pose_deg is None else tuple(map(float, found.offsets_rad)),
            rest_rad=tuple(map(float, reference)),
        )
        path = self._save(node, arm=zeros)
        if pose_deg is None:
            return f"{node}: rests where the check will look for it, repeatable to {np.degrees(worst):.2f}°; zeros as before. {path}"
        moved = np.degrees(zeroing.wrap(found.offsets_rad - offsets))
        told = ", ".join(f"{d.name} {degrees:+.2f}°" for d, degrees in zip(dimensions, moved, strict=True))
        return f"{node}: zeros moved by {told}; repeatable to {np.degrees(worst):.2f}°. {path}"

    def gello(self, node: str) -> str:
        """Signs and offsets of a GELLO."""
        dimensions = self._dimensions(node)
        old = self._zeros(node)
        offsets, old_signs = np.array(old.offsets_rad), np.array(old.signs, np.float64)
        signs = []
        for place, dimension in enumerate(dimensions):
            self._ask(f"{node}: get ready to turn {dimension.name} once, slowly, in its positive direction")
            turned = zeroing.servo_rad(self._rest(node, 3.0), offsets, old_signs)[:, place]
            signs.append(gello.sign(turned, dimension.name))
        self._ask(f"{node}: hold it in the start pose of the picture, still")
        pose = np.array([d.start for d in dimensions])
        angles = zeroing.servo_rad(self._rest(node), offsets, old_signs)
        found = gello.offsets(angles, pose, np.array(signs, np.float64), node)
        gello.refuse_doubtful(found, tuple(d.name for d in dimensions))
        worst = float(np.max(np.abs(found.residual_rad)))
        zeros = msgspec.structs.replace(
            old, made=self._made("start pose, quarter turns", len(angles), {"quarter_turn_rad": worst}), signs=tuple(signs),
            offsets_rad=tuple(map(float, found.offsets_rad)), centres_rad=tuple(map(float, pose)),
        )  # fmt: skip
        path = self._save(node, arm=zeros)
        left = ", ".join(f"{d.name} {np.degrees(r):+.1f}°" for d, r in zip(dimensions, found.residual_rad, strict=True))
        return f"{node}: left over to the nearest quarter turn: {left}. {path}"

    def gripper(self, node: str, seconds: float) -> str:
        """Measure a gripper's travel in a sweep and keep it."""
        settings = self.rig.device(node).settings
        role, model = self.rig.device(node).role, getattr(settings, "model", "")
        expected = grippers.EXPECTED.get((role, getattr(settings, "generation", None) or "aloha1"))
        if expected is None or model not in grippers.LINKAGES_M or getattr(settings, "gripper", None) is not None:
            raise UsageError(
                f"{node}: there are no constants for its gripper to compare with. Next: leave it out with --only"
            )
        self._ask(f"{node}: get ready to open and close its gripper to its stops, for {seconds:g} s")
        self._listen(seconds, fresh=True)
        normalised = np.array(self._arm(node).positions)[:, -1]
        angles = expected.close_rad + normalised * (expected.open_rad - expected.close_rad)
        opened, closed = grippers.sweep(angles, f"{node}'s gripper")
        short = grippers.shortfall(opened, closed, expected)
        made = self._made("sweep between the stops", len(angles), {"shorter_percent": short.travel_percent})
        measured = grippers.measured_range(opened, closed, model)
        old = self._zeros(node)
        zeros = msgspec.structs.replace(old, gripper=measured)
        path = self._save(
            node, arm=zeros if old.made.method != "rig file" else msgspec.structs.replace(zeros, made=made)
        )
        return (
            f"{node}: travel {100 - short.travel_percent:.1f} % of the generation's, opens {short.open_percent:+.1f} % and closes "
            f"{short.close_percent:+.1f} % short. {path}"
        )

    def reference(self, node: str) -> str:
        """Keep what a camera sees now as what it should see."""
        self._ask(f"{node}: arms parked, table as it always is, lights as always, nobody in view")
        self._listen(_REFERENCE_S, fresh=True)
        until_ns = self._clock() + _PATIENCE_NS
        while not self._listener.seen.cameras[node].pictures and self._clock() < until_ns:
            self._listen(0.2)
        camera = self._camera(node)
        colour = [np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)) for jpeg in camera.pictures]
        grays = camera.grays()
        mean = np.asarray(np.round(np.mean(np.stack(colour), axis=0)), np.uint8)
        jpeg = bytes(cv2.imencode(".jpg", mean, (cv2.IMWRITE_JPEG_QUALITY, 95))[1])
        reference = CheckReference(
            self._made("mean picture", len(grays)), base64.b64encode(jpeg).decode(),
            quality.exposure(quality.mean_picture(grays)).mean, float(np.median([quality.sharpness(gray) for gray in grays])),
        )  # fmt: skip
        return f"{node}: reference picture of {len(grays)} kept. {self._save(node, reference=reference)}"

    def lens(self, node: str, board: Board) -> str:
        """A camera's lens from views of the board."""
        views = []
        for number in range(_VIEWS):
            self._ask(
                f"{node}: hold the board still, near or far, in another corner, tilted another way ({number + 1} of {_VIEWS})"
            )
            views.append(sighting.find(self._picture(node), board))
        found = intrinsics.calibrate(views, board)
        matrix, distortion = found.lens
        k1, k2, p1, p2, k3 = (float(value) for value in distortion)
        stored = Intrinsics(
            self._made("ChArUco board, Zhang", len(found.view_rms_px), {"reprojection_px": found.rms_px}), found.width, found.height,
            float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2]), (k1, k2, p1, p2, k3),
        )  # fmt: skip
        path = self._save(node, intrinsics=stored)
        dropped = "".join(f"; view {drop.view + 1} dropped: {drop.reason}" for drop in found.dropped)
        return f"{node}: focal length {stored.fx:.1f}, {stored.fy:.1f} px, reprojection {found.rms_px:.3f} px{dropped}. {path}"

    def place(self, node: str, board: Board) -> str:
        """Where a fixed camera stands, seen from the board in its marked place."""
        known = self._known(node).intrinsics
        if known is None:
            raise MeasurementPoor(
                f"{node} has no measured lens. Next: `station calibrate cameras --board --only {node}`"
            )
        self._ask(f"{node}: put the board onto its marked place on the table, in view")
        self._listen(_REFERENCE_S, fresh=True)
        views = [view for gray in self._camera(node).grays() if (view := sighting.find(gray, board)) is not None]
        if not views:
            raise MeasurementPoor(f"{node} does not see the board. Next: put it into view, well lit")
        seen = extrinsics.board_pose_of(views, board, lens_of(known))
        pose = seen.camera_from_board.inverse()
        x, y, z = (float(value) for value in pose.translation_m)
        stored = Extrinsics(
            self._made("ChArUco board, PnP", len(views), {"reprojection_px": seen.rms_px}), "board", (x, y, z),
            pose.quaternion_wxyz(), float(seen.camera_from_board.translation_m[2]),
        )  # fmt: skip
        return f"{node}: {1000 * abs(z):.0f} mm above the board, reprojection {seen.rms_px:.2f} px. {self._save(node, extrinsics=stored)}"

    def latencies(self, nodes: list[str], seconds: float) -> Iterator[str]:
        """Camera latencies against the follower that moves most, then every joint's lag behind its leader."""
        self._ask(f"get ready to swing the arms before the cameras, at changing speed, for {seconds:g} s")
        motion: dict[str, list[float]] = {node: [] for node in nodes}
        stamps: dict[str, list[int]] = {node: [] for node in nodes}
        self._watch(nodes, seconds, motion, stamps)
        for node in nodes:
            yield self._camera_latency(node, np.array(stamps[node], np.int64), np.array(motion[node]))
        for side in self.rig.sides:
            if side.leader and side.follower:
                yield from self._lags(side.leader, side.follower)

    def _camera_latency(self, node: str, stamps: NDArray[np.int64], motion: Array) -> str:
        arms = self._listener.seen.arms
        mover = max(
            (name for name in arms if name.startswith("follower")),
            key=lambda name: float(np.ptp(arms[name].joint_rad, axis=0).sum()),
        )
        arm = arms[mover]
        try:
            found = latency.camera_lag(np.array(arm.at_ns, np.int64), arm.joint_rad, stamps, motion)
        except MeasurementPoor as error:
            return f"{node}: {error}"
        old = self._known(node).latency
        total = found.lag_ms + (old.latency_ms if old else 0.0)
        stored = Latency(
            self._made(f"motion of {mover}", len(stamps), {"correlation": found.correlation}),
            total,
            found.uncertainty_ms,
        )
        path = self._save(node, latency=stored)
        return f"{node}: {found.lag_ms:+.1f} ± {found.uncertainty_ms:.1f} ms late against {mover}; {total:.1f} ms in all. {path}"

    def _lags(self, leader: str, follower: str) -> Iterator[str]:
        one, other = self._listener.seen.arms[leader], self._listener.seen.arms[follower]
        for place, joint in enumerate(one.joints):
            lag = latency.follower_lag(
                np.array(one.at_ns, np.int64),
                one.joint_rad[:, place],
                np.array(other.at_ns, np.int64),
                other.joint_rad[:, place],
            )
            if lag is not None:
                yield f"{follower}: {joint} follows {lag.lag_ms:.0f} ± {lag.uncertainty_ms:.0f} ms behind {leader}"

    def _watch(
        self, nodes: list[str], seconds: float, motion: dict[str, list[float]], stamps: dict[str, list[int]]
    ) -> None:
        """Listen, and turn pictures into motion as they come: they would fill the memory."""
        self._listener.forget_samples()
        last: dict[str, quality.Gray] = {}
        until_ns = self._clock() + int(seconds * NS_PER_S)
        while self._clock() < until_ns:
            self._listener.listen(self._clock() + NS_PER_S // 50, self._clock)
            for node in nodes:
                camera = self._listener.seen.cameras[node]
                new = camera.at_ns[len(stamps[node]) :]
                for stamp, gray in zip(new, camera.grays()[-len(new) :] if new else (), strict=False):
                    if node in last:
                        motion[node].append(latency.picture_motion(last[node], gray))
                    last[node] = gray
                    stamps[node].append(stamp)

    def _rest(self, node: str, seconds: float = _PLACING_S) -> Array:
        self._listen(seconds, fresh=True)
        until_ns = self._clock() + _PATIENCE_NS
        while len(self._arm(node).positions) < zeroing.FEWEST_READINGS and self._clock() < until_ns:
            self._listen(0.2)  # a loaded computer: better late than refused
        return self._arm(node).joint_rad

    def _picture(self, node: str) -> quality.Gray:
        self._listen(_VIEW_S, fresh=True)
        return self._camera(node).grays()[-1]

    def _listen(self, seconds: float, fresh: bool = False) -> None:
        if fresh:
            self._listener.forget_samples()
        self._listener.listen(self._clock() + int(seconds * NS_PER_S), self._clock)

    def _arm(self, node: str) -> ArmSeen:
        arm = self._listener.seen.arms[node]
        if arm.description is None:
            raise MeasurementPoor(f"{node} says nothing. Next: `station status --rig {self.rig.name}`")
        return arm

    def _camera(self, node: str) -> CameraSeen:
        camera = self._listener.seen.cameras[node]
        if camera.description is None or not camera.pictures:
            raise MeasurementPoor(f"{node} shows nothing. Next: `station status --rig {self.rig.name}`")
        return camera

    def _dimensions(self, node: str) -> tuple[Dimension, ...]:
        about = self._arm(node).description
        return tuple(d for d in about.streams[0].dimensions if d.unit == "rad") if about else ()

    def _known(self, node: str) -> Calibration:
        seen = self._listener.seen
        about = (seen.arms.get(node) or seen.cameras[node]).description
        if about is None:
            raise MeasurementPoor(f"{node} has not said who it is. Next: `station status --rig {self.rig.name}`")
        return calibration_files.load(about.serial) or Calibration(about.serial, node, about.model)

    def _zeros(self, node: str) -> ArmCalibration:
        """The zeros in force: the file's, else the rig file's."""
        known = self._known(node).arm
        if known is not None:
            return known
        settings, dimensions = self.rig.device(node).settings, self._dimensions(node)
        count = len(dimensions)
        return ArmCalibration(
            self._made("rig file", 0), tuple(d.name for d in dimensions), getattr(settings, "offsets_rad", None) or (0.0,) * count,
            getattr(settings, "signs", None) or (1,) * count, tuple((d.lower + d.upper) / 2 for d in dimensions),
        )  # fmt: skip

    def _save(self, node: str, **parts: object) -> str:
        known = msgspec.structs.replace(self._known(node), device=node, **parts)
        return str(calibration_files.save(known))

    def _made(self, method: str, samples: int, residuals: dict[str, float] | None = None) -> Made:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return Made(now, self._operator, method, samples, residuals or {})
