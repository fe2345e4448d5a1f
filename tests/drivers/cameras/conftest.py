from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from drivers.cameras.jpeg import encode
from tests.drivers.cameras.fake_v4l2 import FakeV4L2


def picture(shade: int, width: int = 640, height: int = 480) -> "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]":
    """A gradient whose brightness tells its index."""
    image = np.full((height, width, 3), shade % 256, np.uint8)
    cv2.putText(image, str(shade), (10, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255))
    return image


@pytest.fixture(scope="session")
def jpegs() -> list[bytes]:
    """Ten different pictures, 640×480."""
    return [encode(picture(index * 20)) for index in range(10)]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeV4L2]:
    """A V4L2 camera at `kernel.path`, down to the ioctls."""
    fake = FakeV4L2(tmp_path_factory.mktemp("dev") / "CAM_HIGH")
    fake.install(monkeypatch)
    yield fake
    fake.remove()
