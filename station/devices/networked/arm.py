"""An arm on the network, as far as its maker does not matter: read as states come, told goals through a `Program`, held by its
controller.

A driver says how its controller is connected to (`_connect`), how it stands (`condition`), and what is particular about it; silence,
goals, the gripper and the order in which all of it ends are here. While the controller is silent nothing is sent to it: it keeps goals,
no queue.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from station.clock import NS_PER_MS, NS_PER_S
from station.devices.contract import Condition, Description, Place, Reading
from station.devices.networked.grip import LOST, Grip
from station.devices.networked.program import Program
from station.devices.networked.reader import Broken, Reader
from station.devices.networked.readings import Fingers, Readings, State
from station.errors import CommandRefused, DeviceMissing, DeviceSilent, DeviceWrong

MISSING_NS, SILENT_NS = 100 * NS_PER_MS, NS_PER_S // 2
"""No word from the controller: nothing is sent to it any more; the arm is lost."""
STARTS_NS = 900 * NS_PER_MS
"""How long `torque` waits for the program to run, for the power to be off: no call takes a second."""
FIRST_NS = 800 * NS_PER_MS
NAMED_NS = 5 * NS_PER_S
"""How long an opening waits for the first reading, and then for the serial number: a vendor's library may have to be imported first."""
GRIPPER = "gripper"
_WAIT_S, _BLOCK_S = 0.01, 0.05

S = TypeVar("S", bound=State)


class Gripper(Protocol):
    """A gripper that nobody waits for."""

    @property
    def fingers(self) -> Fingers | None:
        """The newest reading; None before the first."""

    @property
    def trouble(self) -> str:
        """What is wrong with it; "" if nothing is."""

    def newest(self, now_ns: int) -> Fingers | None:
        """The newest reading, unless it is old."""

    def go(self, opening: float) -> None:
        """Where the fingers are to be; the newest counts."""

    def rest(self) -> None:
        """Nothing more is asked of it; it stays as it is."""

    def close(self) -> None:
        """Let go of it; it stays as it is."""


