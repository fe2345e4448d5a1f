"""Everything that is wrong with a rig file, or will bite, each with its line."""

import re
from typing import Any, Literal

import msgspec

from station.rig import typed

_OUTER = re.compile(r"(\.[^.\[]*|\[\d+\])\Z")


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of them."""

    level: Literal["error", "warning"]
    """The file is refused for an error; what a warning names will bite later."""
    line: int
    """From 1; 0 where nothing stands in the file."""
    key: str
    found: str
    fix: str
    """What is expected, or the next act."""


class Problems:
    """Collects them. `lines`: the line of every key, by its path."""

    def __init__(self, lines: dict[str, int]) -> None:
        self.lines = lines
        self.found: dict[Problem, None] = {}

    def add(
        self,
        key: str,
        found: str,
        fix: str,
        place: str = "",
        line: int = 0,
        level: Literal["error", "warning"] = "error",
    ) -> None:
        """One more; on the line of `place`, or of its key, where none is given."""
        found = " ".join(found.split())
        self.found[Problem(level, line or self.line_of(place or key), key or "rig", found, fix)] = None

    def read(self, kind: Any, raw: object, key: str = "") -> Any:
        """`raw`, what stands at `key`, as the struct `kind`; None where something is wrong with it."""
        made, wrongs = typed.read(kind, raw, key)
        for wrong in wrongs:
            self.add(wrong.key, wrong.found, wrong.fix, wrong.place)
        return made

    def line_of(self, key: str) -> int:
        """Of the key, or of what it would be in; 0 for none."""
        while key not in self.lines and (outer := _OUTER.sub("", key)) != key:
            key = outer
        return self.lines.get(key, 0)

    def sorted(self) -> tuple[Problem, ...]:
        """In the order of the file, errors before what will bite."""
        return tuple(sorted(self.found, key=lambda problem: (problem.level, problem.line)))
