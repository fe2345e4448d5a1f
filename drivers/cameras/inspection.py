"""What comes from a camera, looked at before it is published: torn pictures counted with their causes, and told. Pure."""

from collections import deque

from drivers.cameras.jpeg import Jpeg, whole
from station.clock import NS_PER_S

RECENT_NS = 10 * NS_PER_S
_MOST_REMEMBERED = 2400
"""240 pictures a second for as long as that."""
_TURNED = (
    "its pictures ask to be shown turned or mirrored (Exif orientation), which is taken out: what is recorded is as the sensor "
    "sees it; switch the camera's own turning off, and turn the camera"
)


class Inspection:
    """One camera's pictures since the driver started."""

    def __init__(self) -> None:
        self._torn = self._cut = 0
        self._cause = ""
        self._torn_at: deque[int] = deque(maxlen=_MOST_REMEMBERED)
        self._turned = False

    def look(self, packet: bytes, now_ns: int) -> Jpeg | None:
        """The picture, or None where there is none that is whole."""
        found = whole(packet)
        if isinstance(found, str):
            self._torn += 1
            self._cause = found
            self._torn_at.append(now_ns)
            return None
        self._cut += found.cut_bytes > 0
        self._turned = found.turned
        return found

    def counts(self) -> dict[str, float]:
        """Pictures that were none, and those behind whose end there was something."""
        return {"torn_frames": float(self._torn), "cut_frames": float(self._cut)}

    def warnings(self, now_ns: int) -> tuple[str, ...]:
        """Torn ones of the last ten seconds with the newest cause, and an orientation that was taken out."""
        told = [self.torn(now_ns)] if self.torn(now_ns) else []
        return (*told, _TURNED) if self._turned else tuple(told)

    def torn(self, now_ns: int) -> str:
        """`12 pictures of the last 10 s were lost: torn, it has no end marker`; "" where none was."""
        while self._torn_at and now_ns - self._torn_at[0] > RECENT_NS:
            self._torn_at.popleft()
        count = len(self._torn_at)
        if not count:
            return ""
        return f"{count} picture{'s' if count > 1 else ''} of the last {RECENT_NS // NS_PER_S} s lost: {self._cause}"