class NetworkedArm(ABC, Generic[S]):
    """See `station.devices.contract.ArmDriver` for what each method promises."""

    paced: ClassVar[bool] = True
    maker: ClassVar[str]
    """`a controller of …`, for messages."""

    def __init__(self, settings: Any, place: Place, reach_rad: tuple[tuple[float, float], ...], gripped: bool) -> None:
        """`reach_rad`: each joint's limits, one pair each; `gripped`: is the vector's last number a gripper?"""
        self._settings, self._place, self._reach, self._gripped = settings, place, reach_rad, gripped
        self._period_ns = round(NS_PER_S / settings.rate_hz)
        self._reader: Reader[S] | None = None
        self._program: Program
        self._gripper: Gripper | None = None
        self._held = Grip()
        self._state: S
        self._heard_ns = 0
        self._readings: Readings
        self._goal: tuple[float, ...] | None = None
        """What it follows or holds while its program runs."""
        self._read_ns = 0
        self._ending, self._broken = ExitStack(), False

    # -- what its maker's driver says --

    @abstractmethod
    def _connect(self) -> Reader[S]:
        """Readings of its controller. Raises OSError where nobody answers, Broken where it is none."""

    @abstractmethod
    def _prepare(self, ending: ExitStack) -> None:
        """What else is needed: `_program`, `_readings`, `_gripper` where there is one. What is opened is closed by `ending`."""

    @abstractmethod
    def _following(self) -> bool:
        """Does the controller, as last heard, do what a program tells it?"""

    @abstractmethod
    def _not_startable(self) -> str:
        """Why its program cannot be started, and what to do; "" if it can."""

    @abstractmethod
    def _power_off(self) -> None:
        """Motors off, brakes on. Raises CommandRefused where that does not happen in time."""

    @abstractmethod
    def _acts(self, name: str) -> Iterator[str]:
        """One of the acts that `describe()` names."""

    @abstractmethod
    def _after(self, why: str) -> str:
        """What to do about a program that does not start."""

    @abstractmethod
    def describe(self) -> Description:
        """Joints, limits, geometry, what was checked."""

    @abstractmethod
    def condition(self) -> Condition:
        """How its controller, its program and its gripper let it stand."""

    @abstractmethod
    def torque_on(self) -> bool:
        """Are motors on and brakes released."""

    # -- opening --

    def open(self) -> None:
        """Connect; nothing is sent that the arm could do something about."""
        self.close()
        try:
            self._reader = self._connect()
        except Broken as error:
            raise DeviceWrong(
                self._place.node, self._settings.address, self.maker, str(error), "correct the rig file's address"
            ) from error
        except OSError as error:
            raise self._missing(str(error)) from error
        self._goal, self._held = None, Grip()
        try:
            self._prepare(self._ending)
            self._begin(self._reader)
        except BaseException:
            self.close()
            raise

    def _begin(self, reader: Reader[S]) -> None:
        """The first reading, and what else it is described by."""
        until_ns = self._place.clock() + FIRST_NS
        first = reader.take(_BLOCK_S)
        while not first and self._place.clock() < until_ns and not reader.broken:
            first = reader.take(_BLOCK_S)
        if not first:
            raise self._silent(reader.broken or "none at all")
        self._take(first)
        while self._gripper is not None and self._gripper.fingers is None and self._place.clock() < until_ns:
            self._take(reader.take(_BLOCK_S))
        until_ns += NAMED_NS
        while not self._named() and self._place.clock() < until_ns:
            self._take(reader.take(_BLOCK_S))

    def _named(self) -> bool:
        """Is it known by now which arm this is, as far as its controller says it? Its calibration is kept under that name."""
        return True

    def _take(self, states: list[S]) -> None:
        if states:
            self._state, self._heard_ns = states[-1], states[-1].arrived_ns

    # -- readings --

    def read(self) -> list[Reading]:
        """What has come. Who reads faster than the rate waits for it."""
        reader = self._opened()
        hurried = self._place.clock() - self._read_ns < self._period_ns // 2
        states = reader.take(_BLOCK_S if hurried else 0.0)
        self._read_ns = self._place.clock()
        self._take(states)
        silent = self._silent_ns() > MISSING_NS
        if not self._program.look(stopped=not silent and not self._following()):
            self._rest()
        if not states:
            self._refuse_silence(reader)
        fingers, powered = self._gripper.fingers if self._gripper is not None else None, self.torque_on()
        if fingers is not None:
            self._held.look(fingers, self._goal[-1] if self._goal is not None else None)
        readings = [reading for state in states if (reading := self._readings.arm(state, powered, fingers)) is not None]
        return [*readings, *self._readings.held(fingers, self._state.arrived_ns)] if states else []

    def _refuse_silence(self, reader: Reader[S]) -> None:
        if reader.broken:
            raise self._missing(reader.broken)
        silent_ns = self._silent_ns()
        if silent_ns > SILENT_NS:
            raise self._silent(f"none for {silent_ns / NS_PER_S:.1f} s")

    def _silent_ns(self) -> int:
        return self._place.clock() - self._heard_ns

    def goal(self) -> tuple[float, ...]:
        """What it follows while its program runs; else where it is, for there the controller holds it."""
        here = self._where()
        if self._goal is None or not self._program.runs:
            return here
        return self._goal

    def _where(self) -> tuple[float, ...]:
        if self._gripper is None:
            return self._state.position_rad
        fingers = self._gripper.fingers
        return (*self._state.position_rad, fingers.opening if fingers is not None else math.nan)

    def measured(self) -> tuple[float | None, ...]:
        """Where it is; None for the joints of a silent controller, and for a gripper that does not answer."""
        now_ns = self._place.clock()
        joints: tuple[float | None, ...] = (
            self._state.position_rad if self._silent_ns() <= MISSING_NS else (None,) * len(self._reach)
        )
        if self._gripper is None:
            return joints
        fingers = self._gripper.newest(now_ns)
        return (*joints, fingers.opening if fingers is not None else None)

    def effort(self) -> tuple[float | None, ...]:
        """As last read; a gripper has none."""
        effort = self._state.effort
        return effort if self._gripper is None else (*effort, None)

    # -- commands --

    def write(self, goal: tuple[float, ...]) -> int:
        """Hand a goal on. While the controller is silent it is kept, not queued: nothing is obeyed in a burst when it speaks again."""
        count = len(self._reach) + self._gripped
        if len(goal) != count or not all(math.isfinite(value) for value in goal):
            raise CommandRefused(f"{self._place.node}: {goal} is no vector of {count} finite numbers")
        condition = self.condition()
        if condition.mode != "ready":
            raise CommandRefused(f"{self._place.node} takes no goal: it is {condition.mode} ({condition.said})")
        kept = [max(low, min(high, value)) for value, (low, high) in zip(goal, self._reach, strict=False)]
        if self._gripper is not None:
            kept.append(max(0.0, min(1.0, goal[-1])))
            self._gripper.go(kept[-1])
        self._goal = tuple(kept)
        if self._silent_ns() <= MISSING_NS:
            self._program.follow(self._goal[: len(self._reach)])
        return self._place.clock()

    def torque(self, on: bool, free: tuple[str, ...] = ()) -> None:
        """On: its program is started, following from where the arm is. Off: its power is off, and its brakes hold it."""
        if not set(free) <= ({GRIPPER} if self._gripped else set()):
            raise CommandRefused(f"{self._place.node}: of {', '.join(free)} none may be let go of but the gripper")
        if not on:
            self._program.forget()
            self._rest()
            self._power_off()
            return
        if why := self._not_startable():
            raise CommandRefused(f"{self._place.node}: {why}")
        if not self._program.runs:
            self._start()
        if self._gripper is not None and GRIPPER in free:
            self._gripper.rest()

    def _start(self) -> None:
        self._program.start(self._state.position_rad)
        until_ns = self._place.clock() + STARTS_NS
        while not (self._program.runs and self._following()):
            if self._place.clock() > until_ns:
                raise CommandRefused(f"{self._place.node}: its program does not run yet. Next: ask again in a moment")
            self._heed()
            if not self._program.look(stopped=False):
                why = self._program.lost.rstrip(". ")
                raise CommandRefused(f"{self._place.node}: its program did not start: {why}. Next: {self._after(why)}")
        self._goal = self._where()

    def _rest(self) -> None:
        """It follows nothing."""
        self._goal = None
        if self._gripper is not None:
            self._gripper.rest()

    def _heed(self) -> None:
        """A moment, and what has come in it."""
        self._take(self._opened().take(_WAIT_S))

    def act(self, name: str) -> Iterator[str]:
        """Its program is given up first: every act ends in a hold."""
        if name not in {act.name for act in self.describe().acts}:
            raise CommandRefused(f"{self._place.node} knows no act {name!r}")
        self._program.forget()
        self._rest()
        return self._acts(name)

    # -- ending --

    def close(self) -> None:
        """It stops following and holds; its power stays on."""
        if self._reader is None:
            return
        self._broken = bool(self._reader.broken) or self._silent_ns() > MISSING_NS
        self._reader.close()
        self._reader = None
        self._ending.close()
        self._gripper = None

    def _run(self, program: Program, ending: ExitStack) -> None:
        """This program; it ends with a word to the controller where that hears one."""
        self._program = program
        ending.callback(lambda: program.close(at_once=self._broken))

    def _grip(self, gripper: Gripper, ending: ExitStack) -> None:
        """This gripper."""
        self._gripper = gripper
        ending.callback(gripper.close)

    def _opened(self) -> Reader[S]:
        if self._reader is None:
            raise self._missing("it is closed")
        return self._reader

    def _missing(self, found: str) -> DeviceMissing:
        return DeviceMissing(
            self._place.node, self._settings.address, self.maker, found,
            "switch it on, look at the network cable and the rig file's address",
        )  # fmt: skip

    def _silent(self, found: str) -> DeviceSilent:
        return DeviceSilent(
            self._place.node, self._settings.address, f"{self._settings.rate_hz:g} readings a second", found,
            "look at the network cable; the driver connects again by itself, and somebody has to engage",
        )  # fmt: skip

    def _warned(self) -> tuple[str, ...]:
        """What any make's arm warns of: a controller that says nothing, fingers that lost what they held."""
        told = (LOST,) if self._held.lost(self._place.clock()) else ()
        if self._silent_ns() <= MISSING_NS:
            return told
        return (
            f"no word from the controller for {self._silent_ns() / NS_PER_S:.1f} s: look at the network cable",
            *told,
        )
