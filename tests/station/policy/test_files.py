"""A policy folder names its own files and no others; what it is covers all of them."""

import os
from pathlib import Path
from typing import Any

import pytest

from station.errors import PolicyError
from station.policy.files import fingerprint, refuse_pointer
from station.policy.folder import load_policy
from station.policy.identity import identity
from tests.station.policy import policies

HUGE = {"mean": [1e300] * 3, "std": [1] * 3}
SCHEDULE = {"denoiser": "policy.onnx", "train_steps": 5, "steps": 5}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"weights": "/etc/shadow"}, "weights"),
        ({"weights": "../policy.onnx"}, "weights"),
        ({"weights": "a/../../policy.onnx"}, "weights"),
        ({"weights": "link.onnx"}, "weights"),
        ({"weights": "sub/policy.onnx"}, "weights"),
        ({"weights": "/etc/shadow", "backend": "torchscript"}, "weights"),
        ({"weights": "/etc/shadow", "backend": "of-a-third-party"}, "weights"),
        ({"weights": "x\0y"}, "weights"),
        ({"api_key_file": "../key"}, "api_key_file"),
        ({"api_key_file": "/etc/shadow"}, "api_key_file"),
        (
            {"api_key_file": "link.onnx", "weights": "ws://127.0.0.1:1", "backend": "openpi", "normalization": None},
            "api_key_file",
        ),
        (
            {"kind": "diffusion", "diffusion": {"denoiser": "../d.onnx", "train_steps": 5, "steps": 5}},
            "diffusion.denoiser",
        ),
    ],
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    policies.write(tmp_path / "elsewhere")
    folder = policies.write(tmp_path / "policy")
    (folder / "link.onnx").symlink_to(tmp_path / "elsewhere/policy.onnx")
    (folder / "sub").symlink_to(tmp_path / "elsewhere")
    policies.write(folder, graph=False, **changes)
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    assert caught.value.key == key
    assert any(words in str(caught.value) for words in ("outside the policy's folder", "link out of", "no file's name"))
    assert "\n" not in str(caught.value)


def test_a_policy_yaml_that_is_a_link_to_another_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password: [unclosed")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/policy.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path / "policy")
    assert "password" not in str(caught.value)


def test_links_within_the_folder_and_a_folder_that_is_a_link_are_fine(tmp_path: Path) -> None:
    folder = policies.write(tmp_path / "policy")
    (folder / "policy.onnx").rename(folder / "v2.onnx")
    (folder / "policy.onnx").symlink_to("v2.onnx")
    (tmp_path / "newest").symlink_to(folder)
    assert load_policy(tmp_path / "newest").folder == folder


@pytest.mark.parametrize(
    "text",
    ["kind: &a [*a]", "kind: 2024-13-45", "seed: " + "9" * 5000, "a: &a {b: *a}", "x: " + "[" * 3000, "rate_hz: .nan", "rate_hz: .inf",
     "chunk: 1e400", "? [a, b]\n: 1"],
)  # fmt: skip
def test_yaml_that_is_absurd_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"rate_hz": float("nan")}, "rate_hz"),
        ({"normalization": {"state": HUGE, "action": HUGE}}, "normalization.state.mean[0]"),
        ({"image": {"width": 10**9, "height": 6}}, "image.width"),
        ({"image": {"width": 4096, "height": 4096}, "obs_steps": 64}, "image"),
        ({"chunk": 10_000, "rate_hz": 0.001}, "chunk"),
        ({"instruction": "x" * 5000}, "instruction"),
        ({"kind": "diffusion", "diffusion": SCHEDULE | {"seed": -1}}, "diffusion.seed"),
        ({"kind": "diffusion", "diffusion": SCHEDULE | {"beta_end": 1e9}}, "diffusion.beta_end"),
        ({"units": ["rad"]}, "units"),
    ],
)  # fmt: skip
def test_numbers_are_finite_and_bounded(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(PolicyError) as caught:
        (tmp_path / "policy.onnx").touch()
        load_policy(policies.write(tmp_path, graph=False, **changes))
    assert caught.value.key == key


def test_the_identity_covers_every_file_of_the_folder(tmp_path: Path) -> None:
    folder = policies.write(tmp_path / "policy")
    (folder / "policy.onnx.data").write_bytes(b"weights")
    (folder / "prompts").mkdir()
    (folder / "prompts/task.txt").write_text("pick")
    seen = {identity(load_policy(folder))}
    for name, content in [
        ("policy.onnx.data", b"others"),
        ("prompts/task.txt", b"place"),
        ("stats.json", b"{}"),
        ("policy.onnx", b"x"),
    ]:
        (folder / name).write_bytes(content)
        found = identity(load_policy(folder))
        assert found not in seen and f"{name} sha256:" in found
        seen.add(found)
    assert identity(load_policy(folder, "put it down")) not in seen
    assert identity(load_policy(folder)) in seen


def test_a_key_is_no_part_of_it_and_many_files_are_one_sum(tmp_path: Path) -> None:
    folder = policies.write(tmp_path / "policy", api_key_file="key")
    (folder / "key").write_text("s3cret")
    assert "key sha256" not in identity(load_policy(folder))
    for i in range(40):
        (folder / f"{i}.bin").write_bytes(bytes([i]))
    (many,) = fingerprint(folder, ("key",))
    assert many.startswith("41 files sha256:")


def test_what_leads_out_or_never_ends_is_refused(tmp_path: Path) -> None:
    folder = policies.write(tmp_path / "policy")
    (folder / "data").symlink_to("/etc/hostname")
    with pytest.raises(PolicyError, match="link out of the policy's folder"):
        identity(load_policy(folder))
    (folder / "data").unlink()
    os.mkfifo(folder / "data")
    with pytest.raises(PolicyError, match="no plain file"):
        identity(load_policy(folder))


def test_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.onnx"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(PolicyError, match="is a Git LFS pointer of 63 bytes, not the file itself"):
        refuse_pointer(path, "weights")
