"""The whole way: virtual hands in a real browser, the page, the clutch, the simulated arms, and an episode in a file."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.drivers.vr.browser import browser
from tests.drivers.vr.conftest import free_port
from tests.drivers.vr.page import Page
from tests.system.vr_operator import Operator, sitting
from tests.system.vr_rig import SIDES, Truth, VrRig, short_folders, the_hand_over, vr_rig

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

FILES_S = 120.0
"""HDF5 files are built at what everybody else leaves of the processor."""
STILL_M, NEAR_M = 0.005, 0.012
"""An arm that holds, and one that follows (and sags a little)."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VrRig]:
    folder = tmp_path_factory.mktemp("vr")
    with short_folders(folder), vr_rig(free_port(), folder) as running:
        yield running


@pytest.fixture(scope="module")
def headset(rig: VrRig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Somebody wears it, and a sitting is open."""
    with browser() as made:
        worn = Operator(rig, made)
        worn.put_on()
        with sitting(rig, tmp_path_factory.mktemp("data")):
            yield worn


@pytest.fixture
def operator(headset: Operator) -> Iterator[Operator]:
    """Freshly put on, with both grippers at the start, and following."""
    headset.put_on()
    headset.start_pose()
    yield headset
    assert not headset.page.log()


def hand_over(operator: Operator, rig: VrRig) -> list[Truth]:
    """One try at an episode: what the cube did meanwhile. Raises LetGo."""
    record(operator, rig)
    seen: list[Truth] = []
    rig.on_truth = seen.append
    try:
        operator.play(the_hand_over(rig))
    finally:
        rig.on_truth = lambda truth: None
    return seen


def record(operator: Operator, rig: VrRig) -> None:
    rig.until("a start button", lambda: operator.page.js("return operator.offers('start')"))
    operator.page.press("right", "a-button")
    rig.until("recording", lambda: rig.session().phase == "recording")


def saved_episode(rig: VrRig, saved_before: int) -> Path:
    rig.until("a saved episode", lambda: rig.session().saved > saved_before and rig.session().saved_path, FILES_S)
    path = Path(rig.session().saved_path)
    rig.until("the file", path.exists)
    return path


def test_the_cube_is_handed_over_and_the_episode_tells_it(operator: Operator, rig: VrRig) -> None:
    seen = hand_over(operator, rig)
    assert seen[-1].in_left, f"the cube is at {seen[-1]}"
    saved = rig.session().saved
    rig.until("a save button", lambda: operator.page.js("return operator.offers('success')"))
    operator.page.press("right", "a-button")
    tells_the_hand_over(saved_episode(rig, saved))
    holders = [(truth.in_right, truth.in_left) for truth in seen if not truth.on_table]
    assert holders.index((True, False)) < holders.index((False, True))
    assert seen[0].on_table
    assert (seen[-1].in_left, seen[-1].in_right, seen[-1].on_table) == (True, False, False)


def tells_the_hand_over(path: Path) -> None:
    with h5py.File(path) as file:
        names = list(file["control/source"].attrs["names"])
        assert set(file["control/source"][:]) == {names.index("vr")}
        assert file.attrs["success"] == 1
        vr = file["observations/extra/vr"]
        columns = {name: vr[:, index] for index, name in enumerate(vr.attrs["dim_names"])}
        rows = len(file["action"])
        assert len(vr) == rows == len(file["timestamps/vr"]) == len(file["sync/age/vr"])
        assert file["sync/is_new/vr"][:].sum() > rows / 4
        for side in SIDES:
            assert not np.isnan(columns[f"{side}.position_m.2"]).any()
            assert (columns[f"{side}.grip"] == 1).all()
            assert np.ptp(columns[f"{side}.trigger"]) > 0.5
            assert max(np.ptp(columns[f"{side}.position_m.{axis}"]) for axis in range(3)) > 0.1
        grippers = [list(file.attrs["dim_names"]).index(f"{side}_gripper") for side in SIDES]
        assert (np.ptp(file["observations/qpos"][:, grippers], axis=0) > 0.2).all()
        assert (np.ptp(file["action"][:, grippers], axis=0) > 0.2).all()


def moved(rig: VrRig, side: str, from_m: np.ndarray) -> np.ndarray:
    return np.asarray(rig.gripper_m(side) - from_m)


def follows(rig: VrRig, side: str, from_m: np.ndarray, *by_m: float) -> None:
    """The gripper gets there."""
    rig.until(f"move by {by_m}", lambda: np.abs(moved(rig, side, from_m) - by_m).max() < NEAR_M)


def stays(rig: VrRig, side: str, from_m: np.ndarray) -> None:
    assert np.abs(moved(rig, side, from_m)).max() < STILL_M


def settled_m(rig: VrRig, side: str) -> np.ndarray:
    """Where the gripper has come to rest."""
    rig.until("an arm at rest", lambda: max(map(abs, rig.arm(side).velocity[:6])) < 0.02)
    return rig.gripper_m(side)


def test_the_grip_is_the_clutch(operator: Operator, rig: VrRig) -> None:
    left, right = settled_m(rig, "left"), settled_m(rig, "right")
    operator.glide("right", 0, 0.06, 0)
    follows(rig, "right", right, 0, 0, 0.06)
    operator.let_go()
    right = settled_m(rig, "right")
    operator.glide("right", 0, -0.2, 0.1)
    stays(rig, "right", right)
    operator.squeeze("right")
    operator.glide("right", 0, 0, -0.05)
    follows(rig, "right", right, 0.05, 0, 0)
    stays(rig, "left", left)


@pytest.mark.rig
def test_a_thumbstick_aims_forward_anew(operator: Operator, rig: VrRig) -> None:
    right = settled_m(rig, "right")
    operator.page.js("operator.look(Math.PI / 2)")
    operator.page.press("right", "thumbstick")
    rig.until("another forward", lambda: abs(rig.teleop().forward_rad - np.pi / 2) < 1e-3)
    stays(rig, "right", right)
    operator.glide("right", -0.05, 0, 0)
    follows(rig, "right", right, 0.05, 0, 0)


@pytest.mark.rig
def test_a_hand_out_of_sight_holds_its_arm_until_a_fresh_squeeze(operator: Operator, rig: VrRig) -> None:
    left, right = settled_m(rig, "left"), settled_m(rig, "right")
    operator.page.js("operator.see('right', false)")
    rig.until("one hand less", lambda: operator.following() == {"left"})
    assert "right hand: the headset does not see the controller" in rig.teleop().why
    operator.page.until(
        "the reason on the board", "return document.getElementById('why').textContent.includes('does not see')"
    )
    operator.glide("right", 0, 0.3, 0)
    operator.page.js("operator.see('right', true)")
    operator.glide("right", 0, -0.1, 0)
    operator.glide("left", 0, 0.04, 0)
    follows(rig, "left", left, 0, 0, 0.04)
    stays(rig, "right", right)
    assert operator.following() == {"left"}
    operator.squeeze("right")
    operator.glide("right", 0, 0.05, 0)
    follows(rig, "right", right, 0, 0, 0.05)


def holds_for_want_of_poses(rig: VrRig) -> None:
    """The pilot notices by itself if it is quicker than the teleoperation node."""
    rig.until("hold", lambda: rig.pilot().state == "hold" and rig.teleop().state == "hold")
    assert for_want_of_poses(rig.pilot().why), rig.pilot()
    rig.until("open clutches", lambda: not any(hand.clutched for hand in rig.teleop().hands))


def for_want_of_poses(why: str) -> bool:
    return "no hand pose for" in why or "vr has asked for nothing" in why


def test_a_lost_link_holds_and_ends_the_episode_with_its_rows(operator: Operator, rig: VrRig) -> None:
    saved, early = rig.session().saved, rig.session().ended_early
    record(operator, rig)
    rig.until("rows", lambda: rig.session().recorded_ticks > 50)
    rig.link.cut()
    operator.page.linked("lost")
    holds_for_want_of_poses(rig)
    with h5py.File(saved_episode(rig, saved)) as file:
        assert len(file["action"]) > 50
        assert for_want_of_poses(file.attrs["ended"])
        assert set(file["control/source"][:]) == {list(file["control/source"].attrs["names"]).index("vr")}
    assert rig.session().ended_early == early + 1
    right = settled_m(rig, "right")
    operator.glide("right", 0, 0.1, 0)
    rig.link.mend()
    operator.page.linked()
    operator.page.log()  # of connections that failed
    operator.glide("right", 0, -0.2, 0)
    stays(rig, "right", right)
    operator.go_on()
    operator.squeeze("right")
    operator.glide("right", 0, 0.05, 0)
    follows(rig, "right", right, 0, 0, 0.05)


def test_a_reloaded_page_holds_and_comes_back_without_the_code(operator: Operator, rig: VrRig) -> None:
    operator.page.driver.refresh()
    holds_for_want_of_poses(rig)
    assert operator.page.js("return location.hash") == ""
    operator.enter(yaw_rad=0.3)
    rig.until("forward where the operator faces now", lambda: abs(rig.teleop().forward_rad - 0.3) < 1e-3)
    right = settled_m(rig, "right")
    operator.go_on()
    operator.squeeze("right")
    operator.glide("right", 0, 0.05, 0)
    follows(rig, "right", right, 0, 0, 0.05)


def test_strangers_are_refused_and_the_operator_goes_on(operator: Operator, rig: VrRig) -> None:
    wrong = f"{(int(rig.code) + 1) % 1_000_000:06}"

    async def intrude(code: str) -> str:
        async with Page(rig.port) as page:
            assert await page.pair(code) is None
            await page.pose()
            return (await page.closed())[1]

    right = settled_m(rig, "right")
    assert "wrong code" in asyncio.run(intrude(wrong))
    assert "another operator is connected" in asyncio.run(intrude(rig.code))
    assert operator.following() == set(SIDES)
    operator.glide("right", 0, 0.05, 0)
    follows(rig, "right", right, 0, 0, 0.05)
