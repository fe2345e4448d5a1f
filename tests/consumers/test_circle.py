"""The circle: recorded on the simulated rig, exported, trained on by LeRobot's own ACT, imported; the long form runs it on the rig again.

What the station's network answers to a recorded observation is what LeRobot answers; and each action that the station then issues on the
rig is a row of the chunk that LeRobot, asked by itself, gives for an observation in the rollout's own file.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

from station.bus.messages import Frame
from station.bus.requests import OpenSession
from station.cli.headless import record_headless
from station.client import connect
from station.policy.backend import Observation, open_backend
from station.policy.folder import load_policy
from station.policy.frames import prepare
from station.policy.observation import PixelMap
from station.policy.statistics import affine
from station.rig.choice import rig_of
from tests.consumers.environments import HERE, ROOT, environment

CHUNK = 40
CHECKPOINT = "trained/checkpoints/last/pretrained_model"
SAME_RAD = 1e-4
"""Between two runtimes that compute in float32."""
ACT = (
    "--policy.type=act", "--policy.push_to_hub=false", "--policy.device=cpu", "--policy.pretrained_backbone_weights=null",
    "--policy.optimizer_lr=1e-4", "--policy.optimizer_lr_backbone=1e-4",
    "--policy.n_heads=4", "--policy.dim_feedforward=256", "--policy.n_encoder_layers=2", "--policy.n_vae_encoder_layers=1",
    f"--policy.chunk_size={CHUNK}", f"--policy.n_action_steps={CHUNK // 2}", "--num_workers=1", "--eval_freq=0", "--seed=1",
    "--wandb.enable=false",
)  # fmt: skip


class Form(NamedTuple):
    """How much of it."""

    episodes: int
    seconds: float
    size: tuple[int, int]
    """Of the pictures that are exported."""
    width: int
    """Of the network."""
    batch: int
    steps: int


SHORT = Form(episodes=1, seconds=3.0, size=(160, 120), width=32, batch=2, steps=4)
LONG = Form(episodes=3, seconds=11.0, size=(160, 120), width=128, batch=8, steps=300)
RUN_S = 8.0


@pytest.mark.consumers
@pytest.mark.timeout(500)
def test_what_lerobot_learned_answers_here_as_it_does_there(runtime: str, tmp_path: Path) -> None:
    around(SHORT, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_what_lerobot_learned_in_hundreds_of_steps_is_what_the_rig_does(runtime: str, tmp_path: Path) -> None:
    losses = around(LONG, tmp_path)
    assert losses[-1] < 0.5 * losses[0]
    run = ["--record", "--task", "circle", "--data", tmp_path, "--headless", "--seconds", f"{RUN_S:g}", "--quiet"]
    told(sys.executable, "run", "--rig", "sim", "--policy", tmp_path / "policy", *run)
    check_issued(tmp_path / CHECKPOINT, tmp_path / "circle/episode_0.hdf5", LONG)


def around(form: Form, folder: Path) -> list[float]:
    """From the rig to a policy's folder; LeRobot's losses while it trained."""
    with connect(rig_of("sim")) as station:
        sitting = OpenSession("handover", str(folder), "scripted")
        assert record_headless(station, sitting, form.episodes, form.seconds) == 0
    size = "x".join(map(str, form.size))
    told(
        sys.executable, "dataset", "export", "lerobot-v3", folder / "set", "--from", folder / "handover", "--size", size
    )
    losses = trained(form, folder)
    # torch is in an environment of its own, which has the station too
    checkpoint, policy = folder / CHECKPOINT, folder / "policy"
    told(environment("torch") / "bin/python", "policy", "import", "lerobot", checkpoint, "--out", policy)
    recorded = folder / "handover/episode_0.hdf5"
    rows = list(range(0, round(form.seconds * 50), 25))
    np.testing.assert_allclose(infer(policy, recorded, rows), answers(checkpoint, recorded, form, rows), atol=SAME_RAD)
    return losses


def told(python: str | Path, *words: object) -> None:
    """The station's command."""
    command = [str(python), "-m", "station.cli", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def in_their_environment(*words: object, folder: Path) -> str:
    """LeRobot's own code, which finds no network; what it says."""
    own = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": "", "PYTHONWARNINGS": "ignore"}
    command = [str(environment("lerobot-v3") / "bin/python"), str(HERE / "lerobot_act.py"), *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout + done.stderr


def trained(form: Form, folder: Path) -> list[float]:
    """By its own training; the losses that it tells."""
    options = (
        *ACT, "--dataset.repo_id=local/circle", f"--dataset.root={folder / 'set'}", f"--output_dir={folder / 'trained'}",
        f"--policy.dim_model={form.width}", f"--batch_size={form.batch}", f"--steps={form.steps}", f"--save_freq={form.steps}",
        f"--log_freq={max(1, form.steps // 10)}",
    )  # fmt: skip
    said = in_their_environment("train", *options, folder=folder)
    losses = [float(loss) for loss in re.findall(r"\bloss:([0-9.]+)", said)]
    assert losses, said[-3000:]
    return losses


def answers(checkpoint: Path, episode: Path, form: Form, rows: Sequence[int]) -> Any:
    """LeRobot's, (rows, CHUNK, D)."""
    out = checkpoint.parent / "answers.npz"
    in_their_environment("answer", checkpoint, episode, out, *form.size, *rows, folder=checkpoint.parent)
    with np.load(out) as found:
        return found["chunks"]


def infer(policy_folder: Path, episode: Path, rows: Sequence[int]) -> Any:
    """The station's, of the same rows, made of what the runner makes an observation of."""
    policy = load_policy(policy_folder)
    backend = open_backend(policy)
    assert policy.image is not None
    height, width = policy.image.height, policy.image.width
    pixels, state = PixelMap(policy.normalization.image), affine(policy.normalization.state, policy.state_dim)
    chunks = []
    with h5py.File(episode, locking=False) as file:
        for row in rows:
            images = np.empty((1, len(policy.cameras), 3, height, width), np.float32)
            for place, camera in enumerate(policy.cameras):
                jpeg = file[f"observations/images/{camera}"][row].tobytes()
                picture = prepare(Frame("jpeg", 640, 480, "driver", 1), jpeg, policy.image, camera)
                assert picture is not None
                pixels.normalise(picture, images[0, place])
            qpos = state.normalise(file["observations/qpos"][row : row + 1].astype(np.float64))
            chunks.append(backend.infer(Observation(row, 0, qpos, images)))
    backend.close()
    return np.stack(chunks)


def check_issued(checkpoint: Path, episode: Path, form: Form) -> None:
    """Each action of the rollout is LeRobot's for its time, of an observation not later than it."""
    with h5py.File(episode, locking=False) as file:
        issued = file["policy_action"][()]
        names = [str(name) for name in file["control/source"].attrs["names"]]
        by_policy = file["control/source"][()] == names.index("policy")
    assert by_policy.sum() > 0.8 * RUN_S * 50, f"{by_policy.sum()} rows of {len(issued)} are the policy's"
    chunks = answers(checkpoint, episode, form, range(len(issued)))
    # what was issued in the first rows is of observations from before the recording
    for row in np.flatnonzero(by_policy)[CHUNK:]:
        near = [np.abs(chunks[row - back][back] - issued[row]).max() for back in range(CHUNK)]
        assert min(near) < SAME_RAD, f"row {row}: {min(near)} rad from anything LeRobot would have said"
