"""Samples against every node that hears any, in this process: what the bus would let pass reaches the real node's own ears.

Strangers cannot publish on a running rig's bus, so the nodes are here without their loops. Every sample crosses the wire's border first;
behind it comes what a node of ours that has gone mad could send: right types, any numbers, any lengths, in any phase.
"""

import random
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from station.bus import keys, wire
from station.bus.messages import SCHEMA, Command, Frame, Header, Health, Message
from station.bus.requests import PolicyRequest
from station.bus.sockets import RequestServer
from station.bus.streams import STREAMS, topic
from station.bus.wire import Sample
from station.clock import NS_PER_MS, NS_PER_S
from station.console.pictures import as_jpeg
from station.console.vr_board import board
from station.console.vr_panel import Panel
from station.control.pilot import Pilot
from station.control.vr_teleop import VrTeleop
from station.errors import CommandRefused, StationError, WireError
from station.policy.runner import Runner
from station.rig.rig import Rig
from station.runtime.backoff import Backoff
from station.runtime.node import Node
from station.runtime.processes import processes
from station.runtime.supervisor import Child
from station.safety import Gate
from station.session.node import SessionNode
from station.sync.synchronizer import Synchronizer
from tests.station.control.stage import DIMENSIONS
from tests.system.fuzz.made import ABSURD, MODES, Maker
from tests.system.fuzz.steps import SLOW_S, Step

Feed = Callable[[Sample, int], None]
Streams = tuple[tuple[str, str], ...]


class Ears:
    """A Subscriber that hears what the test says."""

    def __init__(self, of: Any) -> None:
        self.socket, self.lost, self._of = of.socket, of.lost, of
        self.said: deque[Sample] = deque()

    def receive(self, timeout_ms: int = 0) -> Sample | None:
        return self.said.popleft() if self.said else None

    def newest(self) -> dict[tuple[str, str], Sample]:
        found = {(sample.kind, sample.node): sample for sample in self.said}
        self.said.clear()
        return found

    def close(self) -> None:
        self._of.close()


