"""Rules of a struct that somebody fills in by hand: whoever broke three of them is told all three."""

from collections.abc import Callable


class RulesBroken(ValueError):
    """Some rules of one struct are broken; `sentences` has one for each."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


def keep(*rules: Callable[[], None]) -> None:
    """Look at all of them: each raises ValueError with its sentence, or is kept. Raises RulesBroken with what was raised."""
    sentences: dict[str, None] = {}
    for rule in rules:
        try:
            rule()
        except ValueError as error:
            sentences |= dict.fromkeys(broken(error))
    if sentences:
        raise RulesBroken(tuple(sentences))


def broken(error: BaseException) -> tuple[str, ...]:
    """What an error says, rule by rule."""
    return error.sentences if isinstance(error, RulesBroken) else (str(error),)
