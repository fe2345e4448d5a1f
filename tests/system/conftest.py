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
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = runtime
    try:
        with booted(light_rig(folder), folder / "data", {"PYTHONPATH": str(STEPPING)}) as running:
            yield running
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
        shutil.rmtree(runtime)
        shutil.rmtree(folder)
