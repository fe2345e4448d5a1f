"""What a LeRobot folder says of itself, without its tensors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.training.importing.lerobot_config import (
    Seen,
    camera_names,
    read_config,
    read_features,
    split_weights,
    statistics_of,
)
from station.training.importing.lerobot_folder import policy_folder
from station.training.importing.lerobot_processors import read_processors

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
        ({"input_features": {**ACT["input_features"], "observation.images.b": EYE | {"shape": [1, 4, 4]}}}, "features"),
        ({"input_features": {**ACT["input_features"], "observation.images.b": EYE | {"shape": [4, 4]}}}, "images.b"),
        (
            {"input_features": {**ACT["input_features"], "observation.images.b": EYE | {"shape": [3, 4, 10**9]}}},
            "images.b",
        ),
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


def pipelines(folder: Path, *steps: dict[str, Any], after: tuple[dict[str, Any], ...] = ()) -> Path:
    for name, these in (("pre", steps), ("post", after)):
        (folder / f"policy_{name}processor.json").write_text(json.dumps({"name": name, "steps": list(these)}))
    return folder


def step(name: str, **config: Any) -> dict[str, Any]:
    file = f"{name}.safetensors" if "normalizer" in name else None
    return {"registry_name": name, "config": config} | ({"state_file": file} if file else {})


MODES = {"STATE": "MEAN_STD", "VISUAL": "MEAN_STD", "ACTION": "MIN_MAX"}
BEFORE = (
    step("rename_observations_processor", rename_map={}),
    step("to_batch_processor"),
    step("relative_actions_processor", enabled=False, exclude_joints=[], action_names=None),
    step("device_processor", device="cuda", float_dtype=None),
    step("normalizer_processor", eps=1e-8, norm_map=MODES),
)
AFTER = (
    step("unnormalizer_processor", eps=1e-8, norm_map=MODES),
    step("absolute_actions_processor", enabled=False),
    step("device_processor", device="cpu", float_dtype=None),
)


def numbers(path: Path) -> dict[str, Any]:
    """Each file's own, so that it is told which was taken."""
    own = 1.0 if path.name.startswith("un") else 0.0
    return {f"{feature}.mean": np.full(2, own) for feature in ("observation.state", "action")}


def test_the_steps_that_are_known_are_honoured(tmp_path: Path) -> None:
    found = read_processors(pipelines(tmp_path, *BEFORE, after=AFTER), numbers)
    assert found is not None
    assert found.modes == MODES and found.eps == 1e-8 and not found.renamed
    assert found.held["observation.state"]["mean"][0] == 0 and found.held["action"]["mean"][0] == 1
    other = (*BEFORE[:-1], step("normalizer_processor", norm_map={"STATE": "MIN_MAX"}))
    found = read_processors(pipelines(tmp_path, *other, after=AFTER), numbers)
    assert found is not None and found.modes == {"STATE": "MIN_MAX", "VISUAL": "IDENTITY", "ACTION": "MIN_MAX"}


def test_pictures_that_are_renamed_go_by_the_robots_name(tmp_path: Path) -> None:
    renames = {"observation.images.front": "observation.images.cam_high"}
    steps = (step("rename_observations_processor", rename_map=renames), *BEFORE[1:])
    found = read_processors(pipelines(tmp_path, *steps, after=AFTER), numbers)
    assert found is not None and found.renamed == {"observation.images.cam_high": "observation.images.front"}
    seen = Seen(2, 2, ("observation.images.cam_high", "observation.images.side"), 4, 4)
    assert camera_names(seen, (), found.renamed) == ("front", "side")


def test_steps_of_older_names_are_the_same_steps(tmp_path: Path) -> None:
    old = [
        {"class": f"lerobot.processor.x.{name}", "config": config}
        for name, config in [
            ("RenameProcessor", {"rename_map": {}}),
            ("ToBatchProcessor", {}),
            ("DeviceProcessor", {"device": "cpu"}),
        ]
    ]
    assert read_processors(pipelines(tmp_path, *old, BEFORE[-1], after=AFTER), numbers) is not None


