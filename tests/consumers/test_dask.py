"""An existing Dask cluster as the engine: a real scheduler and two workers on loopback, and what becomes of it when one is killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

from station.datasets import export as exporting
from station.datasets.choosing import choose
from station.datasets.conversion import Conversion
from station.datasets.engines.dask import Cluster, ClusterGone
from station.datasets.engines.processes import Processes
from station.datasets.engines.work import WorkerDied, work
from station.datasets.export import Engine
from station.datasets.selection import Selection
from station.errors import UsageError
from tests.station.datasets.dying_worker import square_or_die
from tests.station.datasets.exported import HERE, quiet
from tests.station.datasets.recorded import SINGLE, Recorded, make
from tests.station.datasets.test_export import files

pytestmark = [pytest.mark.consumers, pytest.mark.timeout(400)]


class Started:
    """A scheduler and its workers, as a lab starts them."""

    def __init__(self, protocol: str = "tcp", certificates: Mapping[str, str] | None = None) -> None:
        """`certificates`: Dask's own variables that name them."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address, self._certificates = f"{protocol}://127.0.0.1:{port}", dict(certificates or {})
        here = ("--host", "127.0.0.1", "--port", str(port), "--protocol", protocol)
        self.scheduler = self._run("scheduler", *here, "--no-dashboard")
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self) -> "subprocess.Popen[bytes]":
        started = self._run(
            "worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--death-timeout", "60"
        )
        self.workers.append(started)
        return started

    def cluster(self, workers: int) -> Cluster:
        deadline_s = time.monotonic() + 90
        while True:
            try:
                found = Cluster(self.address)
            except ClusterGone:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.2)
                continue
            if found.workers >= workers or time.monotonic() > deadline_s:
                return found
            found.close()
            time.sleep(0.2)

    def _run(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | self._certificates,
        )  # fmt: skip

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait(10)


@pytest.fixture(autouse=True, scope="module")
def tracker() -> Iterator[None]:
    """Python's own process behind pools: one an interpreter, begun with the first pool, and no test's to give back."""
    resource_tracker.ensure_running()
    yield
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


@pytest.fixture
def lab() -> Iterator[Started]:
    started = Started()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for k in range(6):
        make(folder, Recorded(24 + 3 * k, SINGLE, ("cam_high",), episode=k))
    return folder


@pytest.fixture(scope="module")
def serial(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("serial") / "set"
    export(out, data, HERE)
    return files(out)


def export(out: Path, data: Path, engine: Engine, told: exporting.Told = quiet) -> None:
    selection = Selection(folders=(str(data),))
    exporting.export("plain", out, selection, choose(selection, data), Conversion(), engine, told)


def test_serial_pool_and_cluster_make_the_same_bytes(
    lab: Started, data: Path, serial: dict[str, bytes], tmp_path: Path
) -> None:
    with Processes(2) as here:
        export(tmp_path / "pool" / "set", data, Engine(here.executor, 2))
    lab.worker(), lab.worker()
    with lab.cluster(2) as cluster:
        export(tmp_path / "cluster" / "set", data, Engine(cluster.executor, cluster.workers))
    assert files(tmp_path / "pool" / "set") == serial
    assert files(tmp_path / "cluster" / "set") == serial


def killed_at(place: int, kill: Callable[[], None]) -> exporting.Told:
    """Kills once, when so many outcomes were told."""
    seen: list[str] = []

    def told(what: str, done: int, of: int, size_bytes: int) -> None:
        seen.append(what)
        if len(seen) == place:
            kill()

    return told


@pytest.mark.parametrize("place", [1, 4, 8])
def test_a_worker_that_is_killed_costs_nothing(
    lab: Started, data: Path, serial: dict[str, bytes], tmp_path: Path, place: int
) -> None:
    first = lab.worker()
    lab.worker()
    with lab.cluster(2) as cluster:
        told = killed_at(place, partial(os.kill, first.pid, signal.SIGKILL))
        export(tmp_path / "set", data, Engine(cluster.executor, cluster.workers), told)
    assert files(tmp_path / "set") == serial


def test_a_scheduler_that_is_killed_is_named_and_the_same_command_goes_on(
    lab: Started, data: Path, serial: dict[str, bytes], tmp_path: Path
) -> None:
    lab.worker()
    with lab.cluster(1) as cluster, pytest.raises(ClusterGone, match="goes on where it was"):
        export(tmp_path / "set", data, Engine(cluster.executor, 1), killed_at(8, lab.scheduler.kill))
    assert not (tmp_path / "set").exists()
    done = {path: path.stat().st_ino for path in (tmp_path / ".set.building").glob("*/scratch/*.json")}
    assert done
    export(tmp_path / "set", data, HERE)
    assert files(tmp_path / "set") == serial


def test_only_the_part_that_kills_its_workers_fails(lab: Started) -> None:
    for _ in range(6):
        lab.worker()
    with lab.cluster(6) as cluster:
        found = {one.item: one for one in work(cluster.executor, cluster.workers, square_or_die, range(8))}
    assert isinstance(found[5].error, WorkerDied)
    assert [found[k].result for k in range(8) if k != 5] == [k * k for k in range(8) if k != 5]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://192.0.2.7:8786", "without TLS"),
        ("tcp://cluster.lab:8786", "without TLS"),
        ("cluster:8786", "no address of a scheduler"),
        ("ucx://127.0.0.1:1", "no address of a scheduler"),
    ],
)
def test_what_is_not_safe_is_refused(address: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Cluster(address)


def test_nobody_there_is_one_sentence() -> None:
    begun_s = time.monotonic()
    with pytest.raises(ClusterGone, match="dask scheduler"):
        Cluster("tcp://127.0.0.1:9")
    assert time.monotonic() - begun_s < 30


def certificates(folder: Path) -> dict[str, str]:
    """A certificate that is its own authority, for everybody in the cluster, as Dask's variables name it."""
    folder.mkdir()
    certificate, key = folder / "lab.pem", folder / "lab-key.pem"
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -keyout {key} -out {certificate}"
    subprocess.run(made.split(), check=True, capture_output=True)
    who = ("SCHEDULER", "WORKER", "CLIENT")
    named = (
        {"CA_FILE": certificate} | {f"{one}__CERT": certificate for one in who} | {f"{one}__KEY": key for one in who}
    )
    return {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(path) for name, path in named.items()}


def test_a_cluster_by_tls_makes_the_same_bytes_for_who_has_its_certificate_and_for_nobody_else(
    data: Path, serial: dict[str, bytes], tmp_path: Path
) -> None:
    held = certificates(tmp_path / "lab")
    lab = Started("tls", held)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "station.cli",
        "dataset",
        "export",
        "plain",
        "--from",
        data,
        "--scheduler",
        lab.address,
    ]
    try:
        lab.worker()
        until_s = time.monotonic() + 120
        while True:  # until its worker has come
            done = told([*command, tmp_path / "held" / "set"], held)
            if done.returncode == 0 or time.monotonic() > until_s:
                break
        assert done.returncode == 0, done.stderr
        assert files(tmp_path / "held" / "set") == serial
        for other in ({}, certificates(tmp_path / "stranger")):
            refused = told([*command, tmp_path / "none" / "set"], other)
            assert refused.returncode == 1 and refused.stderr.startswith(f"--scheduler {lab.address}"), refused.stderr
            assert not (tmp_path / "none" / "set").exists()
    finally:
        lab.stop()


def told(command: Sequence[str | Path], variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """The station's command in an environment with these."""
    words = list(map(str, command))
    return subprocess.run(
        words,
        env=os.environ | dict(variables),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
