"""A subscription that is there only while somebody looks: hearing costs more than showing."""

from collections.abc import Iterable

from station.bus.sockets import Subscriber
from station.bus.wire import Sample
from station.client import Station


class Ear:
    """Of one kind of stream, by the set of nodes that are wanted now."""

    def __init__(self, station: Station, publishers: Iterable[str] = ()) -> None:
        """`publishers`: whose sockets to listen at, where not the streams' own nodes."""
        self._station, self._publishers = station, tuple(publishers)
        self._wanted: frozenset[tuple[str, str]] = frozenset()
        self._heard: Subscriber | None = None

    def listen(self, streams: Iterable[tuple[str, str]]) -> list[Sample]:
        """Hear these and no others from now on; the newest of each since the last time. Raises NodeAbsent where no station runs."""
        wanted = frozenset(streams)
        if wanted != self._wanted:
            self.close()
            if wanted:
                self._heard = self._station.subscribe(sorted(wanted), self._publishers)
            self._wanted = wanted
        return list(self._heard.newest().values()) if self._heard is not None else []

    def close(self) -> None:
        """Hear nothing any more."""
        if self._heard is not None:
            self._heard.close()
        self._heard, self._wanted = None, frozenset()