@pytest.mark.parametrize(
    ("before", "after", "names", "says"),
    [
        (
            (step("relative_actions_processor", enabled=True), *BEFORE),
            AFTER,
            "relative_actions_processor",
            "offsets from the state",
        ),
        (
            BEFORE,
            (*AFTER, step("absolute_actions_processor", enabled=True)),
            "absolute_actions_processor",
            "is switched on",
        ),
        (
            (step("relative_actions_processor", enabled="yes"), *BEFORE),
            AFTER,
            "relative_actions_processor",
            "is switched on",
        ),
        ((step("delta_action_processor"), *BEFORE), AFTER, "delta_action_processor", "is not known here"),
        ((step("my_lab/scale_state", by=57.3), *BEFORE), AFTER, "my_lab/scale_state", "is not known here"),
        (({"class": "lab.Degrees", "config": {}}, *BEFORE), AFTER, "Degrees", "is not known here"),
        (({}, *BEFORE), AFTER, "a step without a name", "is not known"),
        (
            (
                step("rename_observations_processor", rename_map={"observation.environment": "observation.state"}),
                *BEFORE,
            ),
            AFTER,
            "rename",
            "only pictures",
        ),
        (
            (
                *BEFORE,
                step("rename_observations_processor", rename_map={"observation.images.a": "observation.images.b"}),
            ),
            AFTER,
            "rename",
            "after the normaliser",
        ),
        ((*BEFORE, BEFORE[-1]), AFTER, "normalizer_processor", "normalised twice"),
        (
            (step("device_processor", float_dtype="bfloat16"), *BEFORE),
            AFTER,
            "device_processor",
            "computes in bfloat16",
        ),
        (
            (
                *BEFORE[:-1],
                step("normalizer_processor", norm_map=MODES, normalize_observation_keys=["observation.state"]),
            ),
            AFTER,
            "normalizer",
            "some observations",
        ),
        ((*BEFORE[:-1], step("normalizer_processor", norm_map=MODES, eps=0)), AFTER, "normalizer", "eps 0"),
        ((*BEFORE[:-1], step("normalizer_processor", norm_map="MEAN_STD")), AFTER, "normalizer", "norm_map"),
        (BEFORE[:-1], (), "steps", "has no normalizer_processor"),
    ],
)
def test_a_step_that_changes_the_meaning_is_refused_by_name(
    tmp_path: Path, before: Any, after: Any, names: str, says: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        read_processors(pipelines(tmp_path, *before, after=after), numbers)
    assert names in caught.value.key and says in str(caught.value)


def test_the_new_layout_names_files_and_none_outside_its_folder(tmp_path: Path) -> None:
    away = {"registry_name": "normalizer_processor", "state_file": "../elsewhere.safetensors"}
    with pytest.raises(PolicyError, match="is not a file beside it"):
        read_processors(pipelines(tmp_path, away), numbers)
    assert read_processors(tmp_path / "nowhere", numbers) is None


def test_a_folder_from_before_2025_is_read(tmp_path: Path) -> None:
    eyes = {"observation.images.top": [3, 480, 640]}
    kept = {
        key: value
        for key, value in ACT.items()
        if key not in ("type", "input_features", "output_features", "normalization_mapping")
    }
    old = kept | {
        "input_shapes": eyes | {"observation.state": [14]}, "output_shapes": {"action": [14]}, "temporal_ensemble_momentum": None,
        "input_normalization_modes": {"observation.images.top": "mean_std", "observation.state": "min_max"},
        "output_normalization_modes": {"action": "min_max"},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(old))
    config = read_config(tmp_path)
    assert (config.type, config.normalization_mapping) == (
        "act",
        {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"},
    )
    assert read_features(tmp_path, config).cameras == ("observation.images.top",)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"chunk_size": None}, "neither ACT's nor Diffusion's"),
        ({"temporal_ensemble_momentum": 0.9}, "has no more"),
        ({"input_normalization_modes": None}, "are not all there"),
    ]
    for change, says in refused:
        changed = {key: value for key, value in (old | change).items() if value is not None}
        (tmp_path / "config.json").write_text(json.dumps(changed))
        with pytest.raises(PolicyError, match=says):
            read_config(tmp_path)


def test_which_folder_is_meant_is_said(tmp_path: Path) -> None:
    (tmp_path / "run/checkpoints/last/pretrained_model").mkdir(parents=True)
    (tmp_path / "run/checkpoints/last/pretrained_model/config.json").write_text("{}")
    assert policy_folder(tmp_path / "run/checkpoints/last/pretrained_model")
    for path, says in [(tmp_path / "run/checkpoints/last", "name .*last/pretrained_model"), (tmp_path / "run", "last/pretrained_model"),
                       (tmp_path / "run/checkpoints/last/pretrained_model/config.json", "is a file"),
                       (Path("lerobot/act_aloha_sim"), "hf download lerobot/act_aloha_sim --local-dir act_aloha_sim"),
                       (tmp_path / "nothing", "is not there"), (tmp_path, "has no config.json")]:  # fmt: skip
        with pytest.raises(PolicyError, match=says) as caught:
            policy_folder(path)
        assert "\n" not in str(caught.value)


def test_cameras_may_see_in_different_sizes(tmp_path: Path) -> None:
    inputs = {**ACT["input_features"], "observation.images.wrist": EYE | {"shape": [3, 240, 320]}}
    seen = read_features(tmp_path, read_config(folder(tmp_path, input_features=inputs)))
    assert (seen.height, seen.width, seen.sizes) == (480, 640, ((480, 640), (240, 320)))


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
