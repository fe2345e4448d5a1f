"""A picture with something missing in its middle is told, whatever container and end marker say."""

import cv2
import numpy as np
import pytest
import simplejpeg

from station.borders.jpeg import content_problem, pixels_of

MADE = {
    "baseline": [cv2.IMWRITE_JPEG_QUALITY, 80],
    "fine": [cv2.IMWRITE_JPEG_QUALITY, 92],
    "with restart markers": [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_RST_INTERVAL, 20],
    "progressive": [cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
}


def picture(made: str) -> bytes:
    noise = np.random.default_rng(3).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 2), MADE[made])
    assert done
    return data.tobytes()


def scan(data: bytes) -> int:
    return data.find(b"\xff\xda") + 14


@pytest.mark.parametrize("made", MADE)
def test_a_whole_picture_is_whole(made: str) -> None:
    assert content_problem(picture(made)) == ""


def test_it_is_not_drawn_whole_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, ...]] = []
    decode = simplejpeg.decode_jpeg

    def noted(*args: object, **options: object) -> np.ndarray:
        found: np.ndarray = decode(*args, **options)
        drawn.append(found.shape[:2])
        return found

    monkeypatch.setattr(simplejpeg, "decode_jpeg", noted)
    assert content_problem(picture("fine")) == ""
    assert drawn == [(30, 40)]


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("lost", [256, 512, 1024])
def test_bytes_lost_in_the_middle_are_told_though_both_markers_are_there(made: str, lost: int) -> None:
    data = picture(made)
    begin, end = scan(data), len(data) - lost - 64
    places = np.linspace(begin, end, 40).astype(int)
    cut = [data[:at] + data[at + lost :] for at in places]
    assert all(one.startswith(b"\xff\xd8") and one.endswith(b"\xff\xd9") for one in cut)
    # one may fall into step by chance; of a progressive picture (no camera makes one) the finest scans are a bit a number
    assert sum(not content_problem(one) for one in cut) <= (4 if made == "progressive" else 1)


def test_what_is_no_jpeg_or_has_only_a_head_is_told() -> None:
    data = picture("baseline")
    assert "does not begin" in content_problem(b"")
    assert "does not begin" in content_problem(data[100:])
    assert content_problem(data[: scan(data)] + b"\xff\xd9")
    assert content_problem(b"\xff\xd8\xff\xd9")
    assert content_problem(b"\xff\xd8\xff" + bytes(500) + b"\xff\xd9")


def test_how_many_pixels_it_says_it_has_whatever_it_is() -> None:
    data = picture("baseline")
    height, width = simplejpeg.decode_jpeg_header(data)[:2]
    assert pixels_of(data) == pixels_of(data + bytes(100)) == height * width
    for none in (b"", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff" + bytes(500) + b"\xff\xd9", data[:20]):
        assert pixels_of(none) == 0
