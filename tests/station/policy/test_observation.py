from pathlib import Path
from typing import Any

import numpy as np

from station.bus.messages import Chosen, Tick
from station.policy.backend import Observation
from station.policy.folder import Policy, load_policy
from station.policy.frames import FrameCache, FrameKey
from station.policy.observation import ObservationBuilder, frames_kept, history, ticks_kept, too_old
from tests.station.policy import policies

TICK_NS = 20_000_000


def tick(
    k: int, qpos: tuple[float, ...] = (1.0, 2.0, 3.0), ages: dict[str, int] | None = None, sequence: int = 0
) -> Tick:
    ages = {"cam_high": 0} if ages is None else ages
    chosen = tuple(Chosen(stream, 5, sequence, 0, age, True) for stream, age in ages.items())
    return Tick(k, k * TICK_NS, chosen, qpos, qpos, qpos)


def policy(folder: Path, **changes: Any) -> Policy:
    return load_policy(policies.write(folder, **changes))


def test_history_is_taken_at_the_policys_rate_and_the_first_repeats() -> None:
    ticks = [tick(k) for k in range(12)]
    assert [t.tick for t in history(ticks, 3, 10)] == [1, 6, 11]
    assert [t.tick for t in history(ticks, 2, 50)] == [10, 11]
    assert [t.tick for t in history(ticks[:3], 3, 10)] == [0, 0, 2]
    assert [t.tick for t in history(ticks, 2, 30)] == [9, 11], "33 ms back: the nearest tick"


def test_enough_ticks_are_kept_for_the_history(tmp_path: Path) -> None:
    two = policy(tmp_path, obs_steps=3, rate_hz=10)
    kept = ticks_kept(two, 50)
    ticks = [tick(k) for k in range(100)]
    assert history(ticks[-kept:], 3, 10) == history(ticks, 3, 10)
    assert frames_kept(two) >= 2 / 10 * 60


def test_state_and_pictures_are_normalised(tmp_path: Path) -> None:
    statistics = policies.settings()["normalization"] | {"image": {"mean": [0.5, 0.4, 0.3], "std": [0.5, 0.2, 0.1]}}
    one = policy(tmp_path, normalization=statistics)
    cache = FrameCache(2)
    picture = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    cache.put(FrameKey("cam_high", 5, 0), picture)
    observation = ObservationBuilder(one, cache).build([tick(3, (2.0, 2.0, 2.0))])
    assert isinstance(observation, Observation)
    assert (observation.tick, observation.t_ns) == (3, 3 * TICK_NS)
    np.testing.assert_allclose(observation.state, [[2.0, 0.0, -0.5]])
    expected = (picture.astype(float) / 255 - [0.5, 0.4, 0.3]) / [0.5, 0.2, 0.1]
    assert observation.images.shape == (1, 1, 3, 6, 8)
    assert observation.images.dtype == observation.state.dtype == np.float32
    np.testing.assert_allclose(observation.images[0, 0], expected.transpose(2, 0, 1), atol=1e-5)


def test_pictures_without_statistics_are_zero_to_one(tmp_path: Path) -> None:
    cache = FrameCache(2)
    cache.put(FrameKey("cam_high", 5, 0), np.full((6, 8, 3), 255, np.uint8))
    observation = ObservationBuilder(policy(tmp_path), cache).build([tick(0)])
    assert isinstance(observation, Observation)
    assert (observation.images == 1).all()


def test_cameras_and_steps_are_in_the_policys_order(tmp_path: Path) -> None:
    two = policy(tmp_path, cameras=["cam_low", "cam_high"], obs_steps=2)
    cache = FrameCache(4)
    for value, (camera, sequence) in enumerate([("cam_low", 0), ("cam_high", 0), ("cam_low", 1), ("cam_high", 1)]):
        cache.put(FrameKey(camera, 5, sequence), np.full((6, 8, 3), value * 51, np.uint8))
    both = {"cam_high": 0, "cam_low": 0}
    ticks = [tick(0, ages=both), tick(1, (5.0, 2.0, 3.0), ages=both, sequence=1)]
    observation = ObservationBuilder(two, cache).build(ticks)
    assert isinstance(observation, Observation)
    np.testing.assert_allclose(observation.images[:, :, 0, 0, 0], [[0.0, 0.2], [0.4, 0.6]], atol=1e-6)
    np.testing.assert_allclose(observation.state[:, 0], [0.0, 8.0])


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    builder = ObservationBuilder(policy(tmp_path), FrameCache(2))
    assert builder.build([tick(4, ages={})]) == "cam_high has no frame at tick 4"
    assert builder.build([tick(4, sequence=9)]) == "cam_high's frame 9 of tick 4 did not arrive"


def test_old_samples_are_named() -> None:
    ages = {"cam_high": 900_000_000, "follower_left": 1_500_000_000}
    assert too_old(tick(0, ages=ages), ["cam_high"], 1_000_000_000) == ""
    assert too_old(tick(0, ages=ages), ["cam_high", "follower_left"], 1_000_000_000) == "follower_left is 1.5 s old"
    assert too_old(tick(0, ages=ages), ["cam_low"], 1_000_000_000) == "cam_low has no sample yet"
