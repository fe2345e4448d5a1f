"""The idle runner: refuses in words, and costs next to nothing."""

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from station.bus.requests import StartPolicy, StopPolicy
from station.bus.sockets import RequestClient
from station.errors import RequestRefused
from station.rig.rig import load_rig
from tests.keyed import start_node
from tests.station.policy.surroundings import RIG

HEAVY = ("cv2", "h5py", "onnxruntime", "mcap")


@pytest.mark.slow
def test_nothing_heavy_is_loaded_before_a_policy_is(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / "rig.yaml"
    path.write_text(RIG)
    rig = load_rig(path)
    process = start_node(rig, "station.policy.node", "policy", stderr=subprocess.DEVNULL)
    try:
        with RequestClient(rig.name, "policy") as client:
            with pytest.raises(RequestRefused, match="no policy is loaded"):
                client.ask(StartPolicy(), 60_000)
            client.ask(StopPolicy())
        loaded = {Path(region.path).name.partition(".")[0] for region in psutil.Process(process.pid).memory_maps()}
        assert not loaded & set(HEAVY)
        assert not any("opencv" in name or "hdf5" in name or "onnxruntime" in name for name in loaded)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
