"""A rig's report for whoever helps, as `station report` makes it, for a page's download: the same command in a process of its own."""

import asyncio
import tempfile
from pathlib import Path

from station.errors import StationError
from station.rig.rig import Rig
from station.runtime.launch import python

WITHIN_S = 120.0
"""It asks the kernel, the USB tree and every node; a minute on a computer that records meanwhile."""


async def report(rig: Rig) -> bytes:
    """The zip. Raises StationError with the command's last word."""
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        out = Path(folder) / "report.zip"
        words = python("station.cli", "report", out, "--rig", rig.file, "--yes")
        making = await asyncio.create_subprocess_exec(
            "nice", "-n", "19", *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )  # fmt: skip
        try:
            said, _ = await asyncio.wait_for(making.communicate(), WITHIN_S)
        except TimeoutError:
            making.kill()
            await making.wait()
            raise StationError(
                f"the report was not made within {WITHIN_S:g} s. Next: `station report OUT.zip` at the rig"
            ) from None
        if making.returncode or not out.is_file():
            last = said.decode(errors="replace").strip().splitlines()[-1:]
            raise StationError(f"no report: {''.join(last) or 'it ended without a word'}")
        return out.read_bytes()
