"""The consumers' own environments, which `make test-datasets` builds: each in a folder of its own, none with the station in it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def environment(name: str) -> Path:
    """The folder of one of them."""
    return ROOT / f".venv-{name}"


def read_by(environment: str, script: str, datasets: Sequence[Path], scratch: Path) -> list[dict[str, Any]]:
    """What the consumer's loader gives of each, as the script wrote it down. It finds no network and no cache but its own."""
    python = ROOT / f".venv-{environment}" / "bin" / "python"
    variables = os.environ | {
        "HF_HOME": str(scratch / "hf"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": "",
        "PYTHONWARNINGS": "ignore",
    }
    out = scratch / environment
    out.mkdir()
    done = subprocess.run(
        [python, HERE / script, out, *datasets], cwd=scratch, env=variables, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    given = []
    for place in range(len(datasets)):
        with np.load(out / f"{place}.npz") as loaded:
            given.append(dict(loaded))
    return given
