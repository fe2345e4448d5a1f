"""Our schedulers against diffusers itself. Needs torch and diffusers, so it runs apart: `make test-torch`."""

import numpy as np
import pytest

from station.policy.folder import Diffusion
from tests.station.policy.backends import denoising

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("settings", denoising.CASES, ids=denoising.name)
def test_ours_are_diffusers(settings: Diffusion) -> None:
    from tests.torch.schedules import theirs

    expected = theirs(settings)
    np.testing.assert_allclose(denoising.ours(settings), expected, atol=1e-5, rtol=0)
    np.testing.assert_allclose(denoising.golden()[denoising.name(settings)], expected.ravel(), atol=1e-6, rtol=0)
