"""The process around a device: `python -m station.devices.serving --rig R --node leader_left`.

Opens the driver, publishes what it reads, and opens it again when it is lost (readings only, never torque). For an arm it
is also the last gate: no command reaches `driver.write` but through `station.safety.Gate`, and a command is written
when it comes, between two reads, not at the next cycle.
"""

import contextlib
import importlib
import math
import time
from collections.abc import Callable

import msgspec
import zmq

from station.bus.messages import Applied, ArmState, Command, SourceName
from station.bus.requests import (
    ActLeave,
    ArmRequest,
    Done,
    Perform,
    Refused,
    Reply,
    Resume,
    TorqueLeave,
    TorqueOff,
    TorqueOn,
)
from station.bus.sockets import RequestServer, Subscriber, milliseconds_until
from station.clock import NS_PER_S, Clock, Grid, monotonic_ns
from station.devices.acting import Acting
from station.devices.calibrated import calibrated
from station.devices.contract import ArmDriver, Condition, Description, Driver, GentleArm, Place, Reading
from station.devices.host import Host, PushHost
from station.errors import CommandRefused, DeviceError, RequestRefused, StationError
from station.rig.rig import Rig, load_class
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.runtime.realtime import single_threaded_numpy
from station.safety import Gate
from station.safety.condition import Latch
from station.safety.leave import Leave

REOPEN_NS = NS_PER_S // 2
"""Between two attempts to open a lost device."""
STANDING_NS = NS_PER_S // 2
"""How often an arm that does not follow repeats the goal it holds."""
REFUSALS_NS = 5 * NS_PER_S
"""How often refused commands get a line in the log: they may come 200 times a second."""


def main(node: Node) -> None:
    """A device node's life: open, serve, and again."""
    driver, port = driver_of(node.rig, node.name, node.clock), node.rig.device(node.name).port
    host = _ArmHost(node, driver) if isinstance(driver, ArmDriver) else PushHost(node, driver)
    try:
        while not node.finish.is_set():
            try:
                host.say_it_opens()
                driver.open()
                host.opened(calibrated(node.name, port, driver.describe()))
                node.error = ""
                while not node.finish.is_set():
                    host.step()
            except DeviceError as error:
                if str(error) != node.error:
                    node.log.error("%s", error)
                host.lost(str(error))
            finally:
                driver.close()
            host.wait_closed(node.clock() + REOPEN_NS)
    finally:
        host.close()


def driver_of(rig: Rig, node: str, clock: Clock) -> Driver:
    """A device's driver, not yet open."""
    device, safety = rig.device(node), rig.safety
    place = Place(node, device.role, clock, safety.velocity_rad_s, safety.resume_ms)
    driver: Driver = load_class(device.driver)(device.settings, place)
    return driver


