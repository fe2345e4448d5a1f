"""The decoding thread and the inference thread, without the runner around them."""

import os
import select
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import create_autospec

import cv2
import numpy as np
import pytest

from station.bus.messages import SCHEMA, Frame, Header
from station.bus.sockets import Publisher, Subscriber
from station.bus.wire import Sample
from station.clock import monotonic_ns
from station.policy.folder import Policy, load_policy
from station.policy.frames import FrameCache, FrameKey
from station.policy.worker import Begin, Failure, FrameDecoder, Infer, Load, Loaded, LoadFailed, Result, Worker
from tests.station.policy import policies
from tests.station.policy.test_observation import tick

JPEG = cv2.imencode(".jpg", np.full((48, 64, 3), 51, np.uint8))[1].tobytes()
FRAME = Frame("jpeg", 64, 48, "arrival")


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return load_policy(policies.write(tmp_path / "cube"))


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(monotonic_ns)
    worker.start()
    yield worker
    if worker.is_alive():
        worker.close(timeout_s=30)


def result(worker: Worker) -> Result:
    assert select.select([worker.wakes], [], [], 60)[0], "no answer within a minute"
    (found,) = worker.results()
    return found


def test_load_begin_infer(worker: Worker, policy: Policy) -> None:
    worker.give(Infer(1, (tick(0),)))
    assert result(worker) == Failure(1, "no policy is loaded")
    worker.give(Load(policy.folder))
    loaded = result(worker)
    assert isinstance(loaded, Loaded)
    assert loaded.policy == policy
    worker.give(Begin(1))
    worker.give(Infer(1, (tick(0),)))
    missing = result(worker)
    assert missing == Failure(1, "cam_high's frame 0 of tick 0 did not arrive", blind=True)
    assert worker.results() == []


def test_a_folder_that_cannot_be_loaded(worker: Worker, tmp_path: Path) -> None:
    worker.give(Load(tmp_path))
    failed = result(worker)
    assert isinstance(failed, LoadFailed)
    assert "cannot be read" in failed.why


def test_thinking_has_a_lower_priority_than_moving(worker: Worker, policy: Policy) -> None:
    worker.give(Load(policy.folder))
    result(worker)
    assert worker.native_id is not None
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, worker.native_id) == min(19, ours + 5)


def test_it_leaves_nothing_behind(policy: Policy) -> None:
    worker = Worker(monotonic_ns)
    worker.start()
    worker.give(Load(policy.folder))
    result(worker)
    worker.close(timeout_s=30)
    assert not worker.is_alive()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(worker.wakes)


def test_frames_are_decoded_as_they_arrive_and_bad_ones_counted(runtime: str, policy: Policy) -> None:
    camera = Publisher("eyesrig", "cam_high", 9, monotonic_ns)
    cache = FrameCache(1000)
    decoder = FrameDecoder("eyesrig", policy, cache)
    decoder.start()
    try:
        heard = None
        while heard is None:  # until the subscription is through
            heard = cache.get(FrameKey("cam_high", 9, camera.publish("frame", FRAME, payload=[JPEG])), timeout_s=0.05)
        assert heard.shape == (6, 8, 3)
        assert heard[0, 0].tolist() == pytest.approx([51, 51, 51], abs=2)
        camera.publish("frame", FRAME, payload=[b"no picture"])
        good = FrameKey("cam_high", 9, camera.publish("frame", FRAME, payload=[JPEG]))
        assert cache.get(good, timeout_s=60) is not None
        assert decoder.undecodable == 1
    finally:
        decoder.close()
        camera.close()


def test_one_that_falls_behind_sees_the_newest_of_every_camera(policy: Policy) -> None:
    def sample(camera: str, sequence: int) -> Sample:
        return Sample("frame", camera, Header(SCHEMA, 9, sequence, 0, 0), FRAME, (JPEG,))

    waiting = [sample("cam_high", 0), sample("cam_low", 7), *(sample("cam_high", i) for i in range(1, 5))]
    subscriber = create_autospec(Subscriber, instance=True)
    subscriber.receive.side_effect = lambda *_, **__: waiting.pop(0) if waiting else None
    decoder = FrameDecoder("eyesrig", policy, FrameCache(8))
    seen = [(found.node, found.header.sequence) for found in decoder._waiting(subscriber)]
    assert seen == [("cam_high", 3), ("cam_high", 4), ("cam_low", 7)]
    assert decoder.passed_over == 3
    assert list(decoder._waiting(subscriber)) == []
