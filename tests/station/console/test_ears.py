"""Pictures are heard while somebody looks, and then no more."""

from collections.abc import Iterable
from typing import cast

from station.client import Station
from station.console.ears import Ear


class Heard:
    """A subscription that hears nothing."""

    def __init__(self, streams: list[tuple[str, str]]) -> None:
        self.streams, self.closed = streams, False

    def newest(self) -> dict[object, object]:
        return {}

    def close(self) -> None:
        self.closed = True


class Spoken:
    """A station that notes who subscribes to what."""

    def __init__(self) -> None:
        self.made: list[Heard] = []

    def subscribe(self, streams: Iterable[tuple[str, str]], _publishers: Iterable[str]) -> Heard:
        self.made.append(Heard(list(streams)))
        return self.made[-1]


def test_a_subscription_is_there_only_while_it_is_wanted() -> None:
    station = Spoken()
    ear = Ear(cast(Station, station))
    ear.listen(())
    assert station.made == []
    for _ in range(3):
        ear.listen([("frame", "cam_low"), ("frame", "cam_high")])
    (first,) = station.made
    assert first.streams == [("frame", "cam_high"), ("frame", "cam_low")] and not first.closed
    ear.listen([("frame", "cam_high")])
    assert first.closed and station.made[1].streams == [("frame", "cam_high")]
    ear.listen(())
    assert station.made[1].closed and len(station.made) == 2
