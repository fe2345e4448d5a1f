"""What was read of episodes, kept so that ten thousand of them need not be opened to be listed. Never the truth: the files are.

One SQLite file per user, `$XDG_CACHE_HOME/station/episodes-<version>.sqlite`, which may be deleted at any time. Whoever lists a folder
looks at its directory first: what changed there since it was read (size, time of change, inode of the file, of its labels, of a card beside
it) is read anew and kept. What could not be read is never kept. Where the index cannot be used, everything is read.
"""

import gc
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from station.episodes import naming
from station.episodes.catalogue import Episode, belongs, read_episode
from station.episodes.form import Form
from station.episodes.quality.card import LEVELS, Card
from station.episodes.quality.facts import FACTS, facts_of
from station.errors import EpisodeError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERSION = 3
"""Raised whenever what is kept of an episode changes."""
_PATIENCE_S = 2.0
_TOGETHER = 200
"""Read episodes that are kept at once: what was read is not read again if the command is broken off."""
_TICK_NS = 20_000_000
"""File times advance in steps of the kernel's tick, 10 ms at most: what changed just now may change again without another time."""
_TABLES = """
CREATE TABLE IF NOT EXISTS episode (folder TEXT, name TEXT, stamp TEXT, form INTEGER, body BLOB, facts BLOB, outline BLOB,
PRIMARY KEY (folder, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS form (id INTEGER PRIMARY KEY, body BLOB UNIQUE);
"""


class _Seen(NamedTuple):
    """An episode's file in its folder, before anything of it is read."""

    name: str
    stamp: str
    """Everything that `read_episode` looks at changes it."""
    changed_ns: int
    """The newest time of change among them, as the kernel has it."""


_NOWHERE = Path()


def _no_path(_kind: type, _value: object) -> Path:
    """Paths are not kept: where an episode is, whoever found it knows."""
    return _NOWHERE


@contextmanager
def _uncollected() -> Iterator[None]:
    """While thousands of objects are made that stay and hold no cycles: the collector would look through all of them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


_encode = msgspec.msgpack.Encoder(enc_hook=str).encode
_episode = msgspec.msgpack.Decoder(Episode, dec_hook=_no_path)
_form = msgspec.msgpack.Decoder(Form)
_facts = msgspec.msgpack.Decoder(tuple[tuple[float | None, ...], tuple[tuple[str, str], ...], int])


def indexed(data: Path, task: str = "") -> list[Episode]:
    """Episodes below `data`, by folder and number. Raises UsageError if there is no such folder."""
    if not data.is_dir():
        raise UsageError(f"{data}: no such folder. Next: name the folder that --data or the rig file's `data` names")
    with closing(_Index()) as index, _uncollected():
        found = [episode for folder, seen in _folders(data) for episode in index.episodes(folder, seen)]
    return [episode for episode in found if belongs(episode, task)] if task else found


def indexed_soon(folder: Path, most_read: int) -> list[Episode]:
    """Episodes of one folder by number: those that the index knows, and of the others only the newest, so many at most.

    For whoever may not be away for long; each call makes more of a folder known.
    """
    seen = sorted(_seen(folder), key=lambda each: each.changed_ns, reverse=True)
    with closing(_Index()) as index:
        return index.episodes(folder, seen, most_read)


class Measured(NamedTuple):
    """What of an episode's quality card is compared between thousands."""

    facts: dict[str, float | None]
    """By the names in `station.episodes.quality.facts`."""
    findings: tuple[tuple[str, str], ...]
    """Name and what it is on."""
    state: "NDArray[np.float32]"
    action: "NDArray[np.float32]"
    """(D, LEVELS) quantiles, as in the card's outline."""
    poses: "NDArray[np.float32]"
    """(up to THUMB_ROWS, D)"""