class _ArmHost(Host):
    """A paced arm behind the last gate."""

    driver: ArmDriver

    def __init__(self, node: Node, driver: Driver) -> None:
        super().__init__(node, driver)
        self.gate, self.dimensions = Gate((), node.rig.safety), 0
        self.leave = Leave(node.name, node.rig.device(node.name).role == "leader")
        self.latch, self.acting = Latch(), Acting()
        self.condition = Condition("off")
        self.request_server: RequestServer[ArmRequest] = RequestServer(node.rig.name, node.name, ArmRequest)
        self.commands = Subscriber(node.rig.name, [("command", node.name)], publishers=["pilot"])
        self.poller = zmq.Poller()
        self.poller.register(self.request_server.socket, zmq.POLLIN)
        self.poller.register(self.commands.socket, zmq.POLLIN)
        self.grid = Grid(0, 1.0)
        self.cycle = 0
        self.overruns = self.refused = 0
        self.stalls = 0
        """Of the gates before this one."""
        self.refusals_due_ns = 0
        self.last = Command(node.name, "none", -1, -1, 0, ())
        self.standing: tuple[str, bool, tuple[float, ...]] = ("", False, ())
        self.standing_due_ns = 0

    def opened(self, description: Description) -> None:
        super().opened(description)
        arm = next(stream for stream in description.streams if stream.kind == "arm_state")
        now_ns = self.node.clock()
        self.stalls += self.gate.stalls.count
        self.gate, self.dimensions = Gate(arm.dimensions, self.node.rig.safety), len(arm.dimensions)
        self.latch.release()
        if self.driver.torque_on():
            self._hold_there()
        self._look()
        self.grid = Grid(now_ns, arm.rate_hz)
        self.cycle = 0

    def step(self) -> None:
        """Wait for the next read, serving commands and requests meanwhile; then read."""
        due_ns = self.grid.time_ns(self.cycle)
        self._serve_until(due_ns)
        readings = self.driver.read()
        self._look()
        self.streams.publish([self._with_condition(reading) for reading in readings])
        self._serve(0)  # a read that took long is no silence of the pilot's
        if self.acting.step(self.node.clock()):
            self._settle()
        now_ns = self.node.clock()
        goal = self.gate.tick(now_ns, self.driver.measured(), self.driver.effort())
        self._write(goal, held=bool(self.gate.holding))
        self._tell_standing(now_ns)
        behind = self.grid.index_at(self.node.clock()) - self.cycle
        self.overruns += max(0, behind)
        self.cycle += 1 + max(0, behind)
        self.report(now_ns)

    def _look(self) -> None:
        """What the arm says of itself, and what the gate makes of it."""
        now = self.condition = self.latch.take(self.driver.condition())
        if not self.driver.torque_on():
            self.gate.close(now.said if now.barred and now.why else "torque is off")
        elif now.mode == "guiding":
            self.gate.close(now.said or "the arm is guided by hand")
        elif now.mode in ("stopped", "hold") or (self.gate.stalled and now.why):
            self.gate.hold(now.said)
        elif self.gate.closed:  # guided until now, or motors that came on by another's doing: it stays where it is
            self._hold_there()

    def _hold_there(self) -> None:
        """The gate begins with the goal that the arm holds. It stays closed while a gripper has not answered yet: there is none."""
        goal = self.driver.goal()
        if all(map(math.isfinite, goal)):
            self.gate.reset(goal, self.node.clock())
        else:
            self.gate.close("not every joint has said where it is")

    def _with_condition(self, reading: Reading) -> Reading:
        """A reading of the arm with how it stands."""
        mode, why, next_ = self.condition
        if not isinstance(reading.body, ArmState) or (mode == "ready" and not why and not self.gate.holding):
            return reading
        if mode == "ready" and self.gate.holding:
            mode, why, next_ = "hold", self.gate.holding, ""
        return reading._replace(body=msgspec.structs.replace(reading.body, mode=mode, why=why, next=next_))

    def _settle(self) -> None:
        """An act is over: what the arm says of itself counts, and it holds where it is."""
        self.latch.release()
        self.gate.close("an operator's act is just over")
        self._look()

    def _serve_until(self, due_ns: int) -> None:
        while (wait_ms := milliseconds_until(due_ns, self.node.clock())) > 0:
            self._serve(wait_ms)
        # poll counts in milliseconds; the rest is slept, not spun
        time.sleep(max(0, due_ns - self.node.clock()) / NS_PER_S)
        self._serve(0)

    def _serve(self, wait_ms: int) -> None:
        """What comes within the time. Only who has something is looked at: an empty look costs as much as a poll."""
        ready = dict(self.poller.poll(wait_ms))
        if self.commands.socket in ready:
            for sample in self.commands.newest().values():
                if isinstance(sample.body, Command):
                    self._command(sample.body, sample.header.start_id)
        if self.request_server.socket in ready:
            self._answer()

    def _command(self, command: Command, pilot: int) -> None:
        now_ns = self.node.clock()
        try:
            goal = self.gate.command(command, now_ns, pilot)
        except CommandRefused as error:
            self.refused += 1
            if now_ns >= self.refusals_due_ns:
                self.refusals_due_ns = now_ns + REFUSALS_NS
                self.node.log.warning("command refused (%d so far): %s", self.refused, error)
            return
        if not command.stalled:  # what it follows, or held last, is told on
            self.last = command
        self._write(goal, held=False)

    def _write(self, goal: tuple[float, ...] | None, held: bool) -> None:
        """Write a goal the gate passed, and tell what was written, for which setpoint."""
        if goal is None:
            return
        try:
            written_ns = self.driver.write(goal)
        except CommandRefused as error:  # it stopped by itself since it was last read
            self.gate.close(str(error))
            return
        last = self.last
        applied = Applied(
            self.node.name, "hold" if held else last.source, last.tick, last.setpoint_sequence, last.setpoint_at_ns, goal,
            hold=held, limited=not held and self.gate.limited, why=self.gate.holding if held else "", stalled=self.gate.stalled,
            pressed=held and self.gate.pressed,
        )  # fmt: skip
        self.node.publisher.publish("applied", applied, written_ns)
        self.standing = (self.gate.holding, self.gate.stalled, goal)

    def _tell_standing(self, now_ns: int) -> None:
        """Tell the goal that stands while nothing is written, and why: on change and twice a second.

        The pilot starts its ramp there, and learns of a hold that needed no write. A goal is told whole: while there is none
        (no torque yet, and a servo that does not answer) nothing is.
        """
        gate = self.gate
        standing = (gate.holding, gate.stalled, gate.goal)
        moves = gate.following and not gate.stalled
        if moves or (standing == self.standing and now_ns < self.standing_due_ns):
            return
        if gate.holding != self.standing[0]:
            self.node.log.info("%s", f"holds: {gate.holding}" if gate.holding else "ready to follow")
        self.standing = standing
        if not (goal := gate.goal or self._where()):
            return
        self.standing_due_ns = now_ns + STANDING_NS
        last = self.last
        source: SourceName = "hold" if gate.holding else last.source if gate.stalled else "none"
        applied = Applied(
            self.node.name, source, last.tick, last.setpoint_sequence, last.setpoint_at_ns, goal,
            hold=bool(gate.holding), why=gate.holding, stalled=gate.stalled, pressed=gate.pressed,
        )  # fmt: skip
        self.node.publisher.publish("applied", applied, now_ns)

    def _where(self) -> tuple[float, ...]:
        """Where the whole arm is; () while that is not known of every joint."""
        measured = tuple(value for value in self.driver.measured() if value is not None)
        return measured if len(measured) == self.dimensions else ()

    def _answer(self) -> None:
        """What was asked. An act answers when it is over."""
        while (got := self.request_server.receive()) is not None:
            request, answer, _ = got
            try:
                if isinstance(request, Perform):
                    self._perform(request, answer)
                else:
                    answer(self._request(request))
            except StationError as error:
                answer(Refused(str(error)))

    def _request(self, request: ArmRequest) -> Reply:
        if not self.open:
            return Refused(f"{self.node.name} is not open: {self.node.error or 'opening'}")
        if isinstance(request, TorqueLeave | ActLeave):
            self.leave.give(request, self.node.clock())
            return Done()
        if self.acting.busy:
            return Refused(f"{self.node.name}: {self.acting.doing}. Next: wait for its end, then ask again")
        if isinstance(request, TorqueOff):
            self.leave.use(request, self.node.clock())
            self.driver.torque(False)
            self._look()
            return Done()
        self.leave.withdraw()
        self._look()
        if self.condition.barred:
            return Refused(f"{self.node.name} is {self.condition.mode}: {self.condition.said}")
        if isinstance(request, TorqueOn):
            self._torque_on(request)
        elif isinstance(request, Resume):
            self.gate.resume()
        return Done()

    def _torque_on(self, request: TorqueOn) -> None:
        was_whole = self.condition.mode == "ready"
        if request.gentle and not isinstance(self.driver, GentleArm):
            raise CommandRefused(
                f"{self.node.name} is not driven along: its driver knows no way in which one hand could stop it. "
                "Next: bring it to its follower by hand"
            )
        if request.gentle and isinstance(self.driver, GentleArm):
            self.driver.torque_gently(request.free)
        elif not was_whole or request.free:
            self.driver.torque(True, request.free)
        if not was_whole:
            self.gate.reset(self.driver.goal(), self.node.clock())

    def _perform(self, request: Perform, answer: Callable[[Reply], None]) -> None:
        if not self.open:
            raise RequestRefused(f"{self.node.name} is not open: {self.node.error or 'opening'}")
        self.leave.use(request, self.node.clock())
        if self.gate.following or self.acting.busy:
            what = self.acting.doing or "follows a source"
            raise RequestRefused(f"{self.node.name} {what}: no {request.act} now. Next: hold first, then ask again")
        self.acting.begin(request.act, self.driver.act(request.act), answer, self.node.clock())

    def lost(self, error: str) -> None:
        self.acting.end(Refused(f"{self.node.name} was lost meanwhile: {error}"))
        super().lost(error)

    def pause(self, until_ns: int) -> None:
        if self.poller.poll(min(100, milliseconds_until(until_ns, self.node.clock()))):
            self.commands.newest()
            self._answer()

    def own_warnings(self) -> tuple[str, ...]:
        mine = (self.condition.said,) if self.condition.why else ()
        doing = (self.acting.doing,) if self.acting.busy else ()
        return (*mine, *doing, *self.gate.warnings)

    def own_readings(self) -> dict[str, float]:
        return {
            "overruns": self.overruns, "refused_commands": self.refused, "torque": float(self.driver.torque_on()),
            "stalls": self.stalls + self.gate.stalls.count,
        }  # fmt: skip

    def close(self) -> None:
        self.acting.end(Refused(f"{self.node.name} ends. Next: start the station, then ask again"))
        self.request_server.close()
        self.commands.close()


def prepare(rig: Rig, node: str) -> None:
    """Import what the driver's `open()` will. What is not installed is `open()`'s to tell."""
    single_threaded_numpy()
    for module in driver_of(rig, node, monotonic_ns).opens_with():
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


if __name__ == "__main__":
    run(main, STOP_DELAY_S[2], prepare)
