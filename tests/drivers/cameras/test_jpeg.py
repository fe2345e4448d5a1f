import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cameras.jpeg import encode, standard_huffman_tables, whole
from tests.drivers.cameras.conftest import picture

JPEG = encode(picture(77, 320, 240))


def test_a_whole_picture_is_untouched() -> None:
    found = whole(JPEG)
    assert found is not None
    assert found == (JPEG, 320, 240)


def test_padding_is_cut() -> None:
    found = whole(JPEG + b"\0" * 1000)
    assert found is not None
    assert found.data == JPEG


def test_left_out_huffman_tables_are_put_back() -> None:
    tables = standard_huffman_tables()
    assert tables.count(b"\xff\xc4") == 4

    abbreviated = _without_tables()
    found = whole(abbreviated)
    assert found is not None

    assert b"\xff\xc4" not in abbreviated
    assert np.array_equal(_decode(found.data), _decode(JPEG))


def _without_tables() -> bytes:
    data, at = JPEG[:2], 2
    while JPEG[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(JPEG[at + 2 : at + 4])
        data += b"" if JPEG[at + 1] == 0xC4 else JPEG[at:end]
        at = end
    return data + JPEG[at:]


def _decode(data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    "broken",
    [b"", b"\xff\xd8\xff\xd9", JPEG[:-2], JPEG[1:], JPEG + JPEG, JPEG[:-100] + JPEG, b"\x89PNG" + JPEG, JPEG + b"x"],
)
def test_what_is_not_one_whole_picture_is_none(broken: bytes) -> None:
    assert whole(broken) is None


@given(st.binary(max_size=200), st.integers(0, len(JPEG)), st.integers(0, 200))
def test_any_bytes_are_a_picture_or_none(noise: bytes, at: int, cut: int) -> None:
    found = whole(JPEG[:at] + noise + JPEG[at + cut :])
    assert found is None or (found.data.startswith(b"\xff\xd8") and found.data.endswith(b"\xff\xd9"))


def test_encoding_keeps_colours() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, :32, 2], image[:, 32:, 0] = 255, 255
    decoded = _decode(encode(image))
    assert np.all(np.abs(decoded[32, 8].astype(int) - [0, 0, 255]) < 8)
    assert np.all(np.abs(decoded[32, 56].astype(int) - [255, 0, 0]) < 8)
