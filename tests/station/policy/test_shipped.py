"""Policies that ship: found by name, small, and made for the rig that ships with them."""

from pathlib import Path

import numpy as np
import pytest

from station.policy.backend import blank_observation, checked, open_backend
from station.policy.folder import SHIPPED, find_policy, load_policy
from station.policy.warm_up import warm_up
from station.rig.rig import find_rig, load_rig

LARGEST_BYTES = 5_000_000


def test_a_name_is_a_shipped_policy_and_a_path_is_a_path() -> None:
    assert find_policy("handover") == SHIPPED / "handover"
    assert find_policy("./handover") == Path("./handover")
    assert find_policy("nothing-of-that-name") == Path("nothing-of-that-name")


@pytest.mark.usefixtures("runtime")
def test_the_hand_over_takes_what_the_simulated_rig_gives() -> None:
    folder = find_policy("handover")
    assert sum(path.stat().st_size for path in folder.iterdir()) <= LARGEST_BYTES
    policy, rig = load_policy(folder), load_rig(find_rig("sim"))
    assert set(policy.cameras) <= set(rig.cameras)
    assert policy.instruction
    backend = open_backend(policy)
    try:
        warm_up(policy, backend)
        chunk = checked(policy, backend.infer(blank_observation(policy)))
    finally:
        backend.close()
    assert np.shape(chunk) == (policy.chunk, policy.action_dim)
    assert len(policy.dim_names) == policy.action_dim == 7 * len(rig.followers)
