"""The driver: everything the station knows of this arm is said here."""

import json
import math
import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from station.bus.messages import Act, ArmState, Chain, CheckItem, GripperFacts, Hinge
from station.clock import NS_PER_S
from station.clock_map import ClockMap
from station.devices.contract import Condition, Description, Dimension, Place, Reading, StreamDescription
from station.errors import CommandRefused, DeviceMissing, DeviceSilent

PORT = 45454
RATE_HZ = 100.0
SILENT_NS = NS_PER_S // 2
WIDTH_M = 0.1
NAMES = tuple(f"axis_{n}" for n in range(1, 8))
CHAIN = Chain(
    tuple(
        Hinge(name, (0.0, 0.0, 0.15 if n else 0.3), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0) if n % 2 else (0.0, 0.0, 1.0))
        for n, name in enumerate(NAMES)
    ),
    (0.0, 0.0, 0.12),
    (0.0, -math.pi / 2, 0.0),
)
JOINTS = tuple(
    Dimension(
        name, "rad", -2.9, 2.9, effort_unit="N·m", overload=87.0, velocity_limit=1.5, acceleration_limit=8.0,
        sleep=park, start=start,
    )
    for name, park, start in zip(NAMES, (0, -1.2, 0, 2.2, 0, 1.0, 0), (0, -0.4, 0, 1.2, 0, 0.8, 0), strict=True)
)  # fmt: skip
GRIPPER = Dimension("gripper", "1", 0.0, 1.0, compliant=True, velocity_limit=4.0)
ACTS = (
    Act("recover", "the protective stop is cleared; nothing moves"),
    Act("guide", "the arm goes soft and follows a hand"),
    Act("end_guide", "the arm is stiff again where it is"),
)
ASKED = {"recover": ("clear", "running"), "guide": ("guide", "guiding"), "end_guide": ("end_guide", "running")}


class AcmeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ACME arm."""

    address: str
    rate_hz: float = RATE_HZ


class AcmeArm:
    """See `station.devices.contract.ArmDriver`."""

    Settings: ClassVar[type[AcmeSettings]] = AcmeSettings
    paced: ClassVar[bool] = True

    def __init__(self, settings: AcmeSettings, place: Place) -> None:
        self._settings, self._place = settings, place
        self._socket: socket.socket | None = None
        self._left = b""
        self._state: dict[str, Any] = {}
        self._heard_ns = 0
        self._clock = ClockMap()
        self._last_ns = 0

    def opens_with(self) -> tuple[str, ...]:
        return ()

    def open(self) -> None:
        self.close()
        try:
            self._socket = socket.create_connection((self._settings.address, PORT), timeout=0.5)
        except OSError as error:
            raise self._missing(str(error)) from error
        self._socket.settimeout(0.2)
        self._clock, self._left, self._state, self._last_ns = ClockMap(), b"", {}, 0
        self._heard_ns = self._place.clock()
        while not self._state:
            self.read()

    def describe(self) -> Description:
        stream = StreamDescription("arm_state", self._settings.rate_hz, (*JOINTS, GRIPPER), clock="controller")
        return Description(
            "acme7", f"ACME-{self._settings.address}", "1.0", (stream,), "position", chain=CHAIN, acts=ACTS,
            gripper=GripperFacts("two fingers"), checks=(CheckItem("payload", "pass", "0.8 kg, as it was last time"),),
        )  # fmt: skip

    def read(self) -> list[Reading]:
        now_ns = self._place.clock()
        lines = self._lines()
        if lines:
            self._heard_ns = now_ns
            self._state = json.loads(lines[-1])
        elif now_ns - self._heard_ns > SILENT_NS:
            raise DeviceSilent(
                self._place.node,
                self._settings.address,
                "100 reports a second",
                "none for 0.5 s",
                "check cable and power",
            )
        readings = [self._reading(json.loads(line), now_ns) for line in lines]
        return [reading for reading in readings if reading is not None]

    def health(self) -> dict[str, float]:
        return {}

    def warnings(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def goal(self) -> tuple[float, ...]:
        held = self._state["goal"] if self._state["on"] and self._state["mode"] == "running" else self._state["q"]
        return self._vector(held)

    def measured(self) -> tuple[float | None, ...]:
        return self._vector(self._state["q"])

    def effort(self) -> tuple[float | None, ...]:
        return (*self._state["tau"], None)

    def write(self, goal: tuple[float, ...]) -> int:
        if len(goal) != len(JOINTS) + 1 or not all(math.isfinite(value) for value in goal):
            raise CommandRefused(f"{self._place.node}: {goal} is no vector of {len(JOINTS) + 1} finite numbers")
        if self.condition().mode != "ready":
            raise CommandRefused(f"{self._place.node} takes no goal: it is {self.condition().mode}")
        kept = [max(-2.9, min(2.9, value)) for value in goal[:-1]]
        self._send("goal", q=[*kept, WIDTH_M * max(0.0, min(1.0, goal[-1]))])
        self._state["goal"] = [*kept, WIDTH_M * goal[-1]]
        return self._place.clock()

    def condition(self) -> Condition:
        if self._state["mode"] == "protective_stop":
            return Condition(
                "stopped", "protective stop", f"look what it ran into, then `station recover {self._place.node}`"
            )
        if self._state["mode"] == "guiding":
            return Condition("guiding", "a hand guides it", f"`station recover {self._place.node} --act end_guide`")
        return Condition("ready" if self._state["on"] else "off")

    def torque(self, on: bool, free: tuple[str, ...] = ()) -> None:
        if not set(free) <= {GRIPPER.name}:
            raise CommandRefused(f"{self._place.node}: of {', '.join(free)} only the gripper may be let go of")
        self._send("power", on=on)
        self._until(lambda: self._state["on"] == on)

    def torque_on(self) -> bool:
        return bool(self._state["on"])

    def act(self, name: str) -> Iterator[str]:
        if name not in ASKED:
            raise CommandRefused(f"{self._place.node} knows no act {name!r}")
        command, mode = ASKED[name]
        self._send(command)
        while self._state["mode"] != mode:
            yield f"its controller to say {mode}"

    def _until(self, true: Any) -> None:
        end_ns = self._place.clock() + SILENT_NS
        while not true():
            if self._place.clock() > end_ns:
                raise CommandRefused(f"{self._place.node} does not do as it is told. Next: look at its pendant")
            self.read()

    def _send(self, what: str, **more: Any) -> None:
        if self._socket is None:
            raise self._missing("it is closed")
        try:
            self._socket.sendall(json.dumps({"do": what, **more}).encode() + b"\n")
        except OSError as error:
            raise self._missing(str(error)) from error

    def _lines(self) -> list[bytes]:
        if self._socket is None:
            raise self._missing("it is closed")
        try:
            got = self._socket.recv(65536)
        except TimeoutError:
            return []
        except OSError as error:
            raise self._missing(str(error)) from error
        if not got:
            raise self._missing("it hung up")
        *lines, self._left = (self._left + got).split(b"\n")
        return lines

    def _reading(self, state: dict[str, Any], now_ns: int) -> Reading | None:
        device_ns = round(state["t_s"] * NS_PER_S)
        if not self._clock.observe(device_ns, now_ns):
            return None
        captured_at_ns = min(self._clock.to_host(device_ns), now_ns)
        if captured_at_ns <= self._last_ns:
            return None
        self._last_ns = captured_at_ns
        body = ArmState(
            self._vector(state["q"]), (0.0,) * 8, (*state["tau"], 0.0), None, None, bool(state["on"]), 2_000_000
        )
        return Reading("arm_state", captured_at_ns, body)

    def _vector(self, axes: list[float]) -> tuple[float, ...]:
        return (*axes[:-1], axes[-1] / WIDTH_M)

    def _missing(self, found: str) -> DeviceMissing:
        return DeviceMissing(
            self._place.node,
            self._settings.address,
            "an ACME controller",
            found,
            "switch it on, check the network cable",
        )
