"""RLDS as TensorFlow Datasets lays it out, written without TensorFlow: <name>/1.0.0/ with train and val, an episode in each record.

steps/{observation/{<camera>, state, velocity, effort}, action, language_instruction, reward, discount, is_first, is_last, is_terminal}
and ours; episode_metadata/{file_path, recording_folderpath}. The path says whether the episode succeeded: `success`, `failure` or
`unset`, for openpi's loader keeps those whose path has `success` in it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.datasets.conversion import Space, Video
from station.datasets.depth import png
from station.datasets.formats import tf_records
from station.datasets.formats.contract import EachFrame, Frame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.formats.rlds_description import INNER, SPLITS, dataset_info, features, shard_file
from station.datasets.formats.zarr_numbers import within
from station.datasets.pixels import Pixels
from station.datasets.plan import Plan, PlannedEpisode
from station.files import durable


class Rlds:
    """The format."""

    name = "rlds"
    consumers = "octo, OpenVLA, openpi (DROID), anything that reads TensorFlow Datasets"
    videos: Sequence[Video] = ("as-shot", "jpeg")
    spaces: Sequence[Space] = ("joint", "ee", "ee-6d")
    depth = True
    by_episode = False

    def refuse(self, plan: Plan) -> None:
        """It holds whatever a plan can ask for."""

    def parts(self, plan: Plan) -> Sequence[Part]:
        """A shard is one part: numbers and pictures of an episode are one record."""
        return [Part("all", shard.index) for shard in plan.shards]

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """The shard's records: one file of those for training, one of those held back."""
        spooled = {camera: _spooled(plan, part, camera, each, place.pieces) for camera, each in frames.items()}
        folder = place.out / INNER
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        rows = dict(zip([one.index for one in plan.of(part.shard)], within(plan, part), strict=True))
        for split, held in SPLITS.items():
            mine = [one for one in plan.of(part.shard) if one.validation == held]
            if not mine:
                continue
            written.append(folder / shard_file(plan, split, part.shard))
            with written[-1].open("wb") as file:
                for episode in mine:
                    pictures = {camera: files[episode.index] for camera, files in spooled.items()}
                    tf_records.write_record(file, _record(plan, episode, numbers, rows[episode.index], pictures))
        for files in spooled.values():
            for one in files.values():
                one.path.unlink()
        return written

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:  # noqa: ARG002 (consumers compute their own statistics)
        """What TensorFlow Datasets wants to know before it opens a record."""
        folder = place.out / INNER
        durable.replace(folder / "features.json", features(plan))
        sizes = {Path(name).name: size for one in made for name, size in one.files.items()}
        durable.replace(folder / "dataset_info.json", dataset_info(plan, sizes))

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        from station.datasets.formats.rlds_reading import RldsReader

        return RldsReader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:  # noqa: ARG002 (the same whatever is in it)
        """Of paths, statistics, what a consumer has to be told."""
        return (
            f"`tfds.builder_from_directory('…/{INNER}')`. octo and OpenVLA want a configuration and a standardize function of this set: "
            "`observation.state`, `action`, the cameras by their names, `language_instruction`.",
            "`episode_metadata/file_path` has `success`, `failure` or `unset` in it; openpi's DROID loader keeps `.*success.*`.",
            "They compute their statistics when they first load it, and keep them in this folder.",
        )

    def training(self, plan: Plan, out: Path) -> str:  # noqa: ARG002 (the same whatever is in it)
        """OpenVLA's, and octo's."""
        return (
            f"torchrun vla-scripts/finetune.py --data_root_dir . --dataset_name {out.name}     # OpenVLA\n"
            f"python scripts/finetune.py --config.dataset_kwargs.name={out.name} --config.dataset_kwargs.data_dir=.     # octo"
        )


class _Open(NamedTuple):
    """The file that an episode's pictures go to meanwhile."""

    spooled: tf_records.Spooled
    file: Any


def _spooled(plan: Plan, part: Part, camera: str, each: EachFrame, pieces: Path) -> dict[int, tf_records.Spooled]:
    """Each episode's pictures of a camera, in a file as protobuf has them: one of long episodes does not fit into memory."""
    found: dict[int, tf_records.Spooled] = {}
    open_now: list[_Open] = []
    encoded = png if camera in plan.depths else _jpegs(plan, camera)

    def take(frame: Frame) -> None:
        if frame.episode.index not in found:
            for one in open_now:
                one.file.close()
            path = pieces / f"{part.name}-{camera}-{frame.episode.index:06d}"
            found[frame.episode.index] = tf_records.Spooled(path)
            open_now[:] = [_Open(found[frame.episode.index], path.open("wb"))]
        tf_records.spool(open_now[0].file, encoded(frame))

    try:
        each(take)
    finally:
        for one in open_now:
            one.file.close()
    return found


def _jpegs(plan: Plan, camera: str) -> Callable[[Frame], bytes]:
    pixels = Pixels(plan.size_of(camera))

    def encoded(frame: Frame) -> bytes:
        if plan.conversion.video != "as-shot":
            return pixels.jpeg(frame)
        frame.pictures.check(frame.row, frame.stored)
        return frame.stored

    return encoded


def _record(
    plan: Plan, episode: PlannedEpisode, numbers: Numbers, rows: slice, pictures: Mapping[str, tf_records.Spooled]
) -> dict[str, tf_records.Feature]:
    count = episode.length
    place = np.arange(count)
    last = place == count - 1
    said = {True: "success", False: "failure", None: "unset"}[episode.success]
    source = plan.sources[episode.source].source.name
    flags: dict[str, NDArray[Any]] = {"is_first": place == 0, "is_last": last, "is_terminal": last}
    found: dict[str, tf_records.Feature] = {
        "steps/action": numbers["action"][rows],
        "steps/reward": (last & (episode.success is True)).astype(np.float32),
        "steps/discount": np.ones(count, np.float32),
        "steps/language_instruction": [episode.instruction.encode()] * count,
        "episode_metadata/file_path": [f"{said}/{source}#{episode.first}-{episode.end}".encode()],
        "episode_metadata/recording_folderpath": [str(Path(source).parent).encode()],
    }
    found |= {f"steps/observation/{name}": numbers[name][rows] for name in ("state", "velocity", "effort")}
    found |= {f"steps/{name}": numbers[name][rows] for name in ("row", "tick_ns", "stalled", "intervention")}
    found |= {f"steps/{name}": values for name, values in flags.items()}
    found |= {f"steps/observation/{camera}": spooled for camera, spooled in pictures.items()}
    return found
