"""What every way of getting pictures has in common: `v4l2` (kernel devices) and `capture` (files and URLs)."""

from typing import Literal, NamedTuple, Protocol


class Shot(NamedTuple):
    """One picture as it came."""

    data: bytes
    """JPEG bytes (not yet checked)."""
    captured_at_ns: int
    stamp: Literal["driver", "arrival"]
    sequence: int | None


class Identity(NamedTuple):
    """What the source says it is."""

    model: str
    serial: str = ""
    firmware: str = ""
    notes: tuple[str, ...] = ()
    controls: dict[str, int] = {}
    """What it reads of its controls, by our names, once those asked for were set."""


class Source(Protocol):
    """Raises DeviceErrors; no call takes a second."""

    def open(self) -> Identity:
        """Find it, set it up, start it."""

    def grab(self, timeout_s: float) -> Shot | None:
        """The next picture, or None when there was none in time. DeviceSilent when there will be no more."""

    def warnings(self, now_ns: int) -> tuple[str, ...]:
        """Controls that took their value and have another one by now; pictures that the kernel gave broken."""

    def counts(self) -> dict[str, float]:
        """What was lost so far."""

    def close(self) -> None:
        """Let go of everything."""
