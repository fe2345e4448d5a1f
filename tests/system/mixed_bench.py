"""Benches with other arms than ALOHA's: rig files of leaders and followers of any make, for `bench_world`, and policies for them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.station.policy import policies

_CAMERA = {"driver": "opencv", "source": "ports/cam_high", "width": 320, "height": 240, "fps": 10}
_FOLLOWERS: dict[str, dict[str, Any]] = {
    "ur5e": {"driver": "ur", "model": "ur5e", "rate_hz": 125, "gripper": {"kind": "robotiq_2f85"}},
    "xarm7": {"driver": "xarm", "model": "xarm7", "rate_hz": 100, "command_port": 10502, "gripper": {"kind": "xarm"}},
    "fr3": {"driver": "franka", "model": "fr3", "rate_hz": 100, "gripper": {"kind": "franka"}},
}


def _gello(side: str, joints: int) -> dict[str, Any]:
    return {
        "driver": "dynamixel", "model": "gello", "port": f"ports/leader_{side}", "rate_hz": 100, "baud": 1_000_000,
        "ids": list(range(1, joints + 2)), "signs": [1, -1] * (joints // 2) + [1] * (joints % 2),
        "offsets_rad": [3.14159] * joints, "gripper": {"open_rad": 3.4, "close_rad": 2.65},
    }  # fmt: skip


def _side(side: str, model: str) -> dict[str, Any]:
    if model == "vx300s":
        aloha = {"driver": "dynamixel", "rate_hz": 100, "generation": "aloha1"}
        return {
            "leader": {**aloha, "model": "wx250s", "port": f"ports/leader_{side}"},
            "follower": {**aloha, "model": "vx300s", "port": f"ports/follower_{side}"},
        }
    follower = {**_FOLLOWERS[model], "address": f"world/follower_{side}"}
    return {"leader": _gello(side, 6 if model == "ur5e" else 7), "follower": follower}


def write(folder: Path, sides: dict[str, str], **changes: Any) -> Path:
    """A rig file of these followers, each with its leader, one camera, and the patience of a machine that does other things too."""
    described = {
        "name": "mixed", "tick_hz": 50, "data": str(folder / "data"), "images": "jpeg", "world": {"driver": "bench"},
        "arms": {side: _side(side, model) for side, model in sides.items()}, "cameras": {"cam_high": _CAMERA},
        "safety": {"stale_ms": 250, "resume_ms": 450},
    }  # fmt: skip
    path = folder / "mixed.yaml"
    path.write_text(yaml.safe_dump(described | changes, sort_keys=False))
    return path


def policy(folder: Path, names: Sequence[str], units: Sequence[str], there: list[float]) -> Path:
    """A policy that asks for one pose, whatever it sees."""
    width = len(names)
    numbers = {"mean": there, "std": [1e-6] * width}
    return policies.write(
        folder, state_dim=width, action_dim=width, dim_names=list(names), units=list(units), chunk=100,
        image={"width": 320, "height": 240},
        normalization={"state": {"mean": there, "std": [0.05] * width}, "action": numbers},
    )  # fmt: skip
