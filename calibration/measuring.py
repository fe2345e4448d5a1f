"""A running rig, an operator who is asked one thing at a time, and the files: what every measurement works with."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from calibration.arms import zeros as zeroing
from calibration.arms.motion import Motion, watch
from calibration.checks.survey import ArmSeen, CameraSeen, Listener, Survey
from calibration.looks import Look, joints_seen
from calibration.maths.quality import Gray
from station.bus.messages import Chain, Description, Dimension, GripperFacts
from station.client import Station, connect
from station.clock import NS_PER_S, Clock
from station.errors import MeasurementPoor, UsageError
from station.files import calibration_files
from station.files.calibration_files import ArmCalibration, Calibration, Made
from station.rig.rig import Rig
from station.steps.protocol import GO_ON

Array = NDArray[np.float64]

_PLACING_S = 1.5
_VIEW_S = 0.4
_LOOK_NS = NS_PER_S // 2
"""Between two looks."""
_PATIENCE_NS = 10 * NS_PER_S
_NEVER = 2**63 - 1
"""A time that nothing was captured after: while a prompt waits, nothing counts."""


class Teller(Protocol):
    """Whoever the operator is told and asked through: a job's `Speaker`."""

    def tell(self, words: str, /) -> None:
        """Say what was found."""

    def ask(
        self, words: str, /, answers: tuple[str, ...] = (GO_ON,), meanwhile: Callable[[], None] = ..., *, picture: bytes = b""
    ) -> str:  # fmt: skip
        """Wait for one of the answers; `meanwhile` is called all the while, many times a second."""


class Looker(Protocol):
    """Whoever shows what is seen while something is asked: a job's `Speaker`, where a page shows it."""

    def look(self, words: str, values: Mapping[str, float | str] | None, picture: bytes, /) -> None:
        """Show this instead of the last one."""


See = Callable[[], Look | None]
"""What is seen now; None before anything is."""


