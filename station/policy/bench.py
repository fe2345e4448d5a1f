"""How fast a policy is on this computer, without a rig: what `station policy bench` shows."""

import tracemalloc
from pathlib import Path

import cv2
import msgspec
import numpy as np

from station.bus.messages import Chosen, Frame, Tick
from station.clock import NS_PER_MS, NS_PER_S, Clock
from station.policy.backend import blank_observation, checked, open_backend
from station.policy.chunks import ChunkBuffer
from station.policy.folder import Execution, Policy, load_policy
from station.policy.frames import FrameCache, FrameKey, prepare
from station.policy.observation import ObservationBuilder, frames_kept
from station.policy.warm_up import forgets, warm_up


class BufferBench(msgspec.Struct, frozen=True):
    """One step = one chunk added and one action read."""

    step_us: float
    """Median."""
    step_mb: float
    """The most memory a step ever held beyond what was allocated at the start."""


class PolicyBench(msgspec.Struct, frozen=True):
    """Percentiles in ms."""

    load_ms: float
    inference_p50_ms: float
    inference_p95_ms: float
    observation_p95_ms: float
    """Decoding, resizing and normalising one picture of every camera."""
    buffer: BufferBench


def bench_policy(folder: Path, inferences: int, clock: Clock) -> PolicyBench:
    """Load, warm up and time the policy in `folder`. Raises PolicyError and BackendFault as the runner would."""
    began_ns = clock()
    policy = load_policy(folder)
    backend = open_backend(policy)
    warm_up(policy, backend)
    forgets(policy, backend)
    load_ns = clock() - began_ns
    blank = blank_observation(policy)
    inference_ns = []
    for _ in range(inferences):
        began_ns = clock()
        checked(policy, backend.infer(blank))
        inference_ns.append(clock() - began_ns)
    backend.close()
    return PolicyBench(
        load_ns / NS_PER_MS,
        float(np.percentile(inference_ns, 50)) / NS_PER_MS,
        float(np.percentile(inference_ns, 95)) / NS_PER_MS,
        float(np.percentile(_observations_ns(policy, clock), 95)) / NS_PER_MS,
        bench_buffer(policy.chunk, policy.action_dim, policy.rate_hz, policy.execution, clock),
    )


def bench_buffer(
    chunk: int, dims: int, rate_hz: float, execution: Execution, clock: Clock, steps: int = 500
) -> BufferBench:
    """The chunk buffer alone, full, with every tick inferred at `rate_hz`."""
    actions = np.random.default_rng(0).normal(size=(chunk, dims)).astype(np.float32)
    times = [round(k * NS_PER_S / rate_hz) for k in range(chunk + steps)]
    durations_ns = []
    buffer = _full(ChunkBuffer(chunk, dims, rate_hz, execution, tick_hz=rate_hz), actions, times[:chunk])
    for t_ns in times[chunk:]:
        began_ns = clock()
        buffer.add(t_ns, actions, t_ns)
        buffer.action(t_ns)
        durations_ns.append(clock() - began_ns)
    buffer = _full(ChunkBuffer(chunk, dims, rate_hz, execution, tick_hz=rate_hz), actions, times[:chunk])
    tracemalloc.start()
    held = tracemalloc.get_traced_memory()[0]
    for t_ns in times[chunk:]:
        buffer.add(t_ns, actions, t_ns)
        buffer.action(t_ns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return BufferBench(float(np.median(durations_ns)) / 1e3, (peak - held) / 1e6)


def _full(buffer: ChunkBuffer, actions: np.ndarray, times: list[int]) -> ChunkBuffer:
    for t_ns in times:
        buffer.add(t_ns, actions, t_ns)
        buffer.action(t_ns)
    return buffer


def _observations_ns(policy: Policy, clock: Clock, count: int = 20) -> list[int]:
    """Durations of decoding one JPEG per camera and building the observation, ns. The picture is noise: the worst to
    decode.
    """
    if policy.image is None:
        return [0]
    noise = np.random.default_rng(0).integers(0, 256, (policy.image.height, policy.image.width, 3), np.uint8)
    payload = cv2.imencode(".jpg", noise)[1].tobytes()
    frame = Frame("jpeg", policy.image.width, policy.image.height, "arrival")
    cache = FrameCache(frames_kept(policy))
    builder = ObservationBuilder(policy, cache)
    durations_ns = []
    for sequence in range(count):
        began_ns = clock()
        for camera in policy.cameras:
            picture = prepare(frame, payload, policy.image, camera)
            if picture is not None:
                cache.put(FrameKey(camera, 0, sequence), picture)
        chosen = tuple(Chosen(camera, 0, sequence, 0, 0, True) for camera in policy.cameras)
        zeros = (0.0,) * policy.state_dim
        builder.build([Tick(sequence, 0, chosen, zeros, zeros, zeros)] * policy.obs_steps)
        durations_ns.append(clock() - began_ns)
    return durations_ns
