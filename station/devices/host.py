"""What serving any device has in common: its streams flow, their rates and ages are watched, and it says how it is."""

from collections import deque
from typing import Any, Literal

from station.borders.stamps import Stamps
from station.bus.messages import Health, StreamHealth
from station.bus.streams import period_ns
from station.clock import NS_PER_S
from station.devices.calibrated import latency_ns
from station.devices.contract import Description, Reading
from station.runtime.node import Node

DESCRIBE_NS = period_ns("description")
"""How often the description is repeated for nodes that start later."""
NEWS_NS = NS_PER_S // 10
"""A change for the worse or the better is told this soon."""
SLOW_SHARE = 0.8
"""A stream below this share of its declared rate is slow."""
SLOW_AFTER_NS = 3 * NS_PER_S


class Streams:
    """What flows: publishes readings, keeps each stream's rate and age for health."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._times: dict[str, deque[int]] = {}
        self._declared: dict[str, float] = {}
        self._described_ns = self._opened_ns = 0
        self._description: Description | None = None
        self._latency_ns = 0
        self.stamps = Stamps()

    def opened(self, description: Description) -> None:
        """The device said what it is: its streams begin."""
        self._description = description
        self._latency_ns = latency_ns(description)
        self._declared = {stream.kind: stream.rate_hz for stream in description.streams}
        self._times = {kind: deque(maxlen=max(2, int(rate * 2))) for kind, rate in self._declared.items()}
        self._described_ns = 0
        self._opened_ns = self._node.clock()

    def publish(self, readings: list[Reading]) -> None:
        """Send readings on, a camera's measured latency taken off their time. One whose stamp cannot be true is dropped."""
        now_ns = self._node.clock()
        for reading in readings:
            captured_at_ns = reading.captured_at_ns - self._latency_ns
            if self.stamps.refuse(reading.kind, now_ns, captured_at_ns):
                continue
            self._node.publisher.publish(reading.kind, reading.body, captured_at_ns, reading.payload)
            self._times[reading.kind].append(captured_at_ns)

    def describe(self, now_ns: int) -> None:
        """Repeat the description for nodes that start later."""
        if self._description is not None and now_ns - self._described_ns >= DESCRIBE_NS:
            self._described_ns = now_ns
            self._node.publisher.publish("description", self._description)

    def health(self, now_ns: int) -> tuple[StreamHealth, ...]:
        """Rate and age of each stream."""
        return tuple(self._stream(kind, times, now_ns) for kind, times in self._times.items())

    def slow(self, now_ns: int) -> tuple[str, ...]:
        """Streams that come too seldom, once they have had time to be counted."""
        if now_ns - self._opened_ns < SLOW_AFTER_NS:
            return ()
        return tuple(
            f"{stream.kind} comes {stream.rate_hz:.0f} times a second instead of {stream.declared_hz:g}"
            for stream in self.health(now_ns)
            if stream.rate_hz < SLOW_SHARE * stream.declared_hz
        )

    def _stream(self, kind: str, times: "deque[int]", now_ns: int) -> StreamHealth:
        recent = [t for t in times if now_ns - t < 2 * NS_PER_S]
        span_ns = recent[-1] - recent[0] if len(recent) > 1 else 0
        rate = (len(recent) - 1) * NS_PER_S / span_ns if span_ns else 0.0
        return StreamHealth(kind, rate, self._declared[kind], now_ns - times[-1] if times else -1)


class Host:
    """What arms and pushing devices share: streams, health."""

    def __init__(self, node: Node, driver: Any) -> None:
        self.node, self.driver = node, driver
        self.streams = Streams(node)
        self.notes: tuple[str, ...] = ()
        self.open = False
        self._told = ("", "")
        self._news_due_ns = 0

    def say_it_opens(self) -> None:
        """Say so before: opening a device may take seconds (a camera's reset), and a silent node is taken for a stuck one."""
        self.node.publish_health(Health(self.node.name, "opening", self.node.error))

    def opened(self, description: Description) -> None:
        """The driver has opened its device."""
        self.streams.opened(description)
        self.notes = description.notes
        self.open = True
        about = f"{description.model} {description.serial}, firmware {description.firmware}"
        self.node.log.info("opened: %s", "; ".join((about, *description.notes)))

    def lost(self, error: str) -> None:
        """The device is gone: say why before anybody wonders at its silence."""
        self.open = False
        self.node.error = error
        self._tell_health(self.node.clock(), ())

    def wait_closed(self, until_ns: int) -> None:
        """The device is closed: keep health going and the finish flag in sight until the next attempt."""
        self.open = False
        while not self.node.finish.is_set() and self.node.clock() < until_ns:
            self.report(self.node.clock())
            self.pause(until_ns)

    def pause(self, until_ns: int) -> None:
        """Wait a moment, not beyond the time given."""
        self.node.finish.wait(min(0.1, max(0.0, (until_ns - self.node.clock()) / NS_PER_S)))

    def step(self) -> None:
        """One cycle of an open device. Raises DeviceError when it is lost."""
        raise NotImplementedError

    def report(self, now_ns: int) -> None:
        """Health twice a second, and soon when something has changed."""
        if self.open:
            self.streams.describe(now_ns)
        if now_ns < self._news_due_ns:
            return
        self._news_due_ns = now_ns + NEWS_NS
        warnings: tuple[str, ...] = ()
        if self.open:
            warnings = (*self.driver.warnings(), *self.own_warnings(), *self.streams.slow(now_ns))
            warnings += self.streams.stamps.warnings(now_ns)
        if self.node.health_due(now_ns) or (self._state(warnings), self._error(warnings)) != self._told:
            self._tell_health(now_ns, warnings)

    def _tell_health(self, now_ns: int, warnings: tuple[str, ...]) -> None:
        readings = {**self.driver.health(), **self.own_readings()} if self.open else {}
        if self.streams.stamps.count:
            readings["bad_stamps"] = readings.get("bad_stamps", 0) + self.streams.stamps.count
        state, error = self._state(warnings), self._error(warnings)
        self._told = state, error
        self.node.publish_health(
            Health(self.node.name, state, error, self.streams.health(now_ns), readings, self.notes)
        )  # fmt: skip

    def _error(self, warnings: tuple[str, ...]) -> str:
        return self.node.error or "; ".join(warnings)

    def _state(self, warnings: tuple[str, ...]) -> Literal["opening", "ok", "warn", "fault"]:
        if not self.open:
            return "fault" if self.node.error else "opening"
        return "warn" if warnings else "ok"

    def own_warnings(self) -> tuple[str, ...]:
        """What this side of the driver finds wrong, beside what the driver says."""
        return ()

    def own_readings(self) -> dict[str, float]:
        """Numbers of its own for health."""
        return {}

    def close(self) -> None:
        """Nothing of its own to let go of."""


class PushHost(Host):
    """A device that pushes: `read()` waits for it."""

    def step(self) -> None:
        """Publish what came."""
        self.streams.publish(self.driver.read())
        self.report(self.node.clock())
