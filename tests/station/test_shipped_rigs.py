from pathlib import Path

import pytest

from station.rig.rig import find_rig, load_rig, shipped_rigs

LEADERS_AND_FOLLOWERS = {"leader_left", "leader_right", "follower_left", "follower_right"}
FOUR_CAMERAS = ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist")
METAL = ("aloha", "aloha2", "gello")


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("name", shipped_rigs())
def test_every_shipped_rig_loads(name: str) -> None:
    rig = load_rig(find_rig(name))
    assert rig.name == name
    assert rig.tick_hz == 50


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(("name", "driver"), [("aloha", "OpenCVCamera"), ("aloha2", "RealSenseCamera")])
def test_aloha_s_arms_and_cameras(name: str, driver: str) -> None:
    rig = load_rig(find_rig(name))
    assert {*rig.leaders, *rig.followers} == LEADERS_AND_FOLLOWERS
    assert rig.cameras == FOUR_CAMERAS
    assert all(rig.device(camera).driver.endswith(driver) for camera in rig.cameras)
    generation = {"aloha": "aloha1", "aloha2": "aloha2"}[name]
    assert {rig.device(arm).settings.generation for arm in LEADERS_AND_FOLLOWERS} == {generation}


@pytest.mark.usefixtures("runtime")
def test_gello_leads_a_viperx_fast_enough() -> None:
    rig = load_rig(find_rig("gello"))
    leader, follower = rig.device("leader_right").settings, rig.device("follower_right").settings
    assert (leader.model, follower.model) == ("gello", "vx300s")
    assert leader.wire_baud == 1_000_000


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("name", METAL)
def test_rigs_of_metal_move_real_arms_and_the_rules_make_their_names(name: str) -> None:
    rig = load_rig(find_rig(name))
    assert rig.moves_real_arms
    rules = (Path(__file__).parents[2] / "udev" / "99-station.rules").read_text()
    for device in rig.devices:
        port = getattr(device.settings, "port", "") or getattr(device.settings, "source", "")
        if port:
            assert f'SYMLINK+="{Path(port).name}"' in rules
