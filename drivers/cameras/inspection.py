"""What comes from a camera, looked at before it is published: torn pictures counted with their causes, and told. Pure."""

from drivers.cameras.jpeg import Jpeg, whole
from drivers.cameras.losses import Losses

_TURNED = (
    "its pictures ask to be shown turned or mirrored (Exif orientation), which is taken out: what is recorded is as the sensor "
    "sees it; switch the camera's own turning off, and turn the camera"
)


class Inspection:
    """One camera's pictures since the driver started."""

    def __init__(self) -> None:
        self.torn = Losses()
        self._cut = 0
        self._turned = False

    def look(self, packet: bytes, now_ns: int) -> Jpeg | None:
        """The picture, or None where there is none that is whole."""
        found = whole(packet)
        if isinstance(found, str):
            self.torn.add(found, now_ns)
            return None
        self._cut += found.cut_bytes > 0
        self._turned = found.turned
        return found

    def counts(self) -> dict[str, float]:
        """Pictures that were none, and those behind whose end there was something."""
        return {"torn_frames": float(self.torn.count), "cut_frames": float(self._cut)}

    def warnings(self, now_ns: int) -> tuple[str, ...]:
        """Torn ones of the last ten seconds with the newest cause, and an orientation that was taken out."""
        return tuple(told for told in (self.torn.recent(now_ns), _TURNED if self._turned else "") if told)
