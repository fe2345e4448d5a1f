"""A rig that a file of tests brings up by the station's own client, in folders of its own."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from station.client import Station, connect
from station.rig.rig import load_rig


@contextmanager
def rig_of_its_own(write: Callable[[Path], Path], variables: Mapping[str, str] | None = None) -> Iterator[Station]:
    """`write`: the rig's file, into a folder; `variables`: of the environment that its processes are started in."""
    folder = tempfile.mkdtemp(prefix="st-", dir="/tmp")
    own = {"XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": f"{folder}/config", "XDG_STATE_HOME": f"{folder}/state"}
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (own | dict(variables or {})).items():
                patch.setenv(name, value)
            with connect(load_rig(write(Path(folder)))) as station:
                yield station
    finally:
        shutil.rmtree(folder)
