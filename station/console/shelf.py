"""The rig's data folder as a page sees it: episodes, what they are, what people say about them, and the trash. Blocking; for a thread.

An episode is called `FOLDER/NUMBER`, and is looked up in what was found in the data folder: no path is ever made of what a page sent.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from station.console.played import Played, stamp_of
from station.datasets.selection import Excluded, Selection, as_yaml, write_selection
from station.episodes import catalogue, edits, naming
from station.episodes.cadence import cadence_in, in_words
from station.episodes.catalogue import Episode
from station.episodes.datasets import cameras
from station.episodes.edits import Change
from station.episodes.filters import asked, said
from station.episodes.index import measured
from station.episodes.intake import causes_of
from station.episodes.quality import words
from station.episodes.quality.store import kept_card_in
from station.episodes.reading import reading, rows_of
from station.errors import EpisodeError, StationError, UsageError
from station.terminal.shown import shown, shown_lines

MOST_LISTED = 5000
MOST_OPEN = 4
"""Episodes whose files stay open for who looks at them."""
MOST_THUMBNAILS = 2000
"""Of 10 kB."""
DELETED = ".deleted"


class Shelf:
    """Of one data folder. To be used in one thread."""

    def __init__(self, data: Path, blind: Callable[[], bool] = lambda: False) -> None:
        """`blind`: nobody is to know which policy runs."""
        self.data, self._blind = data, blind
        self._known: dict[str, Path] = {}
        self._open: dict[str, Played] = {}
        self._thumbnails: dict[tuple[str, int, int, bool], bytes] = {}

    # -- what there is --

    def listing(self, conditions: Sequence[str] = ()) -> dict[str, Any]:
        """Every episode that is what is asked for, newest first. Raises UsageError for a condition that is none."""
        where = said(conditions)
        found = self._catalogue()
        fitting = [each.episode for each in asked(found, where) if each.against is None] if where else found
        fitting.sort(key=lambda episode: episode.recorded_ns, reverse=True)
        listed, cards = fitting[:MOST_LISTED], dict[Path, list[str]]()
        for episode, card in measured(listed):
            if card is not None:
                cards[episode.path] = [f"{name.replace('_', ' ')} {on}".strip() for name, on in card.findings]
        return {
            "episodes": [self._line(episode, cards.get(episode.path)) for episode in listed],
            "of": len(found), "fitting": len(fitting),
            "tasks": sorted({shown(episode.task) for episode in found}), "operators": sorted({shown(e.operator) for e in found} - {""}),
            "data": shown(str(self.data)), "waiting": self._waiting(), "sets": shown(f"{self.data}-sets"),
            "formats": sorted(point.name for point in entry_points(group="station.formats")),
        }  # fmt: skip

    def trash(self) -> dict[str, Any]:
        """What was deleted and can be brought back, newest first."""
        found = [catalogue.read_episode(path) for path in self._files(f"episode_*.hdf5{DELETED}")]
        self._know(episode.path for episode in found)
        found.sort(key=lambda episode: episode.recorded_ns, reverse=True)
        return {
            "episodes": [self._line(episode, None) for episode in found[:MOST_LISTED]],
            "of": len(found),
            "fitting": len(found),
        }

    def _catalogue(self) -> list[Episode]:
        found = catalogue.episodes(self.data) if self.data.is_dir() else []
        self._know(episode.path for episode in found)
        return found

    def _know(self, found: Iterable[Path]) -> None:
        self._known.update({name: path for path in found if (name := self.name(path))})

    def name(self, path: Path) -> str:
        """What an episode is called here: `cube/12`, of a deleted one `cube/12.deleted`."""
        try:
            number = naming.number_of(path)
        except UsageError:
            return ""
        folder = path.parent.relative_to(self.data).as_posix()
        if shown(folder) != folder:
            return ""  # a name that is no text: it is listed, and told what is wrong by `station episodes ls`
        return f"{'' if folder == '.' else f'{folder}/'}{number}{DELETED if path.name.endswith(DELETED) else ''}"

    def path(self, name: str) -> Path:
        """Where it is. Raises UsageError for one that is not there."""
        if name not in self._known:
            # by what the folders hold: to look into every file would take as long as there are many
            self._know(self._files(f"episode_*.hdf5{DELETED if name.endswith(DELETED) else ''}"))
        if (found := self._known.get(name)) is None or not found.is_file():
            raise UsageError(f"{name[:80]!r}: no such episode any more. Next: look at the list again")
        return found

    def _waiting(self) -> list[str]:
        """Journals that nobody has made an episode of yet."""
        return [shown(f"{path.parent.name}/{path.name}") for path in self._files("episode_*.mcap.part")]

    def _files(self, pattern: str) -> list[Path]:
        return sorted(self.data.rglob(pattern)) if self.data.is_dir() else []

    def _line(self, episode: Episode, findings: list[str] | None) -> dict[str, Any]:
        try:
            inode, size = stamp_of(episode.path)
        except OSError:
            inode = size = 0
        policy = "" if self._blind() else shown(episode.policy)
        return {
            "name": self.name(episode.path), "file": shown(episode.path.name), "task": shown(episode.task),
            "number": episode.number, "rows": episode.rows,
            "seconds": episode.seconds, "success": episode.success, "note": shown_lines(episode.note), "operator": shown(episode.operator),
            "instruction": shown(episode.instruction), "scene": shown(episode.scene), "policy": policy,
            "recorded_s": episode.recorded_ns / 1e9, "size_mb": episode.size_bytes / 1e6, "late": episode.late, "lost": episode.lost,
            "stale": episode.stale, "causes": list(causes_of(episode)), "ended": shown(episode.ended), "damage": shown(episode.damage),
            "problem": shown(episode.problem), "findings": findings, "stamp": f"{inode}.{size}",
        }  # fmt: skip

    # -- one of them --

    def outline(self, name: str) -> dict[str, Any]:
        """What a player needs to know of it before the first picture. Raises UsageError, EpisodeError."""
        found = self.played(name).outline
        return {
            "name": name, "rows": found.rows, "tick_hz": found.tick_hz, "names": found.names, "units": found.units, "marks": found.marks,
            "sources": found.sources, "cameras": [{"name": camera, "new": rows} for camera, rows in found.cameras.items()],
        }  # fmt: skip

    def detail(self, name: str) -> dict[str, Any]:
        """That, what is listed of it, and its card in words. Raises UsageError, EpisodeError."""
        path, outline = self.path(name), self.outline(name)
        with reading(path) as file:
            episode, card, regular = catalogue.episode_in(path, file), kept_card_in(path, file), cadence_in(file)
        told = {} if card is None else {
            "headline": words.headline(card), "stillness": words.stillness(card), "check": words.checked(card),
            "findings": [{"row": each.row, "words": words.sentence(each, card.tick_hz)} for each in card.findings],
            "streams": [list(words.STREAMS), *map(list, words.streams(card))],
            "arms": [list(words.ARMS), *map(list, words.arms(card))], "not_measured": list(card.not_measured),
        }  # fmt: skip
        return {
            **self._line(episode, None),
            **outline,
            "card": told,
            "cadence": in_words(regular),
            "path": shown(str(path)),
        }

    def example(self, task: str, scene: str, thing: str) -> dict[str, Any]:
        """How a scene is staged: the task's newest success, of just that scene and object where there is one; `name` is "" without."""
        found = catalogue.episodes(self.data, task) if self.data.is_dir() else []
        self._know(episode.path for episode in found)
        successes = [each for each in found if each.success and not (each.policy or each.problem)]
        alike = [e for e in successes if (e.scene, str(e.attributes.get("object", ""))) == (scene, thing)]
        newest = max(alike or successes, key=lambda each: each.recorded_ns, default=None)
        if newest is None:
            return {"name": "", "alike": False, "cameras": []}
        with reading(newest.path) as file:
            return {"name": self.name(newest.path), "alike": bool(alike), "cameras": cameras(file)}

    def played(self, name: str) -> Played:
        """Its open file. Raises UsageError, EpisodeError."""
        path = self.path(name)
        try:
            key = f"{name} {stamp_of(path)}"
        except OSError:
            raise UsageError(f"{name[:80]!r}: it went away. Next: look at the list again") from None
        if key not in self._open:
            while len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open))).close()
            self._open[key] = Played(path)
        self._open[key] = self._open.pop(key)  # the last used goes last
        return self._open[key]

    def thumbnail(self, name: str, last: bool) -> bytes:
        """Its first or last picture of its first camera, small. Raises UsageError, EpisodeError."""
        path = self.path(name)
        key = (name, *stamp_of(path), last)
        if key not in self._thumbnails:
            with reading(path) as file:
                seen, rows = cameras(file), rows_of(file)
            if not seen or not rows:
                raise EpisodeError(f"{path}: no picture was recorded")
            while len(self._thumbnails) >= MOST_THUMBNAILS:
                del self._thumbnails[next(iter(self._thumbnails))]
            from station.episodes.picture import jpeg, moment  # here: it brings OpenCV, 27 MB

            self._thumbnails[key] = jpeg(moment(path, seen[0], rows - 1 if last else 0))
        return self._thumbnails[key]

    # -- training sets --

    def selection(self, conditions: Sequence[str], left_out: Sequence[str], reason: str) -> Selection:
        """What a list shows, but for some of it, as `station dataset` takes it. Raises UsageError."""
        paths = [self.path(name) for name in left_out]
        if paths and not reason:
            raise UsageError("say why those are left out: the reason stands in the training set's card")
        excluded = tuple(Excluded(path.relative_to(self.data).as_posix(), reason) for path in paths)
        return Selection((str(self.data),), said(conditions), exclude=excluded)

    def selection_text(self, conditions: Sequence[str], left_out: Sequence[str], reason: str) -> str:
        """The same as its file's text. Raises UsageError."""
        return as_yaml(self.selection(conditions, left_out, reason or "left out on the console's page"))

    def kept_selection(
        self, name: str, conditions: Sequence[str], left_out: Sequence[str], reason: str
    ) -> tuple[Path, Path]:
        """Write it beside where the training set of that name comes to be: its file, and that folder. Raises UsageError."""
        sets = self.data.with_name(f"{self.data.name}-sets")
        selection, out = self.selection(conditions, left_out, reason), sets / name
        if out.exists():
            raise UsageError(f"{out} is there already. Next: another name")
        try:
            sets.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{sets}: {error.strerror}. Next: check the disk and its permissions") from error
        file = sets / f"{name}.selection.yaml"
        write_selection(file, selection)
        return file, out

    # -- what people say of them --

    def edit(self, names: Sequence[str], change: Change) -> str:
        """Say something of each; undone by `undo`. Returns what was done. Raises StationError where one stays as it was."""
        chosen = [catalogue.read_episode(self.path(name)) for name in names]
        if spoilt := [episode.problem for episode in chosen if episode.problem]:
            raise EpisodeError(spoilt[0])
        planned = edits.plan(chosen, change)
        done, refused = edits.carry_out(planned, change)
        return _told(f"{done} changed" if done else "it is so already", refused)

    def undo(self, names: Sequence[str]) -> str:
        """Take the newest change of these episodes' folders back. Raises StationError."""
        folders = sorted({self.path(name).parent for name in names})
        done, refused = edits.undo(edits.last(folders))
        return _told(f"{done} as before", refused)

    def delete(self, names: Sequence[str]) -> str:
        """Into the trash. Raises StationError."""
        return self._each(names, naming.delete, "in the trash")

    def restore(self, names: Sequence[str]) -> str:
        """Out of it. Raises StationError."""
        return self._each(names, naming.undelete, "restored")

    def _each(self, names: Sequence[str], act: Callable[[Path], Path], what: str) -> str:
        done, refused = 0, []
        for name in names:
            try:
                act(self.path(name))
            except StationError as error:
                refused.append(error)
            else:
                done += 1
                self._known.pop(name, None)
        return _told(f"{done} {what}", refused)

    def close(self) -> None:
        """Files are let go of."""
        while self._open:
            self._open.popitem()[1].close()


def _told(words: str, refused: Sequence[StationError]) -> str:
    if refused:
        raise EpisodeError(f"{words}; {len(refused)} as before: {refused[0]}")
    return words
