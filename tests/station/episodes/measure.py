"""What the journal and the HDF5 of a 60 s episode with four cameras cost.

Run: python -m tests.station.episodes.measure [FOLDER]
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from station.episodes.finalise import finalise
from station.episodes.journal import JournalWriter
from tests.station.episodes.recording import Recording, header

SECONDS = 60


def main(folder: Path) -> None:
    random = np.random.default_rng(1)
    pictures = [b"\xff\xd8\xff" + random.bytes(int(size)) for size in random.integers(44_000, 54_000, 64)]
    batches = list(Recording(SECONDS * 50, pictures).batches())
    messages = sum(map(len, batches))
    part = folder / "episode_0.mcap.part"
    writer = JournalWriter(part, header())
    started, cpu = time.monotonic(), time.process_time()
    for batch in batches:
        for sample in batch:
            writer.append(sample)
        writer.flush()
    wall, cpu = time.monotonic() - started, time.process_time() - cpu
    writer.close(SECONDS * 50)
    print(f"journal: {messages} messages, {part.stat().st_size >> 20} MiB in {wall:.2f} s")
    print(f"journal: {cpu / messages * 1e6:.1f} µs a message, {cpu / SECONDS:.1%} of a core")
    del batches
    os.sync()
    started, cpu = time.monotonic(), time.process_time()
    episode = finalise(part)
    wall, cpu = time.monotonic() - started, time.process_time() - cpu
    print(f"finalise: {wall:.2f} s ({cpu:.2f} s of CPU) for {episode.stat().st_size >> 20} MiB")
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB, made-up messages and all")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        main(Path(name))
