"""What the runner tells of its policy, without a runner."""

from pathlib import Path

import numpy as np

from station.bus.messages import PolicyState
from station.policy.folder import load_policy
from station.policy.frames import FrameCache
from station.policy.runner_core import RunnerCore
from station.policy.told import Told
from station.policy.worker import Load, Loaded
from tests.station.policy import policies

S = 1_000_000_000
TICK_NS = 20_000_000


def test_from_nothing_to_a_shadow_that_runs_dry(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path / "cube", chunk=10))
    told = Told(S)
    assert told.state(None, False, 2 * S) == PolicyState("none", S)
    told.loading(Load(policy.folder, "put it down"))
    loading = told.state(None, False, 3 * S)
    assert (loading.phase, loading.since_ns, loading.folder, loading.identity) == (
        "loading",
        3 * S,
        str(policy.folder),
        "",
    )
    told.loaded(Loaded(policy, FrameCache(1), "act cube", "it forgets"))
    core = RunnerCore(policy, 50)
    ready = told.state(core, True, 4 * S)
    assert (ready.phase, ready.identity, ready.note, ready.shadow) == ("ready", "act cube", "it forgets", False)
    assert (ready.chunk_ms, ready.plan_ms, ready.delay_p95_ms) == (200.0, 0.0, None)

    core.begin()
    core.inferring(5 * S)
    core.answered(core.rollout, 5 * S, np.zeros((10, 3)), 4_000_000, 5 * S + TICK_NS)
    runs = told.state(core, True, 5 * S + TICK_NS)
    assert (runs.phase, runs.shadow, runs.plan_ms, runs.delay_p95_ms, runs.inference_p95_ms) == (
        "running",
        True,
        180.0,
        20.0,
        4.0,
    )
    for k in range(1, 13):
        core.tick(k, 5 * S + k * TICK_NS)
    dry = told.state(core, True, 6 * S)
    assert (dry.plan_ms, dry.starved_ticks, dry.since_ns) == (0.0, 3, 5 * S + TICK_NS)
    assert told.state(core, False, 6 * S).shadow is False


def test_one_that_could_not_be_loaded_leaves_none(tmp_path: Path) -> None:
    told = Told(S)
    told.loading(Load(tmp_path))
    told.loaded(None)
    assert told.state(None, False, 2 * S).phase == "none"


def test_of_a_policy_that_is_judged_blind_nothing_names_it(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path / "cube", chunk=10))
    told = Told(S)
    told.loading(Load(policy.folder, blind=True))
    assert told.state(None, False, 2 * S) == PolicyState("loading", 2 * S, blind=True)
    assert told.veiled(f"file {policy.folder / 'policy.yaml'}: no") == "file …/policy.yaml: no"
    told.loaded(Loaded(policy, FrameCache(1), f"act {policy.folder}", "policy cube: it forgets"))
    core = RunnerCore(policy, 50)
    ready = told.state(core, False, 3 * S)
    assert (ready.folder, ready.identity, ready.instruction, ready.note, ready.blind) == (
        "",
        "",
        "",
        "policy …: it forgets",
        True,
    )
    assert told.what(policy) == "a policy that is judged blind"
    assert (
        told.veiled(f"{policy.backend} with {policy.weights}: an exact cubeless reason")
        == "… with …: an exact cubeless reason"
    )
    told.loading(Load(policy.folder))
    assert told.veiled("policy cube: as it is") == "policy cube: as it is" and not told.state(None, False, 4 * S).blind
