"""Requests at every node of a rig that runs: none dies, none hangs, none leaves a trace in its log."""

import itertools
import random
import time
from pathlib import Path
from typing import Any, get_args

from station.borders.decoding import Decoder, Undecodable
from station.bus import wire
from station.bus.messages import Health
from station.bus.requests import (
    ArmRequest,
    PilotRequest,
    PolicyRequest,
    Refused,
    Reply,
    Restart,
    SessionRequest,
    Shutdown,
    SupervisorRequest,
    SyncRequest,
)
from station.bus.requests.request import Who
from station.bus.sockets import RequestClient
from station.files.runtime_folder import runtime_folder
from tests.system.fuzz.made import BROKEN, MODES, Maker
from tests.system.fuzz.steps import SLOW_S, Step
from tests.system.rig import Booted

AT_ONCE = 50
"""Requests between two questions whether the node still answers."""
PROBE = b"\xc1"
"""No MessagePack: every node refuses it at once, whatever it is doing."""
FORBIDDEN = (Shutdown, Restart)
"""They are to end nodes: what they do is tested elsewhere."""


def borders(rig: Booted) -> dict[str, Any]:
    """The nodes that take requests, and the union each takes."""
    arms = dict.fromkeys((*rig.rig.leaders, *rig.rig.followers), ArmRequest)
    known = {
        "session": SessionRequest, "pilot": PilotRequest, "synchronizer": SyncRequest, "supervisor": SupervisorRequest,
        "policy": PolicyRequest, **arms,
    }  # fmt: skip
    return {node: kinds for node, kinds in known.items() if node == "supervisor" or node in rig.nodes}


def fuzz(rig: Booted, node: str, seed: int, count: int, folder: Path) -> Step:
    """So many requests at one node, of its own union, of others', and of bytes that are none."""
    chance = random.Random(f"{node} {seed}")
    everything = borders(rig)
    names = (*rig.nodes, "rig", "waist", "gripper", "leader", "policy", "pick")
    maker = Maker(chance, names, folder)
    decoder: Decoder[Any] = Decoder("msgpack", everything[node])
    pids, traces = rig.pids(), told(rig)
    understood, slowest = 0, 0.0
    wrong: list[str] = []
    state = rig.session()
    who = Who("fuzz", "nobody", state.sequence if state is not None else 0)
    with RequestClient(rig.rig.name, node) as client:
        for first in range(0, count, AT_ONCE):
            batch = [_request(maker, everything, node) for _ in range(min(AT_ONCE, count - first))]
            for raw in batch:
                understood += _decodes(decoder, raw)
                client._socket.send_multipart([b"\xff\xff\xff\xff", wire.encode_struct(who), raw])
            took_s = probe(client)
            slowest = max(slowest, took_s)
            if took_s > SLOW_S:
                wrong.append(f"did not answer for {took_s:.1f} s after {[raw[:60] for raw in batch[-3:]]}")
                break
    wrong += damage(rig, pids, traces)
    return Step("requests", node, seed, count, understood, slowest, tuple(wrong))


def probe(client: RequestClient) -> float:
    """How long the node takes to refuse what is no request, after all that waits before it; s."""
    number = next(_numbers).to_bytes(4)
    begun = time.perf_counter()
    client._socket.send_multipart([number, PROBE])
    while time.perf_counter() - begun < 2 * SLOW_S:
        reply: Reply | None = client.poll_reply(number, 100)
        if reply is not None:
            assert isinstance(reply, Refused), reply
            break
    return time.perf_counter() - begun


_numbers = itertools.count(1)


def told(rig: Booted) -> dict[str, int]:
    """How long each log is."""
    return {path.name: path.stat().st_size for path in _logs(rig)}


def _logs(rig: Booted) -> list[Path]:
    folder = runtime_folder(rig.rig.name)
    return [*(folder / "logs").glob("*.log"), folder / "supervisor.log"]


def damage(rig: Booted, pids: dict[str, int], logs: dict[str, int]) -> list[str]:
    """Nodes that died or say nothing since, and what their logs tell that they must not."""
    wrong = [f"{node} died" for node, pid in rig.pids().items() if pids.get(node) not in (None, pid)]
    for path in _logs(rig):
        with path.open("rb") as file:
            file.seek(logs.get(path.name, 0))
            fresh = file.read().decode(errors="replace")
        if "Traceback" in fresh or "fell over" in fresh:
            wrong.append(f"{path.name}: {fresh[fresh.rfind('Traceback') :][-1500:]}")
        if any(not line.isprintable() for line in fresh.replace("\t", " ").splitlines()):
            wrong.append(f"{path.name} has what no log may show")
    for node in rig.nodes:
        health = rig.health(node)
        if not isinstance(health, Health):
            wrong.append(f"{node} says nothing")
    return wrong


def _request(maker: Maker, everything: dict[str, Any], node: str) -> bytes:
    mode = maker.chance.choice(MODES)
    whose = node if maker.chance.random() < 0.9 else maker.chance.choice(list(everything))
    kinds = [kind for kind in get_args(everything[whose]) if kind not in FORBIDDEN]
    if not kinds or (node == "supervisor" and whose == node):
        return maker.bytes_of(Restart(maker.chance.choice(("nobody", "\x1b[2J", "[/]", "é" * 90))), mode)
    raw = maker.bytes_of(maker.struct(maker.chance.choice(kinds), mode), mode)
    forbidden = node == "supervisor" and mode == BROKEN and (b"Shutdown" in raw or b"Restart" in raw)
    return PROBE if forbidden else raw


def _decodes(decoder: Decoder[Any], raw: bytes) -> bool:
    try:
        decoder.decode(raw)
    except Undecodable:
        return False
    return True


def quiet(rig: Booted) -> None:
    """Back to where a rig stands still: whatever sitting the fuzz has opened is closed."""
    rig.close_session()