class Measuring:
    """What `calibrate_arms`, `calibrate_cameras` and `calibrate_latency` listen with and save through."""

    def __init__(
        self, rig: Rig, operator: str, speaker: Teller, yes: bool, clock: Clock,
        connected: Callable[[Rig], Station] = connect, looker: Looker | None = None,
    ) -> None:  # fmt: skip
        """`yes`: everything is as it should be, nobody is asked. `looker`: shows what is seen meanwhile; None: nobody does."""
        self._looker = looker
        self.rig, self._speaker, self._yes = rig, speaker, yes
        self._operator, self._clock = operator, clock
        self._connected = connected
        self._station: Station
        self._listener: Listener
        self._together = False
        self._pending: dict[str, Calibration] = {}

    def __enter__(self) -> Self:
        self._station = self._connected(self.rig)
        self._listener = Listener(self._station)
        self.listen(1.5)
        self.listen_until(self._listener.all_described)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._station.close()

    @property
    def seen(self) -> Survey:
        """Everything heard since it was last forgotten."""
        return self._listener.seen

    def arms(self) -> list[str]:
        """Every arm."""
        return list(self.seen.arms)

    def resting(self) -> list[str]:
        """Arms that are zeroed on their rest stops."""
        return self._zeroed("rest stops")

    def gellos(self) -> list[str]:
        """Arms whose zeros are quarter turns."""
        return self._zeroed("quarter turns")

    def grippers(self) -> list[str]:
        """Arms whose gripper's travel people measure."""
        described = ((node, arm.description) for node, arm in self.seen.arms.items())
        return [n for n, about in described if about and about.gripper and about.gripper.travel]

    def _zeroed(self, how: str) -> list[str]:
        described = ((node, arm.description) for node, arm in self.seen.arms.items())
        return [node for node, about in described if about and about.zeros and about.zeros.found_by == how]

    def chosen(self, nodes: list[str], only: list[str] | None) -> list[str]:
        """Those of `nodes` the operator named.

        Raises UsageError for one that is not there, or when there are none; MeasurementPoor for two that share a serial number.
        """
        strange = [name for name in only or () if name not in nodes]
        if strange or not nodes:
            raise UsageError(
                f"{', '.join(strange) or 'nothing'} to calibrate; this rig has {', '.join(nodes) or 'none of that kind'}"
            )
        found = [node for node in nodes if not only or node in only]
        for node in found:
            if others := self.seen.sharing(node):
                raise MeasurementPoor(
                    f"{node} says it has serial {self._about(node).serial}, and so does {', '.join(others)}: they would share one "
                    "calibration file. Next: correct the rig file, if both lead to one device; else report it with `station find`"
                )
        return found

    def ask(self, prompt: str, see: See | None = None) -> None:
        """Ask the operator for something and wait for the answer, showing what is seen. Nothing that was captured before it will count."""
        self._listener.forget_samples(_NEVER)
        if self._yes:
            self.tell(prompt)
        else:
            self._speaker.ask(prompt, meanwhile=self._meanwhile(see))
        self._listener.forget_samples(self._clock())

    def choose(self, prompt: str, answers: tuple[str, ...], picture: bytes = b"") -> str:
        """Ask the operator something that only they know, and wait for one of the answers. Nothing captured before it will count."""
        self._listener.forget_samples(_NEVER)
        given = self._speaker.ask(prompt, answers, self._listener.drain, picture=picture)
        self._listener.forget_samples(self._clock())
        return given

    def _meanwhile(self, see: See | None) -> Callable[[], None]:
        """What flows is taken in; what is seen of it is shown, for half of the time at most."""
        looker, due_ns = self._looker, 0
        if see is None or looker is None:
            return self._listener.drain

        def meanwhile() -> None:
            nonlocal due_ns
            self._listener.drain()
            begun_ns = self._clock()
            if begun_ns < due_ns:
                return
            try:
                seen = see()
            except MeasurementPoor as error:
                seen = Look(str(error))
            due_ns = begun_ns + max(_LOOK_NS, 2 * (self._clock() - begun_ns))
            if seen is not None:
                looker.look(*seen)

        return meanwhile

    def sees(self, node: str, draw: Callable[[bytes], Look]) -> See:
        """What a camera sees just now, as `draw` makes it of its JPEG."""
        camera = self.seen.cameras[node]
        return lambda: draw(jpeg) if (jpeg := camera.newest_jpeg()) else None

    def feels(self, *nodes: str) -> See:
        """Where these arms' joints are just now."""

        def see() -> Look | None:
            arms = [self.seen.arms[node] for node in nodes]
            if not all(arm.newest for arm in arms):
                return None
            found = [
                joints_seen(arm.newest, self.dimensions(node), arm.torque)
                for node, arm in zip(nodes, arms, strict=True)
            ]
            values = {
                f"{node} {name}" if len(nodes) > 1 else name: value
                for node, look in zip(nodes, found, strict=True)
                for name, value in look.values.items()
            }
            return Look("; ".join(f"{node}: {look.words}" for node, look in zip(nodes, found, strict=True)), values)

        return see

    def tell(self, words: str) -> None:
        """Say what was found."""
        self._speaker.tell(words)

    def listen(self, seconds: float, fresh: bool = False) -> None:
        """Take in what comes; `fresh`: only what is captured from now on counts."""
        if fresh:
            self._listener.forget_samples(self._clock())
        self._listener.listen(self._clock() + int(seconds * NS_PER_S), self._clock)

    def listen_until(self, enough: Callable[[], bool]) -> None:
        """Go on listening until there is enough, ten seconds at most: on a loaded computer better late than refused."""
        until_ns = self._clock() + _PATIENCE_NS
        while not enough() and self._clock() < until_ns:
            self.listen(0.2)

    def arm(self, node: str) -> ArmSeen:
        """What an arm said. Raises MeasurementPoor for one that says nothing."""
        arm = self.seen.arms[node]
        if arm.description is None:
            raise self._mute(node)
        return arm

    def rest(self, node: str, seconds: float = _PLACING_S) -> Array:
        """An arm's joints while it rests, gripper left out. (N, D)"""
        self.listen(seconds, fresh=True)
        self.listen_until(lambda: len(self.arm(node).positions) >= zeroing.FEWEST_READINGS)
        return self.arm(node).joint_rad

    def stop(self, arm: str, camera: str) -> tuple[Array, Gray]:
        """An arm's joints (N, D), and what the camera on it sees, of one moment. Raises MeasurementPoor where no picture came."""
        self.listen(_PLACING_S, fresh=True)
        seen = self.seen.cameras[camera]
        self.listen_until(lambda: len(self.arm(arm).positions) >= zeroing.FEWEST_READINGS and bool(seen.pictures))
        grays = seen.grays()
        if not grays:
            raise self._mute(camera)
        return self.arm(arm).joint_rad, grays[-1]

    def pictures(self, node: str, seconds: float = _VIEW_S) -> CameraSeen:
        """A camera with pictures taken from now on. Raises MeasurementPoor for one that shows nothing."""
        self.listen(seconds, fresh=True)
        self.listen_until(lambda: bool(self.seen.cameras[node].pictures))
        camera = self.seen.cameras[node]
        if camera.description is None or not camera.grays():
            raise self._mute(node)
        return camera

    def picture(self, node: str) -> Gray:
        """One picture, taken from now on."""
        return self.pictures(node).grays()[-1]

    def watch_motion(self, nodes: list[str], seconds: float) -> dict[str, Motion]:
        """What moves before these cameras; the arms' readings of that time are in `seen`."""
        return watch(self._listener, nodes, seconds, self._clock)

    def dimensions(self, node: str) -> tuple[Dimension, ...]:
        """An arm's joints, gripper left out."""
        return tuple(d for d in self._about(node).streams[0].dimensions if d.unit == "rad")

    def follower_of(self, leader: str) -> str | None:
        """The follower on a leader's side; None where it has none, or that says nothing."""
        side = self.rig.device(leader).side
        mine = [device.node for device in self.rig.devices if device.role == "follower" and device.side == side]
        arm = self.seen.arms.get(mine[0]) if mine else None
        return mine[0] if arm is not None and arm.description is not None else None

    def gripper(self, node: str) -> GripperFacts | None:
        """What its driver says of an arm's gripper."""
        return self._about(node).gripper

    def chain(self, node: str) -> Chain:
        """An arm's geometry. Raises UsageError where its driver describes none."""
        about = self._about(node)
        if about.chain is None:
            raise UsageError(
                f"{node}: its driver describes no chain of a {about.model}, so where its gripper is cannot be told"
            )
        return about.chain

    def settings(self, node: str) -> dict[str, int]:
        """What the device's own memory held when it was opened, to be kept with what was measured."""
        return dict(self._about(node).settings)

    def in_force(self, node: str) -> Calibration | None:
        """The calibration file its driver works with: what its readings must be converted back with."""
        return self._about(node).calibration

    def stored(self, node: str) -> Calibration:
        """The calibration file as it is on the disk (or about to be), or an empty one."""
        if node in self._pending:
            return self._pending[node]
        about = self._about(node)
        return calibration_files.load(about.serial) or Calibration(about.serial, node, about.model)

    def zeros_in_force(self, node: str) -> ArmCalibration:
        """The zeros its driver works with: the file's, else the rig file's."""
        about = self.in_force(node)
        if about is not None and about.arm is not None:
            return about.arm
        zeros, dimensions = self._about(node).zeros, self.dimensions(node)
        count = len(dimensions)
        return ArmCalibration(
            self.made("rig file", 0), tuple(d.name for d in dimensions), zeros.offsets_rad if zeros else (0.0,) * count,
            zeros.signs if zeros else (1,) * count, tuple((d.lower + d.upper) / 2 for d in dimensions),
        )  # fmt: skip

    def zeros_stored(self, node: str) -> ArmCalibration:
        """The zeros on the disk, else those in force: what a new file changes."""
        return self.stored(node).arm or self.zeros_in_force(node)

    def save(self, node: str, **parts: object) -> str:
        """Replace these parts of a device's file; returns its path."""
        known = msgspec.structs.replace(self.stored(node), device=node, **parts)
        if self._together:
            self._pending[node] = known
            return str(calibration_files.path_of(known.serial))
        return str(calibration_files.save(known))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is saved within is kept once all of it has succeeded, and not at all if something fails: a MeasurementPoor then says so."""
        self._together = True
        try:
            yield
            for known in self._pending.values():
                calibration_files.save(known)
        except MeasurementPoor as error:
            kept = f" Nothing of {', '.join(self._pending)} was kept" if self._pending else ""
            raise MeasurementPoor(f"{error}{kept and '.'}{kept}") from error
        finally:
            self._together = False
            self._pending.clear()

    def made(self, method: str, samples: int, residuals: dict[str, float] | None = None) -> Made:
        """Now, by this operator."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return Made(now, self._operator, method, samples, residuals or {})

    def _about(self, node: str) -> Description:
        about = (self.seen.arms.get(node) or self.seen.cameras[node]).description
        if about is None:
            raise self._mute(node)
        return about

    def _mute(self, node: str) -> MeasurementPoor:
        return MeasurementPoor(f"{node} says nothing. Next: `station status --rig {self.rig.name}`")
