"""From ticks and pictures to what a policy sees: exactly the samples the recorder would have stored for those ticks."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from station.bus.messages import Tick
from station.clock import NS_PER_S
from station.policy.backend import Observation
from station.policy.folder import Policy
from station.policy.frames import FrameCache, FrameKey
from station.policy.statistics import Statistics, affine

_FASTEST_CAMERA_HZ = 60
_SLACK_FRAMES = 8
"""Pictures kept beyond those an observation reaches back for: inference may begin this many frames late."""


def frames_kept(policy: Policy) -> int:
    """How many pictures per camera the observation's history needs."""
    return _SLACK_FRAMES + math.ceil((policy.obs_steps - 1) / policy.rate_hz * _FASTEST_CAMERA_HZ)


def ticks_kept(policy: Policy, tick_hz: float) -> int:
    """How many ticks it needs."""
    return 2 + math.ceil((policy.obs_steps - 1) / policy.rate_hz * tick_hz)


def history(ticks: Sequence[Tick], obs_steps: int, rate_hz: float) -> tuple[Tick, ...]:
    """The ticks nearest to t, t − 1/rate, … of the newest tick's t, oldest first.

    The first tick repeats where there is none before it.
    """
    newest_ns = ticks[-1].t_ns
    wanted = (newest_ns - round(back * NS_PER_S / rate_hz) for back in range(obs_steps - 1, -1, -1))
    return tuple(min(ticks, key=lambda tick: abs(tick.t_ns - t_ns)) for t_ns in wanted)


def too_old(tick: Tick, streams: Sequence[str], limit_ns: int) -> str:
    """The first of `streams` whose sample in this tick is missing or older than `limit_ns`, in words; "" where all
    are fresh.
    """
    ages = {chosen.stream: chosen.age_ns for chosen in tick.chosen}
    for stream in streams:
        if stream not in ages:
            return f"{stream} has no sample yet"
        if ages[stream] > limit_ns:
            return f"{stream} is {ages[stream] / NS_PER_S:.1f} s old"
    return ""


class PixelMap:
    """((p / 255) − mean) / std per channel: pictures as a network takes them, while it is trained as while it runs."""

    def __init__(self, statistics: Statistics | None) -> None:
        pixels = affine(statistics, 3)
        self._gain = (1 / (255 * pixels.scale)).astype(np.float32)[:, None, None]
        self._bias = (-pixels.centre / pixels.scale).astype(np.float32)[:, None, None]

    def normalise(self, pictures: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
        """(…, height, width, 3) into (…, 3, height, width)."""
        np.multiply(np.moveaxis(pictures, -1, -3), self._gain, out=out)
        out += self._bias


class ObservationBuilder:
    """Puts observations together. Pure but for waiting on pictures that are still being decoded."""

    def __init__(self, policy: Policy, frames: FrameCache) -> None:
        self._policy, self._frames = policy, frames
        self._state = affine(policy.normalization.state, policy.state_dim)
        self._pixels = PixelMap(policy.normalization.image)

    def build(self, ticks: Sequence[Tick], timeout_s: float = 0.0) -> Observation | str:
        """The observation of the `history` given, oldest first; where a picture is missing, its name instead.

        `timeout_s` is how long to wait for one that arrived and is still being decoded.
        """
        policy = self._policy
        height, width = (policy.image.height, policy.image.width) if policy.image else (0, 0)
        images = np.empty((len(ticks), len(policy.cameras), 3, height, width), np.float32)
        for step, tick in enumerate(ticks):
            chosen = {one.stream: one for one in tick.chosen}
            for i, camera in enumerate(policy.cameras):
                if camera not in chosen:
                    return f"{camera} has no frame at tick {tick.tick}"
                key = FrameKey(camera, chosen[camera].start_id, chosen[camera].sequence)
                picture = self._frames.get(key, timeout_s)
                if picture is None:
                    return f"{camera}'s frame {key.sequence} of tick {tick.tick} did not arrive"
                self._pixels.normalise(picture, images[step, i])
        state = self._state.normalise(np.array([tick.qpos for tick in ticks]))
        return Observation(ticks[-1].tick, ticks[-1].t_ns, state, images)
