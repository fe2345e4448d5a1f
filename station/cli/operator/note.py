"""A line of text typed into the panel. Pure."""

from typing import NamedTuple

LONGEST = 200


class Line(NamedTuple):
    """The text so far, and whether it is being typed (None), to be kept (True) or dropped (False)."""

    text: str = ""
    keep: bool | None = None

    def typed(self, key: str) -> "Line":
        """After one more key."""
        if key == "enter":
            return Line(self.text.strip(), bool(self.text.strip()))
        if key == "escape":
            return Line("", False)
        if key == "backspace":
            return Line(self.text[:-1])
        character = " " if key == "space" else key
        return Line((self.text + character)[:LONGEST]) if len(character) == 1 else self
