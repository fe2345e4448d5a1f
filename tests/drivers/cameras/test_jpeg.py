from typing import Literal

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cameras.jpeg import Jpeg, encode, standard_huffman_tables, whole
from tests.drivers.cameras.conftest import picture
from tests.pictures import bgr

JPEG = encode(picture(77, 320, 240))


def test_a_whole_picture_is_untouched() -> None:
    found = whole(JPEG)
    assert found == (JPEG, 320, 240, 0, False)


def picture_of(packet: bytes) -> Jpeg:
    found = whole(packet)
    assert isinstance(found, Jpeg), found
    return found


@pytest.mark.parametrize(
    ("padding", "cut"),
    [
        (bytes(1000), 0),
        (b"\r\n", 2),
        (b"\0\r\n\0", 2),
        (b"x", 1),
        (JPEG[-800:], 800),
        (b"\xff" * 64, 64),
        (b"\xff\xd9", 2),
    ],
    ids=["zeros", "CR LF", "both", "a byte", "the rest of an older picture", "FF", "a second end marker"],
)
def test_what_follows_the_end_is_cut_and_counted(padding: bytes, cut: int) -> None:
    found = picture_of(JPEG + padding)
    assert found.data == JPEG
    assert found.cut_bytes == cut


@pytest.mark.parametrize("flags", [[cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]])
def test_the_end_is_found_behind_further_scans_and_restarts(flags: list[int]) -> None:
    data = bytes(cv2.imencode(".jpg", picture(77, 320, 240), flags)[1])
    assert picture_of(data + b"\r\n").data == data


def exif(orientation: int, order: Literal["little", "big"] = "little") -> bytes:
    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, order)

    def entry(tag: int, value: int) -> bytes:
        return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + b"\0\0"

    head = (b"II" if order == "little" else b"MM") + number(42, 2) + number(8, 4)
    return b"Exif\0\0" + head + number(2, 2) + entry(0x0103, 6) + entry(0x0112, orientation) + number(0, 4)


def with_app1(content: bytes) -> bytes:
    return JPEG[:2] + b"\xff\xe1" + (len(content) + 2).to_bytes(2) + content + JPEG[2:]


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_is_taken_out_and_every_reader_sees_one_size(
    orientation: int, order: Literal["little", "big"]
) -> None:
    found = picture_of(with_app1(exif(orientation, order)))
    assert found.turned == (orientation != 1)
    assert _decode(found.data).shape[:2] == (found.height, found.width) == (240, 320)
    assert np.array_equal(_decode(found.data), _decode(JPEG))
    assert (found.data == JPEG) == found.turned


def test_an_orientation_in_xmp_is_taken_out_too() -> None:
    for written in (b'tiff:Orientation="6"', b"<tiff:Orientation>6</tiff:Orientation>"):
        packet = with_app1(b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + written + b"</x:xmpmeta>")
        assert picture_of(packet) == (JPEG, 320, 240, 0, True)
    assert not picture_of(with_app1(b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>")).turned


@pytest.mark.slow
@given(st.binary(max_size=60))
def test_exif_that_is_broken_harms_nobody(noise: bytes) -> None:
    found = picture_of(with_app1(b"Exif\0\0II*\0" + noise))
    assert found.data.endswith(JPEG[2:])


def test_left_out_huffman_tables_are_put_back() -> None:
    tables = standard_huffman_tables()
    assert tables.count(b"\xff\xc4") == 4

    abbreviated = _without_tables()
    found = picture_of(abbreviated)

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
    return bgr(data)


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff\xd9", "before the picture's data"),
        (JPEG[:-2], "no end marker"),
        (JPEG[: len(JPEG) // 2], "no end marker"),
        (JPEG[1:], "no JPEG"),
        (JPEG + JPEG, "two pictures"),
        (JPEG + b"\r\n" + JPEG[:400], "two pictures"),
        (JPEG[:-100] + JPEG, "no end marker"),
        (b"\x89PNG" + JPEG, "no JPEG"),
    ],
)
def test_what_is_not_one_whole_picture_is_named(broken: bytes, cause: str) -> None:
    found = whole(broken)
    assert isinstance(found, str)
    assert cause in found


@pytest.mark.slow
@given(st.binary(max_size=200), st.integers(0, len(JPEG)), st.integers(0, 200))
def test_any_bytes_are_a_picture_or_named(noise: bytes, at: int, cut: int) -> None:
    found = whole(JPEG[:at] + noise + JPEG[at + cut :])
    assert isinstance(found, str) or (found.data.startswith(b"\xff\xd8") and found.data.endswith(b"\xff\xd9"))


def test_encoding_keeps_colours() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, :32, 2], image[:, 32:, 0] = 255, 255
    decoded = _decode(encode(image))
    assert np.all(np.abs(decoded[32, 8].astype(int) - [0, 0, 255]) < 8)
    assert np.all(np.abs(decoded[32, 56].astype(int) - [255, 0, 0]) < 8)
