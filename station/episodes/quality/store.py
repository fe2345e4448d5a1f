"""Where an episode's quality card is: in its file, measured when that was built; or beside it, measured when somebody first asked.

A card beside a file is a copy of nothing that cannot be made again: it may be deleted at any time, and is made anew where it is of another
recording or of another version of the measuring. One in the file holds what only the building saw, and stays whatever the version.
"""

from contextlib import suppress
from pathlib import Path

import h5py
import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.borders.regular_file import read_regular
from station.episodes import naming
from station.episodes.labels import recording_in
from station.episodes.quality.card import VERSION, Card
from station.episodes.reading import attribute, reading
from station.files import durable

_LARGEST = 4 << 20
_decoder: Decoder[Card] = Decoder("json", Card)


def card_in(file: h5py.File) -> Card | None:
    """The card that is in an episode's file; None where it has none that can be read."""
    text = str(attribute(file, "quality")) if "quality" in file.attrs else ""
    try:
        return _decoder.decode(text.encode()) if text else None
    except Undecodable:
        return None


def kept_card(episode: Path) -> Card | None:
    """The card in the file or beside it; None where there is none, or only one that would be made anew. Raises EpisodeError."""
    with reading(episode) as file:
        return kept_card_in(episode, file)


def kept_card_in(episode: Path, file: h5py.File) -> Card | None:
    """The same of a file that is open. Raises EpisodeError."""
    return card_in(file) or _beside(episode, file)


def card(episode: Path) -> Card:
    """The card of an episode; measured, and kept beside it, where there is none. Raises EpisodeError.

    Measuring takes about 1 ms for each picture that is looked at, and reads every picture of the file.
    """
    with reading(episode) as file:
        if (found := kept_card_in(episode, file)) is not None:
            return found
        from station.episodes.quality.measure import card_of  # here: who only reads cards needs no OpenCV

        measured = card_of(file)
    with suppress(OSError):  # a folder that may only be read: it is measured again next time
        durable.replace(naming.quality_path(episode), msgspec.json.encode(measured) + b"\n")
    return measured


def _beside(episode: Path, file: h5py.File) -> Card | None:
    try:
        found = _decoder.decode(read_regular(naming.quality_path(episode), _LARGEST))
    except (OSError, Undecodable):
        return None
    return found if (found.version, found.recording) == (VERSION, recording_in(file)) else None
