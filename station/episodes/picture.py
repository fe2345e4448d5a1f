"""Two PNGs of an episode: what the cameras saw, and what the joints did.

Whatever is in the file, a picture is of a bounded size and made of a bounded number of points and words.
"""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from station.borders.jpeg import MOST_PIXELS, pixels_of
from station.borders.regular_file import reason
from station.bus.messages import SOURCES
from station.episodes import datasets
from station.episodes.marks import Mark, marks_in
from station.episodes.reading import attribute, reading, wrong
from station.errors import EpisodeError
from station.terminal.shown import shown

MOMENTS = 8
_WIDTH = 240
_COLUMNS = 2
_BINS = 300
_GAP = 2
_STRIPS = 24
"""Cameras in a contact sheet, numbers in a joint plot, streams in its strip of ages; of what is more, the first."""
_POINTS = 5000
"""A line's pieces, each with its lowest and its highest value: seven for every pixel that a panel is wide."""
_LETTERS = 120
_MARKS = 200
_LONGEST = 4
"""A small picture is at most so many times as high as it is wide."""

Picture = npt.NDArray[np.uint8]


def contact_sheet(episode: Path, out: Path) -> Path:
    """Cameras (rows) × moments spread over the episode (columns), the time in each corner, as a PNG. Raises EpisodeError."""
    if not cv2.imwrite(str(out), sheet(episode)):
        raise EpisodeError(f"{out} cannot be written. Next: check the folder and its permissions")
    return out


def sheet(episode: Path) -> Picture:
    """The contact sheet's pixels. Raises EpisodeError."""
    with reading(episode) as file:
        cameras = datasets.cameras(file)[:_STRIPS]
        if not cameras:
            raise EpisodeError(f"{episode}: no camera was recorded, so there is no contact sheet")
        ticks = datasets.ticks_ns(file)
        if not ticks.size:
            raise wrong(file, "no rows")
        moments = np.unique(np.linspace(0, len(ticks) - 1, MOMENTS).round().astype(int))
        strips = []
        for camera in cameras:
            images = datasets.dataset(file, f"/observations/images/{camera}")
            pictures = [_small(_bgr(file, images, row)) for row in moments]
            for picture, row in zip(pictures, moments, strict=True):
                _write(picture, f"{(ticks[row] - ticks[0]) / 1e9:.2f} s", picture.shape[0] - 8)
            _write(pictures[0], _short(camera), 18)
            strips.append(_strip(pictures))
    widest = max(strip.shape[1] for strip in strips)
    return np.vstack([np.pad(strip, ((0, 0), (0, widest - strip.shape[1]), (0, 0))) for strip in strips])


def moment(episode: Path, camera: str, row: int) -> Picture:
    """What a camera showed in a row, small. Raises EpisodeError."""
    with reading(episode) as file:
        if camera not in datasets.cameras(file):
            raise wrong(file, f"no camera {camera[:60]!r}")
        images = datasets.dataset(file, f"/observations/images/{camera}")
        return _small(_bgr(file, images, min(max(row, 0), len(images) - 1)))


def jpeg(picture: Picture) -> bytes:
    """A picture for a page."""
    return bytes(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 85))[1])


def _bgr(file: Any, images: Any, row: int) -> Picture:
    if images.ndim == 4:
        if images.shape[1] * images.shape[2] > MOST_PIXELS:
            raise wrong(file, f"{images.name}: {images.shape[2]} × {images.shape[1]} pixels are no camera's")
        return np.ascontiguousarray(images[row][:, :, ::-1])
    data = images[row]
    try:
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if 0 < pixels_of(data) <= MOST_PIXELS else None
    except cv2.error:
        decoded = None
    if decoded is None:
        raise wrong(file, f"{images.name}: row {row} is no JPEG of a camera")
    return np.asarray(decoded, np.uint8)


def _small(picture: Picture) -> Picture:
    height = min(max(1, round(picture.shape[0] * _WIDTH / picture.shape[1])), _LONGEST * _WIDTH)
    return np.asarray(cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def _strip(pictures: Sequence[Picture]) -> Picture:
    """Side by side, as high as the highest: one camera's JPEGs need not be of one size."""
    highest = max(picture.shape[0] for picture in pictures)
    return np.hstack([_spaced(picture, highest) for picture in pictures])


def _spaced(picture: Picture, height: int) -> Picture:
    below = height - picture.shape[0] + _GAP
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, _GAP, cv2.BORDER_CONSTANT), np.uint8)


