"""Two simulated rigs of one make at once, in one runtime folder: each world's controller has an address of its own, and a stop in one is
nothing to the other.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from drivers.sim.world.requests import PressPendant
from station.bus.requests import Stop
from station.rig.rig import find_rig
from tests.system.rig import Booted, booted

pytestmark = [pytest.mark.system, pytest.mark.rig, pytest.mark.timeout(240)]
ARM = "follower_right"


@pytest.fixture
def rigs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Booted]]:
    runtime, folder = tempfile.mkdtemp(prefix="st-", dir="/tmp"), Path(tempfile.mkdtemp(prefix="two-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setenv("XDG_STATE_HOME", f"{runtime}/state")
    described = yaml.safe_load(find_rig("sim_gello_ur5e").read_text())
    described |= {"cameras": {}, "safety": {"stale_ms": 250, "resume_ms": 450}}
    try:
        with ExitStack() as stack:
            running = []
            for name in ("one", "other"):
                path = folder / name / "rig.yaml"
                path.parent.mkdir()
                path.write_text(yaml.safe_dump(described | {"name": name, "data": str(path.parent / "data")}))
                running.append(stack.enter_context(booted(path, path.parent / "data")))
            yield running
    finally:
        shutil.rmtree(runtime)
        shutil.rmtree(folder)


def test_a_stop_of_one_is_nothing_to_the_other(rigs: list[Booted]) -> None:
    one, other = rigs
    addresses = {rig.rig.device(ARM).settings.address for rig in rigs}
    assert len(addresses) == 2 and all(address.startswith("127.") for address in addresses)
    for rig in rigs:
        rig.open_session()
    stopped, went_on = one.record(), other.record()
    one.ask("world", PressPendant(ARM, "protective_stop"))
    assert "protective stop" in one.ended(stopped).why
    rows = (state.recorded_ticks if (state := other.session()) is not None else 0) + 50
    other.until("more rows", lambda: (s := other.session()) is not None and s.recorded_ticks > rows)
    other.ask("session", Stop())
    assert not other.saved(went_on).ended
    assert one.saved(stopped).rows > 20
    for rig in rigs:
        rig.close_session()
