import numpy as np
import pytest

from station.errors import EpisodeError
from station.policy.folder import Image
from station.policy.observation import PixelMap
from station.policy.statistics import affine
from station.training.learning.batches import NONE, Batch, Batches, Disorder, parts, statistics
from station.training.learning.demonstrations import Demonstration, demonstrations
from tests.station.training.learning import made

IMAGE = Image(*made.SIZE)
CHUNK, RATE_HZ, STRIDE = 8, 12.5, 4


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> list[Demonstration]:
    folder = tmp_path_factory.mktemp("episodes")
    for number in range(4):
        made.write(folder, number)
    return demonstrations(folder, "", ["cam_high"], IMAGE)


def batches(demos: list[Demonstration]) -> Batches:
    return Batches(demos, statistics(demos), CHUNK, RATE_HZ, IMAGE)


def undisturbed(demos: list[Demonstration]) -> Batch:
    """Every row of the held-out demonstration, in order."""
    (batch,) = batches(demos).held_out(1, 1000)
    return batch


def test_the_last_tenth_is_held_out_and_a_single_one_is_both() -> None:
    assert [tuple(map(list, parts([None] * n))) for n in (1, 2, 4)] == [  # type: ignore[list-item]
        ([0], [0]), ([0], [1]), ([0, 1, 2], [3]),
    ]  # fmt: skip
    learnt, held_out = parts([None] * 50)  # type: ignore[list-item]
    assert (len(learnt), list(held_out)) == (45, [45, 46, 47, 48, 49])


def test_row_i_of_a_chunk_is_the_action_of_its_own_time(demos: list[Demonstration]) -> None:
    batch, demo = undisturbed(demos), demos[3]
    rows = len(demo.action)
    assert batch.actions.shape == (rows, CHUNK, 3)
    actions = affine(statistics(demos).action, 3).unnormalise(batch.actions)
    for row in (0, 7, rows - 1):
        for i in range(CHUNK):
            expected = demo.action[min(row + i * STRIDE, rows - 1)]
            np.testing.assert_allclose(actions[row, i], expected, atol=1e-5)
    np.testing.assert_allclose(affine(statistics(demos).state, 3).unnormalise(batch.state), demo.state, atol=1e-5)


def test_pictures_are_normalised_as_the_runner_does(demos: list[Demonstration]) -> None:
    batch, demo = undisturbed(demos), demos[3]
    assert batch.images.shape == (len(demo.action), 1, 3, made.SIZE[1], made.SIZE[0])
    assert batch.images.dtype == np.float32
    expected = np.empty((3, made.SIZE[1], made.SIZE[0]), np.float32)
    PixelMap(statistics(demos).image).normalise(demo.pictures[0][demo.shown[0, 17]], expected)
    np.testing.assert_allclose(batch.images[17, 0], expected)


def test_the_grasp_is_known_until_it_comes_and_where_it_varies(demos: list[Demonstration]) -> None:
    batch, demo = undisturbed(demos), demos[3]
    assert batch.grasp_known[: demo.grasp].tolist() == [[True, False, False]] * demo.grasp
    assert not batch.grasp_known[demo.grasp :].any()
    learnt = np.array([made.goal(n) for n in range(3)])
    np.testing.assert_allclose(batch.grasp[0, 0], (made.goal(3) - learnt.mean()) / learnt.std(), atol=1e-4)
    off = batches(demos).grasp_off(np.array([[1.0, 0.0, 0.0]], np.float32))
    np.testing.assert_allclose(off[0], [learnt.std(), 0.0, 0.0], atol=1e-6)


def test_the_same_chance_draws_the_same_and_only_from_what_is_learnt(demos: list[Demonstration]) -> None:
    one, again, other = (batches(demos).draw(np.random.default_rng(s), 64, Disorder()) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.images, again.images)
    np.testing.assert_array_equal(one.state, again.state)
    assert np.abs(one.state - other.state).max() > 0
    still = batches(demos).draw(np.random.default_rng(2), 500, NONE)
    ends = affine(statistics(demos).action, 3).unnormalise(still.actions)[:, -1, 0]
    assert np.abs(ends - made.goal(3)).min() > 1e-3


def test_disorder_stays_within_its_bounds(demos: list[Demonstration]) -> None:
    calm = batches(demos).draw(np.random.default_rng(0), 200, NONE)
    shaken = batches(demos).draw(np.random.default_rng(0), 200, Disorder(state=0.02, age_ticks=0, light=0.1))
    np.testing.assert_array_equal(calm.actions, shaken.actions)
    off = (shaken.state - calm.state) * affine(statistics(demos).state, 3).scale
    assert 0.015 < off.std() < 0.025
    assert np.abs(shaken.images - (calm.images * 1.0)).max() < 0.1 * np.abs(calm.images).max() + 0.1 + 1e-5
    older = batches(demos).draw(np.random.default_rng(0), 200, Disorder(state=0.0, age_ticks=3, light=0.0))
    grey = (older.images - calm.images)[:, 0, :, 0, 0].mean(1) * 0.25 * 255
    assert grey.max() < 1, "never newer"
    assert -7 < grey.min() < -1, "three ticks may be two pictures, never more: 6 shades"


def test_a_rate_that_does_not_divide_the_ticks_is_refused(demos: list[Demonstration]) -> None:
    for rate_hz in (15.0, 100.0):
        with pytest.raises(EpisodeError, match=f"{rate_hz:g} Hz is no whole fraction of the episodes' 50 Hz"):
            Batches(demos, statistics(demos), CHUNK, rate_hz, IMAGE)
