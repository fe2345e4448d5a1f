"""The aligner: samples in, instants out. Pure.

At t_k each stream gives its newest sample captured at or before t_k, with its age, and whether it is another one than at
the tick before. A stream that is late or dead repeats its last good sample; its age says so. Nothing is interpolated, and
nothing is subtracted: `captured_at` already is when the world looked like that.
"""

from collections import deque
from collections.abc import Collection, Iterable
from typing import NamedTuple

from station.bus.messages import Chosen
from station.bus.wire import Sample

DEPTH = 64
"""Samples kept per stream: at 200 Hz, 320 ms, far beyond what lies between a tick and its emission."""


class Instant(NamedTuple):
    """What one tick sees."""

    t_ns: int
    chosen: tuple[Chosen, ...]
    samples: dict[str, Sample]

    def age_ns(self, stream: str) -> int | None:
        """How old the stream's sample is at t_k; None if it has none."""
        return next((c.age_ns for c in self.chosen if c.stream == stream), None)

    def only(self, streams: Collection[str]) -> "Instant":
        """What it sees of these streams."""
        if all(choice.stream in streams for choice in self.chosen):
            return self
        return Instant(
            self.t_ns,
            tuple(choice for choice in self.chosen if choice.stream in streams),
            {name: sample for name, sample in self.samples.items() if name in streams},
        )


class _Stream:
    __slots__ = ("last", "samples")

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=DEPTH)
        self.last: tuple[int, int] | None = None


class Aligner:
    """Keeps the newest samples of a fixed set of streams and chooses among them."""

    def __init__(self, streams: Iterable[str] = ()) -> None:
        self._streams: dict[str, _Stream] = {stream: _Stream() for stream in streams}
        self.refused = 0
        """Samples whose capture time did not rise, or of no stream that is expected: never used."""

    def expect(self, stream: str) -> None:
        """Add a stream."""
        self._streams.setdefault(stream, _Stream())

    @property
    def missing(self) -> tuple[str, ...]:
        """Streams without any sample so far."""
        return tuple(name for name, stream in self._streams.items() if not stream.samples)

    def push(self, stream: str, sample: Sample) -> bool:
        """Take a sample; False if nobody expects the stream (its device did not describe it), or if it is not newer than the stream's
        last (a duplicate, or time going backwards).
        """
        if stream not in self._streams:
            self.refused += 1
            return False
        samples = self._streams[stream].samples
        if samples and sample.header.captured_at_ns <= samples[-1].header.captured_at_ns:
            self.refused += 1
            return False
        samples.append(sample)
        return True

    def has(self, stream: str) -> bool:
        """Has that stream ever spoken?"""
        found = self._streams.get(stream)
        return found is not None and bool(found.samples)

    def kept(self, streams: Collection[str] | None = None) -> list[Sample]:
        """Every sample of `streams` (all if None) that the next instant may still choose: what a journal needs before its first
        tick.
        """
        names = self._streams if streams is None else streams
        return [sample for name in names for sample in self._streams[name].samples]

    def choose(self, t_ns: int) -> Instant:
        """The instant at t_ns. Call with rising t_ns: what is older than the choice is dropped."""
        chosen, found = [], {}
        for name, stream in self._streams.items():
            samples = stream.samples
            while len(samples) > 1 and samples[1].header.captured_at_ns <= t_ns:
                samples.popleft()
            if not samples or samples[0].header.captured_at_ns > t_ns:
                continue
            header = samples[0].header
            identity = (header.start_id, header.sequence)
            chosen.append(
                Chosen(name, *identity, header.captured_at_ns, t_ns - header.captured_at_ns, identity != stream.last)
            )
            stream.last = identity
            found[name] = samples[0]
        return Instant(t_ns, tuple(chosen), found)
