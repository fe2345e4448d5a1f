import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse, IncompleteRead
from itertools import pairwise

import cv2
import numpy as np
import pytest

from drivers.sim.world.jpeg_stamp import Stamp, read_stamp
from drivers.sim.world.stream_server import Source, StreamServer, pictures
from station.clock import monotonic_ns
from tests.pictures import bgr


@pytest.fixture
def server() -> Iterator[StreamServer]:
    server = StreamServer([Source("cam_high", 320, 240, 60.0), Source("cam_low", 160, 120, 60.0)], monotonic_ns)
    server.start()
    yield server
    server.stop()


def part(stream: HTTPResponse) -> bytes:
    """The next picture; b"" at the end."""
    length = 0
    while line := stream.readline():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        if line == b"\r\n" and length:
            return stream.read(length)
    return b""


def test_opencv_reads_the_bytes_as_they_are_and_finds_the_stamps(server: StreamServer) -> None:
    begin = monotonic_ns()
    capture = cv2.VideoCapture(server.url("cam_high"), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    assert capture.isOpened()
    stamps: list[Stamp] = []
    while len(stamps) < 10:
        ok, raw = capture.read()
        assert ok
        jpeg = raw.tobytes()
        found = read_stamp(jpeg)
        assert found is not None
        stamps.append(found)
        assert bgr(jpeg).shape == (240, 320, 3)
    capture.release()
    assert all(a.captured_ns < b.captured_ns and a.frame < b.frame for a, b in pairwise(stamps))
    assert begin < stamps[0].captured_ns
    assert stamps[-1].captured_ns < monotonic_ns()


def test_pictures_differ_by_their_counter() -> None:
    assert len(set(pictures(Source("cam_high", 160, 120, 30.0)))) == 30


def test_a_frozen_camera_sends_nothing_and_goes_on_afterwards(server: StreamServer) -> None:
    with urllib.request.urlopen(server.url("cam_high"), timeout=0.7) as stream:
        part(stream)
        server.set_fault("cam_high", "freeze", 0.0)
        with pytest.raises(TimeoutError):
            drain(stream)
    server.set_fault("cam_high", "none", 0.0)
    with urllib.request.urlopen(server.url("cam_high"), timeout=10) as stream:
        assert part(stream)


def test_a_dropped_connection_ends_and_a_new_one_is_served(server: StreamServer) -> None:
    with urllib.request.urlopen(server.url("cam_high"), timeout=10) as stream:
        part(stream)
        server.set_fault("cam_high", "drop", 0.0)
        with pytest.raises((ConnectionError, IncompleteRead, EOFError)):
            drain(stream)
    with urllib.request.urlopen(server.url("cam_high"), timeout=10) as stream:
        assert part(stream)


def drain(stream: HTTPResponse) -> None:
    while part(stream):
        pass
    raise EOFError


def test_a_refusing_camera_is_not_there_and_the_others_are(server: StreamServer) -> None:
    server.set_fault("cam_high", "refuse", 0.0)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(server.url("cam_high"), timeout=10)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(server.url("cam_nowhere"), timeout=10)
    with urllib.request.urlopen(server.url("cam_low"), timeout=10) as stream:
        assert part(stream)


def test_a_slow_camera_is_slow(server: StreamServer) -> None:
    server.set_fault("cam_high", "slow", 5.0)
    with urllib.request.urlopen(server.url("cam_high"), timeout=10) as stream:
        stamps = [read_stamp(part(stream)) for _ in range(4)]
    times = [found.captured_ns for found in stamps if found is not None]
    assert min(np.diff(times)) > 150e6
