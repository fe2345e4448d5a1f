from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.backend import blank_observation, checked, open_backend
from station.policy.chunks import ChunkBuffer
from station.policy.folder import Policy, load_policy
from tests.station.policy import policies

TICK_NS = 20_000_000


def episode(folder: Path, actions: np.ndarray, offset: int = 0) -> Policy:
    folder.mkdir(exist_ok=True)
    with h5py.File(folder / "episode_0.hdf5", "w") as file:
        file["action"] = actions
    changes: dict[str, Any] = {
        "backend": "replay",
        "weights": "episode_0.hdf5",
        "cameras": [],
        "image": None,
        "normalization": None,
    }
    return load_policy(policies.write(folder, graph=False, chunk=10, action_offset_ticks=offset, **changes))


def recorded(rows: int = 60) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(rows, 3)).astype(np.float32)


@pytest.mark.parametrize("latency_ticks", [0, 1, 3])
def test_an_episode_is_asked_exactly_tick_for_tick(tmp_path: Path, latency_ticks: int) -> None:
    actions = recorded()
    policy = episode(tmp_path, actions, offset=latency_ticks)
    backend = open_backend(policy)
    buffer = ChunkBuffer(10, 3, 50, policy.execution, (), latency_ticks)
    asked = []
    in_flight: tuple[int, np.ndarray] | None = None
    began = 123_456
    for k in range(began, began + 60 + latency_ticks):
        if in_flight is None:
            observation = blank_observation(policy)._replace(tick=k, t_ns=k * TICK_NS)
            in_flight = (k, checked(policy, backend.infer(observation)))
        if k - in_flight[0] >= latency_ticks:
            buffer.add(in_flight[0] * TICK_NS, in_flight[1], k * TICK_NS)
            in_flight = None
        action = buffer.action(k * TICK_NS)
        asked.append(None if action is None else action.values)
    assert asked[:latency_ticks] == [None] * latency_ticks
    assert np.array_equal(np.array(asked[latency_ticks:], np.float32), actions)


def test_after_its_end_the_last_row_stays_and_begin_starts_again(tmp_path: Path) -> None:
    actions = recorded(4)
    policy = episode(tmp_path, actions)
    backend = open_backend(policy)
    at = blank_observation(policy)._replace
    first = backend.infer(at(t_ns=0))
    assert np.array_equal(first[:4], actions)
    assert (first[4:] == actions[-1]).all()
    assert (backend.infer(at(t_ns=100 * TICK_NS)) == actions[-1]).all()
    backend.begin()
    assert np.array_equal(backend.infer(at(t_ns=200 * TICK_NS)), first)


@pytest.mark.parametrize(
    "actions", [np.zeros((5, 4), np.float32), np.zeros((0, 3), np.float32), np.zeros(3, np.float32)]
)
def test_actions_of_another_shape_are_refused(tmp_path: Path, actions: np.ndarray) -> None:
    with pytest.raises(PolicyError, match="/action has shape"):
        open_backend(episode(tmp_path, actions))


def test_a_file_that_is_no_episode(tmp_path: Path) -> None:
    policy = episode(tmp_path, recorded())
    with h5py.File(tmp_path / "episode_0.hdf5", "w") as file:
        file["qpos"] = 1
    with pytest.raises(PolicyError, match="not an episode with /action"):
        open_backend(policy)
    (tmp_path / "episode_0.hdf5").write_bytes(b"x")
    with pytest.raises(PolicyError, match="not an episode"):
        open_backend(policy)