def _write(picture: Picture, text: str, bottom: int) -> None:
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    cv2.rectangle(picture, (2, bottom - height - 4), (10 + width, bottom + 5), (0, 0, 0), -1)
    cv2.putText(picture, text, (6, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)


def joint_plot(episode: Path, out: Path) -> Path:
    """Per joint: measured, asked, sent; below them the age of each stream's sample and who commanded; a PNG. Raises EpisodeError."""
    drawn = joint_png(episode)
    try:
        out.write_bytes(drawn)
    except OSError as error:
        raise EpisodeError(
            f"{out} cannot be written: {reason(error)}. Next: check the folder and its permissions"
        ) from error
    return out


def joint_png(episode: Path) -> bytes:
    """The joint plot. Raises EpisodeError."""
    from matplotlib.figure import Figure  # here, for it takes a second that every other command would wait

    with reading(episode) as file:
        ticks = datasets.ticks_ns(file)
        if not ticks.size:
            raise wrong(file, "no rows")
        seconds = (ticks - ticks[0]) / 1e9
        names, units = datasets.dimensions(file)
        lines = [(label, datasets.table(file, path), style) for label, path, style in _LINES]
        streams = datasets.streams(file)[:_STRIPS]
        ages = {name: datasets.table(file, f"/sync/age/{name}") / 1e6 for name in streams}
        source, _ = datasets.sources(file)
        marks = marks_in(file)[:_MARKS]
        title = f"{_short(attribute(file, 'task'))}, episode {attribute(file, 'episode')}: {len(seconds)} rows"
    panels = -(-min(len(names), _STRIPS) // _COLUMNS)
    figure = Figure(figsize=(14, 1.7 * panels + 2.8), layout="constrained")
    axes = figure.subplots(panels + 1, _COLUMNS, sharex=True, squeeze=False)
    for index, (name, unit) in enumerate(zip(names[:_STRIPS], units[:_STRIPS], strict=True)):
        axis = axes[index % panels, index // panels]
        for label, values, style in lines:
            axis.plot(*_points(seconds, values[:, index]), label=label, **style)
        what = f"{_short(name)} ({_short(unit)})" if unit != "1" else f"{_short(name)} (0 closed, 1 open)"
        axis.set_title(what, fontsize=9, loc="left", parse_math=False)
    _marks(axes, marks)
    for empty in range(min(len(names), _STRIPS), panels * _COLUMNS):
        axes[empty % panels, empty // panels].axis("off")
    _ages(axes[panels, 0], seconds, ages)
    _sources(axes[panels, 1], *_points(seconds, source))
    left_out = f" (the first {_STRIPS} of {len(names)} numbers)" if len(names) > _STRIPS else ""
    figure.suptitle(title + left_out, parse_math=False)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    for axis in axes.flat:
        if not axis.images:
            axis.grid(alpha=0.3)
        axis.tick_params(labelsize=8)
    for axis in axes[panels]:
        axis.set_xlabel("seconds")
    return png(figure)


def _marks(axes: Any, marks: Sequence[Mark]) -> None:
    """A line through every panel, and the name in the first."""
    for mark in marks:
        for axis in axes.flat:
            axis.axvline(mark.seconds, color="tab:purple", lw=0.8, ls=":")
        axes[0, 0].annotate(
            _short(mark.name), (mark.seconds, 1), xycoords=("data", "axes fraction"), fontsize=7, rotation=90, va="top",
            ha="right", color="tab:purple", parse_math=False,
        )  # fmt: skip


def png(figure: Any) -> bytes:
    """A matplotlib figure as a PNG."""
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing", UserWarning
        )  # of a name in letters that the typeface has not: boxes
        figure.savefig(drawn, dpi=100)
    return drawn.getvalue()


def _short(words: str) -> str:
    """As it can be drawn: a title of a million letters would be drawn for hours."""
    text = shown(words[: _LETTERS + 1])
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"


def _points(seconds: Any, values: Any) -> tuple[Any, Any]:
    """A line that looks the same with a bounded number of points: of many rows, the lowest and the highest of each piece."""
    if len(values) <= 2 * _POINTS:
        return seconds, values
    edges = np.linspace(0, len(values), _POINTS + 1).astype(int)[:-1]
    lowest, highest = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)  # NaN only where all are
    return np.repeat(seconds[edges], 2), np.stack([lowest, highest], axis=1).ravel()


_LINES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("asked (action)", "/action", {"color": "tab:orange", "linewidth": 2.2, "alpha": 0.7}),
    ("sent (action_sent)", "/action_sent", {"color": "tab:green", "linewidth": 1.0, "linestyle": "--"}),
    ("measured (qpos)", "/observations/qpos", {"color": "tab:blue", "linewidth": 1.0}),
)


def _ages(axis: Any, seconds: Any, ages: dict[str, Any]) -> None:
    """A strip per stream, coloured by the worst age in each bin: a stall is a bright bar."""
    if not ages:
        axis.axis("off")
        return
    edges = np.unique(np.linspace(0, len(seconds), min(_BINS, len(seconds)) + 1).astype(int))[:-1]
    worst = np.array([np.maximum.reduceat(values, edges) for values in ages.values()])
    extent = (seconds[0], seconds[-1] + 1e-3, len(ages) - 0.5, -0.5)
    strip = axis.imshow(
        worst, aspect="auto", interpolation="nearest", extent=extent, vmin=0, vmax=max(100.0, worst.max())
    )
    axis.set_yticks(range(len(ages)), [_short(name) for name in ages], parse_math=False)
    axis.set_title("age of each stream's sample at the tick (ms, worst in each bin)", fontsize=9, loc="left")
    axis.figure.colorbar(strip, ax=axis, pad=0.01)


def _sources(axis: Any, seconds: Any, source: Any) -> None:
    axis.step(seconds, source, where="post", color="black", linewidth=1.0)
    axis.set_yticks(range(len(SOURCES)), SOURCES)
    axis.set_ylim(-0.5, len(SOURCES) - 0.5)
    axis.set_title("who commanded", fontsize=9, loc="left")
