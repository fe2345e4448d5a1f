"""How far an export or a verification is: pieces, bytes, how fast, how long yet. Pure but for whom it tells."""

from collections.abc import Callable, Sequence

from station.clock import NS_PER_S, Clock
from station.steps.speaker import Speaker

_TELLS_AFTER_S = 2.0
"""Before that a rate is a guess."""


class Pace:
    """Of work in phases. The next phase begins when the one before has told for the last time."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._phase = clock, ""
        self._begun_ns = self._told_ns = clock()

    def words(self, phase: str, done: int, of: int, size_bytes: int) -> str:
        """`writing: 3 of 12, 1.2 GB, 45 MB/s, 1 min 20 s left`; `size_bytes`: of what is done, 0 where there is nothing to say."""
        now_ns = self._clock()
        if phase != self._phase:
            self._phase, self._begun_ns = phase, self._told_ns
        self._told_ns = now_ns
        seconds = (now_ns - self._begun_ns) / NS_PER_S
        told = [f"{phase}: {done} of {of}"]
        if size_bytes:
            told.append(_size(size_bytes))
        if seconds >= _TELLS_AFTER_S and done < of:
            told += [f"{_size(size_bytes / seconds)}/s"] if size_bytes else []
            told.append(f"{_time((of - done) * seconds / done)} left")
        return ", ".join(told)


def progress(
    speaker: Speaker, phases: Sequence[str], as_json: bool, clock: Clock
) -> Callable[[str, int, int, int], None]:
    """Tells each step. Each phase counts like the others, however long it takes."""
    pace = Pace(clock)

    def told(phase: str, done: int, of: int, size_bytes: int) -> None:
        words = pace.words(phase, done, of, size_bytes)
        if not as_json:
            speaker.tell(words, (phases.index(phase) + done / of) / len(phases))

    return told


def _size(size_bytes: float) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def _time(seconds: float) -> str:
    whole = max(1, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