def measured(
    episodes: Sequence[Episode], card_of: Callable[[Path], Card | None] | None = None
) -> Iterator[tuple[Episode, Measured | None]]:
    """Each with what was measured of it, None where nothing was yet. `card_of` gives the card of an episode that the index has none of:
    the one in its file or beside it, unless told otherwise. Raises nothing for what is in a file.
    """
    from station.episodes.quality.store import (
        kept_card,  # here, like NumPy below: who lists episodes needs neither, nor h5py
    )

    with closing(_Index()) as index:
        for folder, here in groupby(episodes, key=lambda episode: str(episode.path).rpartition(os.sep)[0]):
            with _uncollected():
                known = index.measured(Path(folder))
            for episode in here:
                found = known.get(episode.path.name)
                if found is None and not episode.problem:
                    with suppress(EpisodeError):
                        card = (card_of or kept_card)(episode.path)
                        found = _measured(card) if card is not None else None
                    if found is not None:
                        index.keep_measured(episode.path, found)
                yield episode, found


def _measured(card: Card) -> Measured:
    import numpy as np

    outline = card.outline
    state, action, poses = (np.array(table, np.float32) for table in (outline.state, outline.action, outline.poses))
    return Measured(facts_of(card), tuple((each.name, each.on) for each in card.findings), state, action, poses)


def _folders(data: Path) -> Iterator[tuple[Path, list[_Seen]]]:
    for folder, inner, _ in os.walk(data):
        inner.sort()
        if seen := _seen(Path(folder)):
            yield Path(folder), seen


def _seen(folder: Path) -> list[_Seen]:
    with suppress(OSError), os.scandir(folder) as entries:
        there = {entry.name: entry for entry in entries}
        own = naming.is_recorded_into(folder)
        names = [name for name in there if name.startswith("episode_") and name.endswith(".hdf5")]
        return [_look(name, there, own) for name in names]
    return []


def _look(name: str, there: dict[str, "os.DirEntry[str]"], own: bool) -> _Seen:
    stem = name.removesuffix(".hdf5")
    parts, changed_ns = [str(own)], 0
    for beside in (name, f"{stem}.labels.json", f"{stem}.quality.json"):
        if (entry := there.get(beside)) is None:
            parts.append("-")
            continue
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:
            return _Seen(name, "", 0)  # it went away: read it, and be told
        changed_ns = max(changed_ns, about.st_mtime_ns)
        parts.append(f"{about.st_size}.{about.st_mtime_ns}.{about.st_ino}.{about.st_nlink > 1}")
    return _Seen(name, " ".join(parts), changed_ns)


def _order(episode: Episode) -> tuple[bool, int, str]:
    return episode.number is None, episode.number or 0, episode.path.name


