"""What a LeRobot folder says of itself, without its tensors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.importing.lerobot_config import (
    Seen,
    camera_names,
    processor_statistics,
    read_config,
    read_features,
    split_weights,
    statistics_of,
)

STATE = {"type": "STATE", "shape": [14]}
EYE = {"type": "VISUAL", "shape": [3, 480, 640]}
ACT: dict[str, Any] = {
    "type": "act", "input_features": {"observation.state": STATE, "observation.images.cam_high": EYE},
    "output_features": {"action": {"type": "ACTION", "shape": [14]}}, "n_action_steps": 100, "chunk_size": 100,
    "normalization_mapping": {"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}, "dim_model": 512,
    "n_heads": 8, "dim_feedforward": 3200, "n_encoder_layers": 4, "n_decoder_layers": 1, "n_vae_encoder_layers": 4,
    "use_vae": True, "latent_dim": 32, "device": "cuda", "a_key_of_tomorrow": 1,
}  # fmt: skip


def folder(path: Path, **changes: Any) -> Path:
    (path / "config.json").write_text(json.dumps({k: v for k, v in (ACT | changes).items() if v != "gone"}))
    return path


def test_a_config_and_its_features(tmp_path: Path) -> None:
    config = read_config(folder(tmp_path))
    seen = read_features(tmp_path, config)
    assert seen == Seen(14, 14, ("observation.images.cam_high",), 480, 640)
    assert camera_names(seen, ()) == ("cam_high",)
    assert camera_names(seen, ("cam_top",)) == ("cam_top",)
    with pytest.raises(PolicyError, match="2 names for 1 cameras"):
        camera_names(seen, ("a", "b"))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"type": "vqbet"}, "type"),
        ({"type": "gone"}, "type"),
        ({"pre_norm": True}, "pre_norm"),
        ({"feedforward_activation": "gelu"}, "feedforward_activation"),
        ({"vision_backbone": "resnet50"}, "vision_backbone"),
        ({"dim_model": "gone"}, "act"),
        ({"input_features": {"observation.state": STATE}}, "input_features"),
        ({"input_features": {**ACT["input_features"], "observation.environment_state": STATE}}, "environment_state"),
        ({"input_features": {**ACT["input_features"], "observation.images.b": EYE | {"shape": [3, 4, 4]}}}, "features"),
    ],
)
def test_what_the_station_has_not_is_refused_by_key(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_features(tmp_path, read_config(folder(tmp_path, **changes)))
    assert key in caught.value.key


def test_the_old_layout_keeps_statistics_among_the_weights() -> None:
    network, held = split_weights({
        "model.unet._orig_mod.weight": 1, "normalize_inputs.buffer_observation_images_cam_high.mean": 2,
        "unnormalize_outputs.buffer_action.std": 3, "normalize_targets.buffer_action.std": 3,
    })  # fmt: skip
    assert network == {"model.unet.weight": 1}
    assert held == {"observation_images_cam_high": {"mean": 2}, "action": {"std": 3}}


def test_the_new_layout_names_files_and_none_outside_its_folder(tmp_path: Path) -> None:
    steps = [{"registry_name": "rename_observations_processor", "config": {}},
             {"registry_name": "normalizer_processor", "state_file": "stats.safetensors", "config": {"eps": 1e-8}}]  # fmt: skip
    (tmp_path / "policy_preprocessor.json").write_text(json.dumps({"name": "policy_preprocessor", "steps": steps}))
    asked: list[Path] = []

    def read(path: Path) -> dict[str, Any]:
        asked.append(path)
        return {"observation.state.mean": np.zeros(2)}

    assert list(processor_statistics(tmp_path, read)) == ["observation.state"]
    assert asked == [tmp_path / "stats.safetensors"]
    steps[1]["state_file"] = "../elsewhere.safetensors"
    (tmp_path / "policy_preprocessor.json").write_text(json.dumps({"steps": steps}))
    with pytest.raises(PolicyError, match="is not a file beside it"):
        processor_statistics(tmp_path, read)


def test_statistics_are_lerobots_formula(tmp_path: Path) -> None:
    held = {
        "observation_state": {
            "mean": np.array([1.0, 2.0]),
            "std": np.array([0.5, 0.0]),
            "min": np.zeros(2),
            "max": np.array([2.0, 0.0]),
        }
    }
    held["action"] = held["observation_state"]
    state = statistics_of(tmp_path, "MEAN_STD", held, "observation.state", 2)
    assert state.std == (0.5 + 1e-8, 1e-8), "what never moved is divided by 1e-8, as LeRobot does"
    assert statistics_of(tmp_path, "MEAN_STD", held, "action", 2).std == (0.5, 1e-8)
    assert statistics_of(tmp_path, "MIN_MAX", held, "action", 2).max == (2.0, 1e-8)
    assert statistics_of(tmp_path, "IDENTITY", {}, "action", 2).std == (1.0, 1.0)
    held["action"] = {"mean": np.array([1.0, np.nan]), "std": np.ones(3)}
    for name in ("mean", "std"):
        held["action"]["mean"] = np.zeros(2) if name == "std" else held["action"]["mean"]
        with pytest.raises(PolicyError, match=f"action.{name}: is not 2 finite numbers"):
            statistics_of(tmp_path, "MEAN_STD", held, "action", 2)
    with pytest.raises(PolicyError, match=r"observation\.images\.a\.mean: is missing"):
        statistics_of(tmp_path, "MEAN_STD", held, "observation.images.a", 3)
    with pytest.raises(PolicyError, match="QUANTILES"):
        statistics_of(tmp_path, "QUANTILES", held, "action", 2)
