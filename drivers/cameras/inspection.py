"""What comes from a camera, looked at before it is published: torn pictures counted with their causes, and told. Pure."""

from drivers.cameras.jpeg import Jpeg, whole
from drivers.cameras.losses import Losses
from station.borders.jpeg import content_problem
from station.clock import NS_PER_S

SAMPLE_NS = NS_PER_S // 2
"""How often a picture is decoded: 1 ms of a processor each. All of an episode's are decoded by `station episodes verify`."""

_TURNED = (
    "its pictures ask to be shown turned or mirrored (Exif orientation), which is taken out: what is recorded is as the sensor "
    "sees it; switch the camera's own turning off, and turn the camera"
)


class Inspection:
    """One camera's pictures since the driver started."""

    def __init__(self) -> None:
        self.torn, self._damaged = Losses("lost"), Losses("looked at are damaged, and published all the same")
        self._cut = 0
        self._decoded_ns = 0
        self._turned = False

    def look(self, packet: bytes, now_ns: int) -> Jpeg | None:
        """The picture, or None where there is none that is whole."""
        found = whole(packet)
        if isinstance(found, str):
            self.torn.add(found, now_ns)
            return None
        self._cut += found.cut_bytes > 0
        self._turned = found.turned
        if now_ns - self._decoded_ns >= SAMPLE_NS:
            self._decoded_ns = now_ns
            # kept: many a webcam leaves bytes over in every picture, and what harm there is can be seen
            if problem := content_problem(found.data):
                self._damaged.add(f"{problem}; check the cable and the hub", now_ns)
        return found

    def counts(self) -> dict[str, float]:
        """Pictures that were none, those damaged of the two a second that are decoded, those behind whose end there was something."""
        damaged = float(self._damaged.count)
        return {"torn_frames": float(self.torn.count), "damaged_samples": damaged, "cut_frames": float(self._cut)}

    def warnings(self, now_ns: int) -> tuple[str, ...]:
        """Torn and damaged ones of the last ten seconds with the newest cause, and an orientation that was taken out."""
        told = (self.torn.recent(now_ns), self._damaged.recent(now_ns), _TURNED if self._turned else "")
        return tuple(warning for warning in told if warning)
