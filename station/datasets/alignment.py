"""Do the pictures of an episode stand a frame late, or early? Where neighbours hardly differ, no single encoded picture can tell. Pure.

At a change c, frame c shows S_c and frame c − 1 shows S_(c−1). For a picture F that stands where S belongs, and the neighbour S′,
|F − S′|² − |F − S|² is |S − S′|² if F is S, and its negative if F is S′; what an encoder adds is not along S − S′, and goes out of the sum
over many changes. What it leaves out does not: of the smallest changes it waits for the next key frame, so that the sum may come near 0 of
pictures that are right (−0.04 of the sum of |S − S′|² was the least found, where a scene moves by 0.02 pixels a frame), not to `SHIFTED`.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from station.datasets.picture_distance import mean_square
from station.datasets.picture_rows import RGB, PictureRows

SHIFTED = -0.25
"""Of the sum of |S − S′|²."""
_CHANGES = 12
_LEAST = 0.05
"""Mean square, of grey levels, between neighbours: of less the sum is of roundings."""


def changes(pictures: PictureRows, rows: NDArray[np.int64]) -> list[int]:
    """Frames, spread over the episode, whose picture is another than that of the frame before."""
    found = set()
    for place in np.linspace(1, len(rows) - 1, _CHANGES).round().astype(int).tolist() if len(rows) > 1 else ():
        frame = int(place)
        while frame and pictures.stored(int(rows[frame])) == pictures.stored(int(rows[frame - 1])):
            frame -= 1
        found.add(frame)
    return sorted(found - {0})


def shifts(
    pictures: PictureRows,
    rows: NDArray[np.int64],
    read: Callable[[Sequence[int]], Sequence[RGB | bytes]],
) -> Iterator[str]:
    """What is wrong with the frames that `read` gives of an episode of N rows (N,), a sentence each. Raises EpisodeError."""
    looked = changes(pictures, rows)
    frames = sorted({frame for change in looked for frame in (change - 1, change)})
    shown = dict(zip(frames, read(frames), strict=True))
    late = early = apart = 0.0
    for change in looked:
        first, second = (_decoded(shown[frame]) for frame in (change - 1, change))
        height, width = first.shape[:2]
        before, after = (pictures.sized(int(rows[frame]), width, height) for frame in (change - 1, change))
        apart += mean_square(before, after)
        late += mean_square(second, before) - mean_square(second, after)
        early += mean_square(first, after) - mean_square(first, before)
    if apart < _LEAST * len(looked):
        return
    for sum_, words in ((late, "before"), (early, "behind")):
        if sum_ < SHIFTED * apart:
            yield f"over {len(looked)} changes they are nearer to the pictures {words} than to their own"


def _decoded(picture: RGB | bytes) -> RGB:
    assert not isinstance(picture, bytes)  # encoded anew: whoever keeps JPEGs is compared byte for byte
    return picture