def synchronizer(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """Samples of devices, in and out of a tick."""
    made = Synchronizer(node)
    ears = made._bus = Ears(made._bus)  # type: ignore[assignment]
    stack.callback(made._stop)
    ticks = iter(range(10**9, 2 * 10**9))

    def feed(sample: Sample, now_ns: int) -> None:
        ears.said.append(sample)
        made._drain()
        if now_ns % 4 == 0:
            made._do(made._core.tick(next(ticks) if now_ns % 8 else made._grid.index_at(now_ns), now_ns))
            made._hear_journal()
            made._do(made._core.turn(made._now(), 0))

    devices = [device.node for device in node.rig.devices]
    kinds = ("arm_state", "frame", "depth", "hand_pose", "vector", "description", "health", "applied", "command")
    return feed, (
        *((kind, name) for kind in kinds for name in devices),
        ("setpoint", "policy"),
        ("pilot", "pilot"),
        ("health", "policy"),
    )


def pilot(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """Arms and sources, as the pilot hears them."""
    made = Pilot(node)
    stack.callback(made.close)

    def feed(sample: Sample, now_ns: int) -> None:
        made._hear(sample, now_ns)
        made._core.tick(now_ns)
        made._tell(now_ns)

    arms = (*node.rig.leaders, *node.rig.followers)
    return feed, (
        *((kind, arm) for kind in ("arm_state", "description", "applied") for arm in arms),
        ("setpoint", "policy"), ("setpoint", "vr_teleop"), ("setpoint", "replay"),
    )  # fmt: skip


def vr_teleop(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """Hands, arms, and the pilot's state."""
    made = VrTeleop(node)
    stack.callback(made._session.close)
    stack.callback(made._bus.close)

    def feed(sample: Sample, now_ns: int) -> None:
        made._hear(sample)
        made._publish(made._core.check(now_ns))
        made._tell(now_ns)

    arms = [(kind, arm) for kind in ("arm_state", "applied", "description") for arm in node.rig.followers]
    return feed, (("hand_pose", "vr"), ("hand_pose", "vr"), ("pilot", "pilot"), *arms)


def vr_panel(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """States and pictures for the headset's display."""
    made = Panel(node)
    stack.callback(made._client.close)
    stack.callback(made._states.close)

    def feed(sample: Sample, now_ns: int) -> None:
        made._hear(sample)
        as_jpeg(sample)
        msgspec.msgpack.encode(board(made._session, made._pilot, made._teleop, node.rig.tick_hz))

    states = (("session", "session"), ("pilot", "pilot"), ("teleop", "vr_teleop"))
    return feed, (*states, *(("frame", camera) for camera in node.rig.cameras))


def session(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """What pilot and synchronizer say."""
    made = SessionNode(node)
    ears = made._heard = Ears(made._heard)  # type: ignore[assignment]
    stack.callback(made._request_server.close)
    stack.callback(ears.close)
    for client in made._clients.values():
        stack.callback(client.close)

    def feed(sample: Sample, now_ns: int) -> None:
        ears.said.append(sample)
        made._hear()
        made._tell(now_ns)

    return feed, (("pilot", "pilot"), ("recorder", "synchronizer"))


def arm_host(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """Commands at an arm's last gate: what it lets pass is finite and within the limits."""
    gate = Gate(DIMENSIONS, node.rig.safety)
    gate.reset((0.0, 0.0, 0.5), 0)

    def feed(sample: Sample, now_ns: int) -> None:
        goals = []
        if isinstance(sample.body, Command):
            with suppress(CommandRefused):
                goals.append(gate.command(sample.body, now_ns, sample.header.start_id))
        goals.append(gate.tick(now_ns, (0.0, 0.0, 0.5), (0.0, 0.0, 0.0)))
        for goal in goals:
            if goal is not None:
                assert all(d.lower <= value <= d.upper for d, value in zip(DIMENSIONS, goal, strict=True)), goal

    return feed, (("command", "follower_left"),)


def supervisor(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """Health of the nodes, told on as the station's state."""

    class Hearing(Child):
        """A row of the table without a process."""

    made = {}
    for row in processes(node.rig):
        child = Hearing.__new__(Hearing)
        child.row, child.popen, child.restarts, child.backoff, child.last_exit = row, None, 0, Backoff(), ""
        child.health, child.health_at_ns, child._usage, child._killed = None, 0, None, False
        made[row.node] = child

    def feed(sample: Sample, now_ns: int) -> None:
        if sample.kind == "health" and isinstance(sample.body, Health):
            made[sample.node].hear(sample.body, now_ns)
        msgspec.msgpack.encode(made[sample.node].state(now_ns))
        made[sample.node].stuck(now_ns)

    return feed, tuple(("health", name) for name in made)


def policy(node: Node, stack: ExitStack) -> tuple[Feed, Streams]:
    """Ticks, the pilot and what the followers are, at a runner that has no policy yet."""
    requests: RequestServer[PolicyRequest] = RequestServer(node.rig.name, node.name, PolicyRequest)
    stack.callback(requests.close)
    made = Runner(node, requests)
    ears = made._bus = Ears(made._bus)  # type: ignore[assignment]
    stack.callback(ears.close)

    def feed(sample: Sample, now_ns: int) -> None:
        ears.said.append(sample)
        made._turn()

    return feed, (("tick", "synchronizer"), ("pilot", "pilot"), *(("description", name) for name in node.rig.followers))


VICTIMS = {
    victim.__name__: victim
    for victim in (session, pilot, arm_host, synchronizer, supervisor, policy, vr_teleop, vr_panel)
}


@contextmanager
def listening(name: str, rig: Rig, now_ns: Callable[[], int]) -> Iterator[tuple[Feed, Streams]]:
    """One node that listens, in this process."""
    with ExitStack() as stack:
        nodes = {
            *VICTIMS,
            *(row.node for row in processes(rig)),
            *(device.node for device in rig.devices),
            "replay",
            "supervisor",
        }
        keys.hold(keys.make_rings(sorted(nodes))[name])
        stack.callback(keys.let_go, name)
        node = Node(rig, name, now_ns)
        stack.callback(node.close)
        feed, streams = VICTIMS[name](node, stack)
        yield feed, streams


def fuzz(name: str, rig: Rig, seed: int, count: int, folder: Path) -> Step:
    """So many samples at one node."""
    chance = random.Random(f"{name} {seed}")
    now_ns = 1000 * NS_PER_S
    names = (*(device.node for device in rig.devices), "rig", "pilot", "waist", "gripper", "leader", "none")
    maker = Maker(chance, names, folder)
    understood, slowest, wrong = 0, 0.0, []
    with listening(name, rig, lambda: now_ns) as (feed, streams):
        for _ in range(count):
            now_ns += chance.choice((0, NS_PER_MS, 5 * NS_PER_MS, 20 * NS_PER_MS, 600 * NS_PER_MS))
            maker.now_ns = now_ns
            sample = _sample(maker, chance.choice(streams))
            if sample is None:
                continue
            understood += 1
            begun = time.perf_counter()
            try:
                feed(sample, now_ns)
            except StationError as error:
                wrong.append(f"{type(sample.body).__name__}: {type(error).__name__} {error}")
            except Exception:
                wrong.append(f"{type(sample.body).__name__}: {traceback.format_exc(limit=-3)}")
            slowest = max(slowest, time.perf_counter() - begun)
    if slowest > SLOW_S:
        wrong.append(f"took {slowest:.1f} s")
    return Step("samples", name, seed, count, understood, slowest, tuple(dict.fromkeys(wrong)))


def _sample(maker: Maker, stream: tuple[str, str]) -> Sample | None:
    """What the wire lets pass; None of what it refuses, with a WireError and nothing else."""
    kind, node = stream
    mode = maker.chance.choice(MODES)
    body = maker.struct(STREAMS[kind].body, mode)
    header = Header(SCHEMA, maker.chance.choice((1, 1, 1, 2)), maker.chance.randrange(1000), 0, maker.now_ns)
    stamp = maker.value(int, mode, "captured_at_ns")
    header = msgspec.structs.replace(header, captured_at_ns=stamp, body=STREAMS[kind].body.__name__)
    payload = _payload(maker, body)
    frames = [
        topic(kind, node),
        maker.bytes_of(header, mode if mode == ABSURD else "plain"),
        maker.bytes_of(body, mode),
        *payload,
    ]
    try:
        return wire.decode(frames)
    except WireError:
        return None


def _payload(maker: Maker, body: Message | msgspec.Struct | None) -> list[bytes]:
    if not isinstance(body, Frame):
        return []
    whole = b"\xff\xd8\xff\xe0" + maker.chance.randbytes(30) + b"\xff\xd9"
    return maker.chance.choice(([], [b""], [whole], [maker.chance.randbytes(1000)], [whole, whole]))
