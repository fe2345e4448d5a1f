"""The scene's model, against what is written of the arm elsewhere, and what must lie beside it in a wheel."""

import re
from importlib.resources import files

import mujoco
import pytest
import yaml

from drivers.sim.world import viperx
from drivers.sim.world.model import SIDES, TABLE_MESH, arm_model, scene_model

ASSETS = files("drivers.sim.world") / "assets"


def test_every_mesh_is_there_is_used_and_its_licence_lies_beside_it() -> None:
    files_there = {path.name for path in ASSETS.iterdir()}
    assert files_there == {f"{name}.stl" for name in (TABLE_MESH, *viperx.MESHES)} | {"LICENSE"}
    licence = (ASSETS / "LICENSE").read_text()
    named = set(re.findall(r"\w+\.stl", licence))
    assert {"vx300s_1_base.stl", "vx300s_9_gripper_bar.stl", f"{TABLE_MESH}.stl"} <= named, "a range, and the others"
    assert {name for name in named if "finger" in name} == {f"{name}.stl" for name in viperx.MESHES if "finger" in name}
    assert "BSD 3-Clause License" in licence
    assert "MIT License" in licence


@pytest.mark.parametrize("side", SIDES)
def test_both_arms_weigh_and_turn_the_same(side: str) -> None:
    """Interbotix's links, but for the base, which stands: 2.77 kg. Each joint has one servo that stays within its range."""
    scene = scene_model()
    arm = viperx.arm_name(side)
    assert scene.body(f"{arm}/shoulder_link").subtreemass[0] == pytest.approx(2.7729, abs=1e-4)
    for joint in viperx.CHAIN:
        name = f"{arm}/{joint.name}"
        assert tuple(scene.joint(name).range) == (joint.lower_rad, joint.upper_rad)
        assert tuple(scene.actuator(name).ctrlrange) == tuple(scene.joint(name).range)
        assert tuple(scene.actuator(name).forcerange) == (-joint.motor.stall_nm, joint.motor.stall_nm)


def test_the_arms_face_each_other_over_the_table() -> None:
    scene = scene_model()
    data = mujoco.MjData(scene)
    mujoco.mj_forward(scene, data)
    left, right = (data.body(f"{viperx.arm_name(side)}/gripper_link").xpos for side in SIDES)
    assert left[0] == pytest.approx(-right[0], abs=1e-4), "the mirror between them is x = 0"
    assert left[0] < right[0]
    assert left[1:] == pytest.approx(right[1:], abs=1e-4)


def test_one_arm_alone_has_its_six_joints_and_a_pinch() -> None:
    alone = arm_model("right")
    assert [alone.joint(index).name for index in range(alone.njnt)] == [
        f"vx300s_right/{joint}" for joint in viperx.JOINTS
    ]
    assert alone.site("pinch").pos[0] == viperx.PINCH_M


@pytest.mark.parametrize("rig", ["sim", "sim_vr"])
def test_what_the_cameras_of_a_shipped_rig_look_from_is_a_place_of_the_scene(rig: str) -> None:
    written = yaml.safe_load((files("station") / "rigs" / f"{rig}.yaml").read_text())
    scene = scene_model()
    places = {scene.camera(index).name for index in range(scene.ncam)}
    assert {camera["view"] for camera in written["cameras"].values()} < places
