"""What `station episodes … --json` tells."""

from pathlib import Path

import msgspec

from station.episodes.catalogue import Episode


class Folder(msgspec.Struct, frozen=True):
    """One task's folder."""

    path: Path
    makes: tuple[str, ...]
    """What its episodes are made of, in words, the commonest first; more than one: a mixture."""
    differences: tuple[str, ...]
    """Of a mixture: which episodes differ from the commonest, and in what."""
    drifts: tuple[str, ...] = ()
    """Episodes before which a camera's controls were changed, and which."""


class Listing(msgspec.Struct, frozen=True):
    """`ls --json`."""

    episodes: tuple[Episode, ...]
    folders: tuple[Folder, ...]
    journals_not_saved: int
    journals_damaged: int


class Link(msgspec.Struct, frozen=True):
    """One episode of a view."""

    link: Path
    episode: Path


class Left(msgspec.Struct, frozen=True):
    """Episodes that a view leaves out for one reason."""

    why: str
    episodes: tuple[Path, ...]


class Viewed(msgspec.Struct, frozen=True):
    """`view --json`."""

    taken: tuple[Link, ...]
    left_out: tuple[Left, ...]


class Verified(msgspec.Struct, frozen=True):
    """One episode of `verify --json`."""

    path: Path
    whole: bool
    findings: tuple[str, ...]
    make: str
    """Rig, rate, vector and cameras in words."""


class PushTold(msgspec.Struct, frozen=True):
    """`push --json`."""

    to: str
    """The destination's own name."""
    episodes: int
    """That are what was asked for."""
    files: int
    """Of theirs that had no copy there as they are now."""
    size_bytes: int
    """Of these files."""
    sent: tuple[Path, ...]
    """Sent now and read back; none with --dry-run."""
    were_there: tuple[Path, ...]
    """Found there, read back and noted now."""
    failed: dict[str, str]
    """File → why it has no copy."""
    unusable: tuple[str, ...]
    """Episodes that were left out, a sentence each."""


class Retired(msgspec.Struct, frozen=True):
    """One episode that is old enough."""

    episode: Path
    moved: bool
    """It is in the trash now."""
    stays: str
    """Why it stays whatever is said; "" where it may go."""


class RetireTold(msgspec.Struct, frozen=True):
    """`retire --json`."""

    done: bool
    """False without --yes: it was only shown."""
    episodes: tuple[Retired, ...]
