"""A world in a process of its own, and what tests ask of it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from station.bus.requests import PrepareScene
from station.bus.sockets import RequestClient
from station.files.runtime_folder import runtime_folder
from station.rig.rig import Rig, find_rig, load_rig
from tests.keyed import start_node

MODULES = {"sim": "drivers.sim.world.mujoco_world", "bench": "drivers.sim.bench.bench_world"}


@contextmanager
def world(name: str, path: Path | None = None) -> Iterator[tuple[Rig, "subprocess.Popen[bytes]"]]:
    """The shipped rig, or that file's, and its running world; on leaving it must end by SIGTERM, with exit code 0 and no port left."""
    rig = load_rig(path or find_rig(name))
    process = start_node(rig, MODULES[name], "world")
    try:
        with RequestClient(rig.name, "world") as client:
            client.ask(PrepareScene(0), 60_000)
        yield rig, process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert os.listdir(runtime_folder(rig.name) / "ports") == []
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Poll until true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)
