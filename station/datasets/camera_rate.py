"""`--rate camera`: the rate of the slowest camera, so that no frame repeats a picture more than it must."""

from collections.abc import Sequence
from pathlib import Path

from station.datasets.source_files import Source
from station.datasets.survey import cameras_in
from station.episodes.reading import reading
from station.errors import UsageError


def slowest_camera_hz(sources: Sequence[Source]) -> float:
    """As the cameras' drivers declared it in these episodes. Raises UsageError where they declare none, or are faster than the rows."""
    rates = set()
    for source in sources:
        with reading(Path(source.path)) as file:
            rates |= {camera.rate_hz for camera in cameras_in(file).values()}
    if not rates or 0 in rates:
        raise UsageError("the episodes have no camera whose rate is known. Next: say --rate in frames a second")
    grid_hz = min(float(source.facts["tick_hz"] or 0) for source in sources)
    if min(rates) > grid_hz:
        raise UsageError(
            f"the slowest camera has {min(rates):g} pictures a second, more than rows ({grid_hz:g}). Next: leave --rate out"
        )
    return min(rates)
