"""Copies to a real S3 server on loopback (moto's), in an environment of its own: parts, going on, reading back."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.episodes.catalogue import episodes
from station.episodes.pushing.destination import PushFailed
from station.episodes.pushing.pace import Gate
from station.episodes.pushing.push import plan, push
from station.episodes.pushing.s3 import S3
from tests.consumers.environments import environment
from tests.station.cli.recorded import record

pytestmark = pytest.mark.consumers
_PART = 5 << 20
"""The least that the protocol allows."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [environment("s3") / "bin/moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline_s = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline_s:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> S3:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "lab"),
        ("AWS_SECRET_ACCESS_KEY", "lab"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    import boto3

    bucket = f"lab-{os.getpid()}-{time.monotonic_ns()}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=bucket)
    return S3(f"s3://{bucket}/day", endpoint, _PART)


def large(path: Path, parts: float) -> Path:
    """An episode with bytes behind its end, which HDF5 reads all the same."""
    with path.open("ab") as file:
        file.write(os.urandom(int(parts * _PART)))
    return path


def test_small_and_large_get_there_and_read_back(store: S3, tmp_path: Path) -> None:
    record(tmp_path, 0, rows=3)
    large(record(tmp_path, 1, rows=3), 2.3)
    wanted = plan(episodes(tmp_path), store, Gate())
    assert [(outcome.sent, outcome.error) for outcome in push(wanted, store, Gate())] == [(True, "")] * 2
    assert plan(episodes(tmp_path), store, Gate()) == []
    assert store.holds("cube/episode_1.hdf5") == (tmp_path / "cube/episode_1.hdf5").stat().st_size


def test_an_upload_that_was_broken_off_goes_on(store: S3, tmp_path: Path) -> None:
    path = large(record(tmp_path, 0, rows=3), 3.2)
    sent = 0

    class Breaks(Gate):
        def __call__(self, size: int) -> None:
            nonlocal sent
            sent += size
            if sent > path.stat().st_size + 2.5 * _PART:  # it is hashed first
                raise ConnectionError("the network is gone")

    [broken] = push(plan(episodes(tmp_path), store, Gate()), store, Breaks())
    assert "the same command goes on where it was" in broken.error
    assert store.holds("cube/episode_0.hdf5") is None
    moved = 0

    class Counts(Gate):
        def __call__(self, size: int) -> None:
            nonlocal moved
            moved += size

    assert [outcome.error for outcome in push(plan(episodes(tmp_path), store, Gate()), store, Counts())] == [""]
    whole = path.stat().st_size
    # hashed, read back, and sent but for the one part that was there; without TLS what is sent is read twice, for its signature
    assert moved == 2 * whole + 2 * (whole - _PART)


def test_another_recording_is_never_replaced(store: S3, tmp_path: Path) -> None:
    import h5py
    import numpy as np

    record(tmp_path, 0, rows=3)
    list(push(plan(episodes(tmp_path), store, Gate()), store, Gate()))
    other = record(tmp_path / "other", 0, rows=4)
    with h5py.File(other, "r+") as file:
        file.attrs["start_wall_ns"] = np.int64(7)
    [outcome] = push(plan(episodes(tmp_path / "other"), store, Gate()), store, Gate())
    assert "has another recording as cube/episode_0.hdf5" in outcome.error


def test_a_store_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lab")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    with pytest.raises(PushFailed, match="the same command goes on where it was"):
        S3("s3://bucket/x", "http://127.0.0.1:9").holds("cube/episode_0.hdf5")
