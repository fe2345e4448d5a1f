"""The two threads beside the runner's loop: one decodes frames as they arrive, one owns the backend.

Both compute in libraries that let go of the interpreter's lock, so that the loop always gets its turn at a tick. Both
run at a lower priority than the loop and the arms' drivers: on a small computer thinking must not delay moving.
"""

import itertools
import os
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.bus.messages import Frame, Tick
from station.bus.sockets import Subscriber
from station.bus.wire import Sample
from station.clock import Clock
from station.errors import BackendFault, StationError
from station.policy.backend import Backend, checked, open_backend
from station.policy.claims import Vector, live, refuse, refuse_policy
from station.policy.folder import Policy, load_policy
from station.policy.frames import FrameCache, FrameKey, prepare
from station.policy.identity import identity
from station.policy.observation import ObservationBuilder, frames_kept
from station.policy.warm_up import forgets, warm_up

_NICE = 5
_QUEUED_FRAMES = 2
"""Frames of a camera that may wait to be decoded; older ones are passed over, or a slow computer would see the past."""
_DECODING_S = 0.1
"""How long an observation waits for a frame that is being decoded."""


class Load(NamedTuple):
    """Job: load a folder, hold it against the rig, warm it up."""

    folder: Path
    instruction: str = ""
    """In place of the folder's own."""
    vector: Vector | None = None
    """The rig's; None off a rig."""
    blind: bool = False
    """Nothing that is said of it names it."""


class Begin(NamedTuple):
    """Job: a rollout begins."""

    rollout: int


class Infer(NamedTuple):
    """Job: infer from these ticks (`observation.history`)."""

    rollout: int
    ticks: tuple[Tick, ...]


class Loaded(NamedTuple):
    """Answer: the policy is warm, and this is where its frames belong."""

    policy: Policy
    frames: FrameCache
    identity: str
    """Kind, folder and hashes: what is written into an episode."""
    note: str = ""
    """What is to be said of it, though it may run."""


class LoadFailed(NamedTuple):
    """Answer: it could not be loaded."""

    why: str


class Answer(NamedTuple):
    """Answer: a checked chunk."""

    rollout: int
    t_obs_ns: int
    actions: NDArray[np.float64]
    inference_ns: int


class Failure(NamedTuple):
    """Answer: no chunk. `blind`: there was nothing to infer from, the backend was not even asked."""

    rollout: int
    why: str
    blind: bool = False


Job = Load | Begin | Infer | None
Result = Loaded | LoadFailed | Answer | Failure


