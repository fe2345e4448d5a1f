"""What the quality card costs while an episode is recorded: the same journal is built with it and without, in turns.

Run: python -m tests.station.episodes.quality.cost [--seconds 60] [--rounds 3]

Four arms at 200 Hz, four cameras at 30 Hz with pictures of 640 × 480 and some 45 kB, 50 rows a second. A builder that follows a recording
does this work while it lasts; so the processor time more, over the seconds recorded, is the share of a core.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from station.episodes import build
from station.episodes.finalise import finalise
from station.episodes.quality.measure import Gauge
from station.episodes.quality.store import card
from tests.station.episodes.recording import Recording, write


def pictures(count: int) -> list[bytes]:
    """Noisy ones of a camera's size in bytes."""
    random = np.random.default_rng(1)
    made = []
    for place in range(count):
        picture = cv2.resize(random.integers(0, 255, (60, 80, 3), np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
        picture = np.roll(picture, 7 * place, axis=1)
        noisy = np.clip(picture + random.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        made.append(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return made


@contextmanager
def without_card() -> Iterator[None]:
    """As it was before there were cards."""
    kept = Gauge.sample, Gauge.row, build._card
    Gauge.sample = lambda *_: None  # type: ignore[method-assign]
    Gauge.row = lambda *_: None  # type: ignore[method-assign]
    build._card = lambda *_: ""
    try:
        yield
    finally:
        Gauge.sample, Gauge.row, build._card = kept  # type: ignore[method-assign]


def build_s(part: Path, journal: bytes) -> float:
    """Processor time of one build, s."""
    part.write_bytes(journal)
    began = time.process_time()
    episode = finalise(part)
    took = time.process_time() - began
    episode.unlink()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        part = Path(name) / "episode_0.mcap.part"
        shown = pictures(64)
        write(part, Recording(given.seconds * 50, shown))
        journal = part.read_bytes()
        measured = card(finalise(part))
        (Path(name) / "episode_0.hdf5").unlink()
        looked = sum(each.sampled for each in measured.pictures.values())
        print(
            f"{given.seconds} s, pictures of {np.mean([len(each) for each in shown]) / 1e3:.0f} kB, {looked} of them looked at"
        )
        more = []
        for _ in range(given.rounds):
            with without_card():
                bare = build_s(part, journal)
            whole = build_s(part, journal)
            more.append((whole - bare) / given.seconds)
            print(f"without {bare:.2f} s, with {whole:.2f} s of processor: {more[-1]:.2%} of a core")
        print(f"median: {statistics.median(more):.2%} of a core while recording")


if __name__ == "__main__":
    main()
