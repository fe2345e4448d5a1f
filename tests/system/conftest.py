import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.rig import STEPPING, Booted, booted, light_rig


@pytest.fixture(scope="module")
def rig() -> Iterator[Booted]:
    """One rig for all the faults of a module, on a wall clock that jumps all the while."""
    runtime = tempfile.mkdtemp(prefix="st-", dir="/tmp")
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME")}
    os.environ |= {"XDG_RUNTIME_DIR": runtime, "XDG_STATE_HOME": f"{runtime}/state"}
    try:
        with booted(light_rig(folder), folder / "data", {"PYTHONPATH": str(STEPPING)}) as running:
            yield running
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(runtime)
        shutil.rmtree(folder)
