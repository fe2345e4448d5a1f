"""What people say about an episode: a small JSON file beside it that wins over the file's own attribute."""

from pathlib import Path

import msgspec

from station import durable
from station.episodes.naming import labels_path, number_of
from station.errors import EpisodeError


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The labels file."""

    success: bool | None = None
    note: str = ""


def read_labels(episode: Path) -> Labels | None:
    """The labels of an episode; None if nobody said anything. Raises EpisodeError if the file is no labels file."""
    path = labels_path(episode.parent, number_of(episode))
    try:
        return msgspec.json.decode(path.read_bytes(), type=Labels)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise EpisodeError(f"{path}: not a labels file: {error}. Next: correct it, or remove it") from error


def write_labels(episode: Path, labels: Labels) -> None:
    """Say it: first the labels file, atomically, then the attribute `success` in place.

    Raises EpisodeError if there is no such episode, or if the attribute could not follow (the labels file has it then).
    """
    if not episode.is_file():
        raise EpisodeError(f"{episode}: no such episode. Next: `station episodes ls` shows what there is")
    path = labels_path(episode.parent, number_of(episode))
    durable.replace(path, msgspec.json.encode(labels) + b"\n")
    try:
        import h5py  # both here: a session that was killed is back the sooner
        import numpy as np

        with h5py.File(episode, "r+") as file:
            file.attrs.modify("success", np.int8(-1 if labels.success is None else labels.success))
    except OSError as error:
        raise EpisodeError(
            f"{path} has the label, but {episode.name} is in use and its attribute `success` is as before ({error}). "
            "Next: say it again when its reader is done"
        ) from error


def set_success(episode: Path, success: bool | None) -> None:
    """Say only how it went; the note stays. Raises like `write_labels`."""
    write_labels(episode, msgspec.structs.replace(read_labels(episode) or Labels(), success=success))


def add_note(episode: Path, text: str) -> None:
    """Add a line to the note, also while the episode is still being recorded. Raises EpisodeError on a broken labels file."""
    labels = read_labels(episode) or Labels()
    note = f"{labels.note}\n{text}".strip()
    path = labels_path(episode.parent, number_of(episode))
    durable.replace(path, msgspec.json.encode(msgspec.structs.replace(labels, note=note)) + b"\n")