class _Index:
    """The open file; without one, nothing is known and nothing kept."""

    def __init__(self) -> None:
        self._database = _opened()
        self._opened_ns = _file_time_ns() if self._database is not None else 0
        self._forms: dict[int, Form] = {}

    def close(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.commit()
            self._database.close()

    def episodes(self, folder: Path, seen: Sequence[_Seen], most_read: float = inf) -> list[Episode]:
        """What is in a folder, by number; what is not known of it is read, the first `most_read` of `seen`, and kept."""
        place = str(folder.absolute())
        known = self._known(place, folder)
        found, new, read = [], [], 0
        for name, stamp, changed_ns in seen:
            stamped, episode = known.get(name, ("", None))
            if episode is None or not stamp or stamped != stamp:
                if read >= most_read:
                    continue
                episode, read = read_episode(folder / name), read + 1
                # what stays in `known` is forgotten, with what was measured of it: it has changed just now
                if stamp and not episode.problem and changed_ns < self._opened_ns - _TICK_NS:
                    new.append((name, stamp, episode))
                    known.pop(name, None)
                if len(new) >= _TOGETHER:
                    self._keep(place, new)
                    new = []
            else:
                known.pop(name)
            found.append(episode)
        self._forget(place, known)
        self._keep(place, new)
        return sorted(found, key=_order)

    def _known(self, place: str, folder: Path) -> dict[str, tuple[str, Episode | None]]:
        found: dict[str, tuple[str, Episode | None]] = {}
        for name, stamp, form, body in self._rows(
            "SELECT name, stamp, form, body FROM episode WHERE folder = ?", place
        ):
            try:
                episode = _episode.decode(body)
                msgspec.structs.force_setattr(episode, "path", folder / name)
                msgspec.structs.force_setattr(episode, "form", self._form(form) if form else None)
            except (msgspec.MsgspecError, TypeError, LookupError):
                found[name] = "", None
            else:
                found[name] = stamp, episode
        return found

    def _form(self, number: int) -> Form:
        if number not in self._forms:
            [(body,)] = self._rows("SELECT body FROM form WHERE id = ?", number)
            self._forms[number] = _form.decode(body)
        return self._forms[number]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        if self._database is None:
            return []
        try:
            return self._database.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeError):  # a folder whose name is no text is in no index
            return []

    def _keep(self, place: str, new: Sequence[tuple[str, str, Episode]]) -> None:
        if self._database is None or not new:
            return
        # names that are no text are read again each time
        with suppress(sqlite3.Error, msgspec.MsgspecError, UnicodeError):
            for name, stamp, episode in new:
                form = self._number(episode.form)
                body = _encode(msgspec.structs.replace(episode, form=None, path=_NOWHERE))
                self._database.execute(
                    "INSERT OR REPLACE INTO episode VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                    (place, name, stamp, form, body),
                )
            self._database.commit()

    def _number(self, form: Form | None) -> int:
        if form is None or self._database is None:
            return 0
        body = _encode(form)
        self._database.execute("INSERT OR IGNORE INTO form (body) VALUES (?)", (body,))
        return int(self._database.execute("SELECT id FROM form WHERE body = ?", (body,)).fetchone()[0])

    def _forget(self, place: str, gone: dict[str, tuple[str, Episode | None]]) -> None:
        if self._database is not None and gone:
            with suppress(sqlite3.Error):
                self._database.executemany(
                    "DELETE FROM episode WHERE folder = ? AND name = ?", [(place, name) for name in gone]
                )

    def measured(self, folder: Path) -> dict[str, Measured]:
        """What is kept of a folder's episodes; an episode that changed was taken out when it was listed."""
        import numpy as np

        found = {}
        query = "SELECT name, facts, outline FROM episode WHERE folder = ? AND facts IS NOT NULL"
        for name, facts, outline in self._rows(query, str(folder.absolute())):
            with suppress(msgspec.MsgspecError, TypeError, ValueError):
                values, findings, numbers = _facts.decode(facts)
                levels = 2 * numbers * len(LEVELS)
                table = np.frombuffer(outline, np.float32)
                state, action = table[:levels].reshape(2, numbers, len(LEVELS))
                poses = table[levels:].reshape(-1, numbers)
                found[str(name)] = Measured(dict(zip(FACTS, values, strict=True)), findings, state, action, poses)
        return found

    def keep_measured(self, path: Path, found: Measured) -> None:
        """With its episode, until that changes."""
        if self._database is None:
            return
        facts = _encode((tuple(found.facts[name] for name in FACTS), found.findings, len(found.state)))
        outline = b"".join(table.tobytes() for table in (found.state, found.action, found.poses))
        with suppress(sqlite3.Error, UnicodeError):
            self._database.execute(
                "UPDATE episode SET facts = ?, outline = ? WHERE folder = ? AND name = ?",
                (facts, outline, str(path.parent.absolute()), path.name),
            )


def _file_time_ns() -> int:
    """Now, by the clock that files get their times from."""
    try:
        os.utime(path_of())
        return path_of().stat().st_mtime_ns
    except OSError:
        return 0


def path_of() -> Path:
    """Where the index is."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "station" / f"episodes-{_VERSION}.sqlite"


def _opened() -> sqlite3.Connection | None:
    path = path_of()
    for _ in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            database = sqlite3.connect(path, timeout=_PATIENCE_S)
        except (OSError, sqlite3.Error, RuntimeError):
            return None
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(_TABLES)
        except sqlite3.OperationalError:  # locked, or a disk that is full or may only be read
            database.close()
            return None
        except sqlite3.DatabaseError:  # no database, or a broken one: nothing is lost with it
            database.close()
            with suppress(OSError):
                path.unlink()
            continue
        return database
    return None