class Worker(threading.Thread):
    """Owns the backend. A daemon: it may hang in the backend, and must not keep the process alive then."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(name="inference", daemon=True)
        self._clock = clock
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._policy: Policy | None = None
        self._backend: Backend | None = None
        self._builder: ObservationBuilder | None = None
        self._vector: Vector | None = None
        self.wakes = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        """Readable when there are results: for the loop's poller."""

    def give(self, job: Job) -> None:
        """Queue a job; None ends the thread."""
        self._jobs.put(job)

    def results(self) -> list[Result]:
        """What has been answered since the last call. Never blocks."""
        try:
            os.eventfd_read(self.wakes)
        except BlockingIOError:
            return []
        found = []
        while not self._results.empty():
            found.append(self._results.get())
        return found

    @property
    def trouble(self) -> str:
        """What the backend says is wrong while it has not answered yet; "" if it says nothing."""
        return str(getattr(self._backend, "trouble", ""))

    def run(self) -> None:
        """Jobs in order, one answer each (Begin has none unless it fails)."""
        _lower_priority()
        while (job := self._jobs.get()) is not None:
            result = self._do(job)
            if result is not None:
                self._results.put(result)
                os.eventfd_write(self.wakes, 1)
        self._close()

    def _do(self, job: Load | Begin | Infer) -> Result | None:
        try:
            match job:
                case Load():
                    return self._load(job)
                case Begin():
                    if self._backend is not None:
                        self._backend.begin()
                    return None
                case Infer():
                    return self._infer(job)
        except StationError as error:
            why = str(error)
        except Exception as error:  # a backend is anybody's code: whatever it raises is its fault, not the runner's end
            why = (
                f"the backend raised {type(error).__name__}: {error}. Next: `station policy bench` shows it off the rig"
            )
        return LoadFailed(why) if isinstance(job, Load) else Failure(job.rollout, why)

    def close(self, timeout_s: float) -> None:
        """End the thread, unless it hangs in the backend: then it is left behind."""
        self.give(None)
        self.join(timeout_s)
        if not self.is_alive():
            os.close(self.wakes)

    def _load(self, job: Load) -> Loaded:
        self._close()
        policy = load_policy(job.folder, job.instruction)
        if job.vector is not None:
            refuse_policy(policy, job.vector)
        identity(policy)  # what cannot be read is told before it is run
        backend = self._backend = open_backend(policy)
        claim = getattr(backend, "claim", None)
        if job.vector is not None and claim is not None:
            refuse(claim, job.vector)
        warm_up(policy, backend)
        note = forgets(policy, backend)
        frames = FrameCache(frames_kept(policy))
        self._policy, self._builder, self._vector = policy, ObservationBuilder(policy, frames), job.vector
        return Loaded(policy, frames, identity(policy, str(getattr(backend, "says", ""))), note)

    def _infer(self, job: Infer) -> Result:
        if self._policy is None or self._backend is None or self._builder is None:
            return Failure(job.rollout, "no policy is loaded")
        why = self._strange(job.ticks)
        if why:
            return Failure(job.rollout, why, blind=True)
        observation = self._builder.build(job.ticks, _DECODING_S)
        if isinstance(observation, str):
            return Failure(job.rollout, observation, blind=True)
        began_ns = self._clock()
        actions = checked(self._policy, self._backend.infer(observation))
        strange = live("asked for", actions, self._vector) if self._vector is not None else ""
        if strange:
            raise BackendFault(
                f"policy {self._policy.folder.name}: {strange}. Next: look at its units and normalization; "
                "joints are in rad, grippers 0 closed to 1 open"
            )
        return Answer(job.rollout, observation.t_ns, actions, self._clock() - began_ns)

    def _strange(self, ticks: Sequence[Tick]) -> str:
        """Why these ticks are none to infer from, in words; "" if they are."""
        if self._policy is None or self._vector is None:
            return ""
        widths = {len(tick.qpos) for tick in ticks}
        if widths != {self._policy.state_dim}:
            return f"the arms give {min(widths)} numbers of {self._policy.state_dim}"
        return live("the arms read", np.array([tick.qpos for tick in ticks]), self._vector)

    def _close(self) -> None:
        if self._backend is not None:
            self._backend.close()
        self._policy = self._backend = self._builder = self._vector = None


def _lower_priority() -> None:
    """Lower the calling thread's priority, and that of the threads a backend starts in it."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE)


class FrameDecoder(threading.Thread):
    """Decodes the policy's cameras' frames as they arrive, each once, with a subscription of its own."""

    def __init__(self, rig: str, policy: Policy, frames: FrameCache) -> None:
        super().__init__(name="frame decoder")
        self.undecodable = self.passed_over = 0
        self._rig, self._policy, self._frames = rig, policy, frames
        self._done = threading.Event()

    def run(self) -> None:
        """Until `close`."""
        _lower_priority()
        frames = Subscriber(self._rig, [("frame", camera) for camera in self._policy.cameras])
        try:
            while not self._done.is_set():
                for sample in self._waiting(frames):
                    if isinstance(sample.body, Frame):
                        key = FrameKey(sample.node, sample.header.start_id, sample.header.sequence)
                        self._keep(key, sample.body, sample.payload)
        finally:
            frames.close()

    def _waiting(self, frames: Subscriber) -> Iterator[Sample]:
        """The newest frames of every camera, oldest first."""
        queued: dict[str, deque[Sample]] = {}
        sample = frames.receive(timeout_ms=100)
        while sample is not None:
            waiting = queued.setdefault(sample.node, deque(maxlen=_QUEUED_FRAMES))
            self.passed_over += len(waiting) == _QUEUED_FRAMES
            waiting.append(sample)
            sample = frames.receive()
        return itertools.chain.from_iterable(queued.values())

    def _keep(self, key: FrameKey, frame: Frame, payload: Sequence[bytes]) -> None:
        picture = prepare(frame, payload[0], self._policy.image, key.stream) if payload and self._policy.image else None
        if picture is None:
            self.undecodable += 1
        else:
            self._frames.put(key, picture)

    def close(self) -> None:
        """End the thread."""
        self._done.set()
        self.join()
