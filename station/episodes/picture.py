"""Two PNGs of an episode: what the cameras saw, and what the joints did."""

import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from station.bus.messages import SOURCES
from station.episodes.reading import attribute, group, reading
from station.errors import EpisodeError
from station.terminal.shown import shown

MOMENTS = 8
_WIDTH = 240
_COLUMNS = 2
_BINS = 300
_GAP = 2

Picture = npt.NDArray[np.uint8]


def contact_sheet(episode: Path, out: Path) -> Path:
    """Cameras (rows) × moments spread over the episode (columns), the time in each corner. Raises EpisodeError."""
    with reading(episode) as file:
        cameras = [str(name) for name in attribute(file, "camera_names")]
        if not cameras:
            raise EpisodeError(f"{episode}: no camera was recorded, so there is no contact sheet")
        ticks = file["/timestamps/tick"][:]
        moments = np.unique(np.linspace(0, len(ticks) - 1, MOMENTS).round().astype(int))
        strips = []
        for camera in cameras:
            images = file[f"/observations/images/{camera}"]
            pictures = [_small(_bgr(images, row)) for row in moments]
            for picture, row in zip(pictures, moments, strict=True):
                _write(picture, f"{(ticks[row] - ticks[0]) / 1e9:.2f} s", picture.shape[0] - 8)
            _write(pictures[0], camera, 18)
            strips.append(np.hstack([_spaced(picture) for picture in pictures]))
    sheet = np.vstack(strips)
    if not cv2.imwrite(str(out), sheet):
        raise EpisodeError(f"{out} cannot be written. Next: check the folder and its permissions")
    return out


def _bgr(images: Any, row: int) -> Picture:
    if images.ndim == 4:
        return np.ascontiguousarray(images[row][:, :, ::-1])
    decoded = cv2.imdecode(images[row], cv2.IMREAD_COLOR)
    if decoded is None:
        raise EpisodeError(f"{images.name}: row {row} is no JPEG. Next: `station episodes verify`")
    return np.asarray(decoded, np.uint8)


def _small(picture: Picture) -> Picture:
    height = round(picture.shape[0] * _WIDTH / picture.shape[1])
    return np.asarray(cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def _spaced(picture: Picture) -> Picture:
    return np.asarray(cv2.copyMakeBorder(picture, 0, _GAP, 0, _GAP, cv2.BORDER_CONSTANT), np.uint8)


def _write(picture: Picture, text: str, bottom: int) -> None:
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    cv2.rectangle(picture, (2, bottom - height - 4), (10 + width, bottom + 5), (0, 0, 0), -1)
    cv2.putText(picture, text, (6, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)


def joint_plot(episode: Path, out: Path) -> Path:
    """Per joint: measured, asked, sent; below them the age of each stream's sample and who commanded."""
    from matplotlib.figure import Figure  # here, for it takes a second that every other command would wait

    with reading(episode) as file:
        seconds = (file["/timestamps/tick"][:] - file["/timestamps/tick"][0]) / 1e9
        names, units = file.attrs["dim_names"], file.attrs["units"]
        lines = [(label, file[path][:], style) for label, path, style in _LINES]
        ages = {name: dataset[:] / 1e6 for name, dataset in group(file, "/sync/age").items()}
        source = file["/control/source"][:]
        title = f"{file.attrs['task']}, episode {file.attrs['episode']}: {len(seconds)} rows"
    panels = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(14, 1.7 * panels + 2.8), layout="constrained")
    axes = figure.subplots(panels + 1, _COLUMNS, sharex=True, squeeze=False)
    for index, (name, unit) in enumerate(zip(names, units, strict=True)):
        axis = axes[index % panels, index // panels]
        for label, values, style in lines:
            axis.plot(seconds, values[:, index], label=label, **style)
        what = f"{name} ({unit})" if unit != "1" else f"{name} (0 closed, 1 open)"
        axis.set_title(shown(what), fontsize=9, loc="left", parse_math=False)
    for empty in range(len(names), panels * _COLUMNS):
        axes[empty % panels, empty // panels].axis("off")
    _ages(axes[panels, 0], seconds, ages)
    _sources(axes[panels, 1], seconds, source)
    figure.suptitle(shown(title), parse_math=False)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    for axis in axes.flat:
        if not axis.images:
            axis.grid(alpha=0.3)
        axis.tick_params(labelsize=8)
    for axis in axes[panels]:
        axis.set_xlabel("seconds")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing", UserWarning
        )  # of a name in letters that the typeface has not: boxes
        figure.savefig(out, dpi=100)
    return out


_LINES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("asked (action)", "/action", {"color": "tab:orange", "linewidth": 2.2, "alpha": 0.7}),
    ("sent (action_sent)", "/action_sent", {"color": "tab:green", "linewidth": 1.0, "linestyle": "--"}),
    ("measured (qpos)", "/observations/qpos", {"color": "tab:blue", "linewidth": 1.0}),
)


def _ages(axis: Any, seconds: Any, ages: dict[str, Any]) -> None:
    """A strip per stream, coloured by the worst age in each bin: a stall is a bright bar."""
    edges = np.unique(np.linspace(0, len(seconds), min(_BINS, len(seconds)) + 1).astype(int))[:-1]
    worst = np.array([np.maximum.reduceat(values, edges) for values in ages.values()])
    extent = (seconds[0], seconds[-1] + 1e-3, len(ages) - 0.5, -0.5)
    strip = axis.imshow(
        worst, aspect="auto", interpolation="nearest", extent=extent, vmin=0, vmax=max(100.0, worst.max())
    )
    axis.set_yticks(range(len(ages)), [shown(name) for name in ages], parse_math=False)
    axis.set_title("age of each stream's sample at the tick (ms, worst in each bin)", fontsize=9, loc="left")
    axis.figure.colorbar(strip, ax=axis, pad=0.01)


def _sources(axis: Any, seconds: Any, source: Any) -> None:
    axis.step(seconds, source, where="post", color="black", linewidth=1.0)
    axis.set_yticks(range(len(SOURCES)), SOURCES)
    axis.set_ylim(-0.5, len(SOURCES) - 0.5)
    axis.set_title("who commanded", fontsize=9, loc="left")
