from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.claims import Span, Vector, refuse_policy
from station.policy.folder import Execution, load_policy
from tests.station.policy import policies

STATS = policies.settings()["normalization"]


def vector(cameras: tuple[str, ...], names: tuple[str, ...]) -> Vector:
    wide = np.full(len(names), 1e6)
    return Vector("aloha", names, ("rad",) * len(names), Span(-wide, wide), cameras, 50)


NAMES = ("left_waist", "left_elbow", "left_gripper")


def test_a_right_folder_loads(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path / "cube"))
    assert policy.folder == tmp_path / "cube"
    assert policy.cameras == ("cam_high",)
    assert policy.execution == Execution("newest")
    assert policy.image is not None
    assert (policy.image.color, policy.image.resize) == ("rgb", "stretch")
    assert policy.obs_steps == 1


def test_every_key_of_the_design_is_known(tmp_path: Path) -> None:
    folder = policies.write(
        tmp_path,
        kind="diffusion", cameras=[], image=None, obs_steps=2, action_offset_ticks=-1, newest_dims=[2],
        dim_names=list(NAMES), execution={"mode": "ensemble", "k": 0.01},
        normalization=STATS | {"image": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}},
        diffusion={"denoiser": "policy.onnx", "train_steps": 50, "steps": 10, "sampler": "ddpm", "seed": 3},
    )  # fmt: skip
    policy = load_policy(folder)
    assert policy.newest_dims == (2,)
    assert policy.diffusion is not None
    assert policy.diffusion.schedule == "squaredcos_cap_v2"


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"chunck": 4}, "policy", "did you mean `chunk`?"),
        ({"zzz": 4}, "policy", "the keys are kind"),
        ({"image": {"width": 8, "height": 6, "resise": "pad"}}, "image", "did you mean `resize`?"),
        ({"chunk": None}, "policy", "add `chunk`"),
        ({"chunk": 0}, "chunk", ">= 1"),
        ({"rate_hz": 0}, "rate_hz", "> 0"),
        ({"rate_hz": "fast"}, "rate_hz", "float"),
        ({"kind": "magic"}, "kind", "magic"),
        ({"image": None}, "image", "missing"),
        ({"cameras": ["cam_high", "cam_high"]}, "cameras", "twice"),
        ({"newest_dims": [3]}, "newest_dims", "no dimension of 3"),
        ({"newest_dims": [1, 1]}, "newest_dims", "twice"),
        ({"dim_names": ["a"]}, "dim_names", "1 names for 3"),
        ({"execution": {"mode": "ensemble"}}, "execution.k", "missing"),
        ({"execution": {"mode": "receding"}}, "execution.steps", "missing"),
        ({"execution": {"mode": "newest", "k": 0.1}}, "execution.k", "no meaning"),
        ({"execution": {"mode": "receding", "steps": 5}}, "execution.steps", "5 of 4"),
        ({"normalization": {}}, "normalization.state", "missing"),
        ({"normalization": {"state": STATS["state"]}}, "normalization.action", "missing"),
        ({"normalization": STATS | {"action": {"mean": [0.0] * 3}}}, "normalization.action", "either mean and std"),
        (
            {"normalization": STATS | {"state": {"mean": [float("nan")] * 3, "std": [1.0] * 3}}},
            "normalization.state.mean[0]",
            "nan",
        ),
        (
            {"normalization": STATS | {"state": {"mean": [0.0] * 3, "std": [1.0, 0.0, 1.0]}}},
            "normalization.state.std[1]",
            "0.0",
        ),
        (
            {"normalization": STATS | {"image": {"mean": [0.5], "std": [0.5]}}},
            "normalization.image.mean",
            "3 dimensions",
        ),
        ({"weights": "other.onnx"}, "weights", "no file"),
        ({"kind": "diffusion"}, "diffusion", "missing"),
        ({"diffusion": {"denoiser": "d", "train_steps": 5, "steps": 5}}, "diffusion", "no meaning"),
        (
            {"kind": "diffusion", "diffusion": {"denoiser": "d", "train_steps": 5, "steps": 6}},
            "diffusion.steps",
            "6 of 5",
        ),
        (
            {"kind": "diffusion", "diffusion": {"denoiser": "d", "train_steps": 5, "steps": 5}},
            "diffusion.denoiser",
            "no file",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, changes: dict[str, Any], key: str, says: str) -> None:
    folder = policies.write(tmp_path, graph=False, **changes)
    (folder / "policy.onnx").touch()
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    message = str(caught.value)
    assert caught.value.key == key
    assert says in message
    assert message.startswith(str(folder / "policy.yaml"))
    assert "Fix: " in message
    assert "\n" not in message
    assert caught.value.exit_code == 1


def test_no_folder_and_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "nowhere")
    (tmp_path / "policy.yaml").write_text("kind: [act")
    with pytest.raises(PolicyError, match="YAML"):
        load_policy(tmp_path)
    (tmp_path / "policy.yaml").write_text("kind: act\nkind: act\n")
    with pytest.raises(PolicyError, match="given twice"):
        load_policy(tmp_path)


def test_numbers_as_trainers_write_them(tmp_path: Path) -> None:
    folder = policies.write(tmp_path)
    text = (folder / "policy.yaml").read_text().replace("- 0.5\n", "- 5e-1\n")
    assert "5e-1" in text
    (folder / "policy.yaml").write_text(text)
    state = load_policy(folder).normalization.state
    assert state is not None
    assert state.std[0] == 0.5


def test_it_fits_the_rig(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path, dim_names=list(NAMES)))
    refuse_policy(policy, vector(("cam_low", "cam_high"), NAMES))


@pytest.mark.parametrize(
    ("changes", "cameras", "names", "key", "says"),
    [
        ({}, ("cam_low",), NAMES, "cameras", "sees cam_high, which rig aloha does not have (it has cam_low)"),
        ({}, (), NAMES, "cameras", "it has no camera"),
        ({}, ("cam_high",), NAMES * 2, "state_dim", "the vector of rig aloha has 6 dimensions"),
        (
            {
                "state_dim": 3,
                "action_dim": 2,
                "dim_names": ["a", "b"],
                "normalization": STATS | {"action": {"mean": [0, 0], "std": [1, 1]}},
            },
            ("cam_high",),
            NAMES,
            "action_dim",
            "2, but",
        ),
        (
            {"dim_names": ["left_waist", "left_gripper", "left_elbow"]},
            ("cam_high",),
            NAMES,
            "dim_names[1]",
            "left_gripper at training, left_elbow",
        ),
        ({"chunk": 1}, ("cam_high",), NAMES, "chunk", "over before an answer"),
        ({"chunk": 2, "action_offset_ticks": -1}, ("cam_high",), NAMES, "chunk", "over before an answer"),
    ],
)
def test_what_does_not_fit_the_rig_is_said(
    tmp_path: Path, changes: dict[str, Any], cameras: tuple[str, ...], names: tuple[str, ...], key: str, says: str
) -> None:
    policy = load_policy(policies.write(tmp_path, **changes))
    with pytest.raises(PolicyError) as caught:
        refuse_policy(policy, vector(cameras, names))
    assert caught.value.key == key
    assert says in str(caught.value)
