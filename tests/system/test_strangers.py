"""A program of the same user beside a rig that is engaged: it takes no torque, moves no arm, and reaches no file.

It has what every such program has: the runtime folder, the code, and the client's key.
"""

import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

import h5py
import psutil
import pytest
import zmq

from station.bus import keys, wire
from station.bus.endpoints import request_endpoint, stream_endpoint
from station.bus.messages import SCHEMA, ArmState, Command, Header, PilotState
from station.bus.requests import Hold, Perform, Resume, Stop, TorqueLeave, TorqueOff, TorqueOn
from station.bus.requests.request import Request, Who
from station.bus.streams import topic
from station.clock import NS_PER_S, monotonic_ns
from station.errors import RequestRefused
from tests.system.rig import Booted

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
ARM = "follower_left"
FAR_RAD = (1.0, -0.2, 0.2, 1.0, 0.5, 1.0, 0.0)
"""Where a stranger would have the arm."""
ASTRAY_RAD_S = 0.4
"""How fast a stranger would lead it away."""
ON_THEIR_WAY_NS = NS_PER_S // 20
"""After its sender's death a command may still be written."""
ASKED = (TorqueOff(""), TorqueLeave("x", "parked"), TorqueOff("x"), Resume(), TorqueOn(), Perform("recover", "0"))


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Instead of the suite's own: the rig outlives its tests."""


def told(rig: Booted) -> PilotState:
    """The pilot's state, freshly told."""
    now_ns = monotonic_ns()
    return rig.until("word from the pilot", lambda: rig.pilot(now_ns))


def engaged(rig: Booted) -> PilotState:
    """Arms follow their leaders."""
    rig.ready()
    rig.open_session()
    state = told(rig)
    assert state.state == "engaged", rig.told()
    return state


def goes_on(rig: Booted, before: PilotState, losses: dict[str, int]) -> None:
    """Nothing has come of it: arms follow their leaders, were in no hold since, and have had their torque all the while."""
    state = told(rig)
    assert (state.state, state.holds) == ("engaged", before.holds), rig.told()
    assert all(arm.torque for arm in state.arms)
    assert torque_losses(rig) == losses


def torque_losses(rig: Booted) -> dict[str, int]:
    """Per follower: how often any servo's torque has gone off since the world began."""
    truth = rig.truth(0.1)
    return {node: int(truth[f"{node}_torque_losses"].sum()) for node in rig.rig.followers}


@pytest.mark.parametrize("request_", ASKED, ids=lambda request: type(request).__name__)
def test_no_torque_is_taken(rig: Booted, stranger: Callable[[int], "zmq.Socket[bytes]"], request_: Request) -> None:
    before = engaged(rig)
    losses = torque_losses(rig)
    with pytest.raises(
        RequestRefused, match=rf"a client asked {ARM} for {type(request_).__name__}, which only pilot may"
    ):
        rig.ask(ARM, request_)
    plain = stranger(zmq.DEALER)
    plain.connect(request_endpoint(rig.rig.name, ARM))
    own = stranger(zmq.DEALER)
    own.curve_publickey, own.curve_secretkey = zmq.curve_keypair()
    own.curve_serverkey = keys.read_client(rig.rig.name).key_of(ARM)
    own.connect(request_endpoint(rig.rig.name, ARM))
    for socket in (plain, own):
        with contextlib.suppress(zmq.Again):  # who has been turned away has nobody to send to
            socket.send_multipart(
                [b"0000", wire.encode_struct(Who("stranger")), wire.encode_struct(request_)], zmq.NOBLOCK
            )
        assert not socket.poll(300)
    goes_on(rig, before, losses)


def frames(kind: str, node: str, body: Command | ArmState, start_id: int) -> list[bytes]:
    now_ns = monotonic_ns()
    header = Header(SCHEMA, start_id, 10**9, now_ns, now_ns, type(body).__name__)
    return wire.encode(topic(kind, node), header, body)


def at_a_dead_nodes_place(rig: Booted, socket: "zmq.Socket[bytes]", node: str, sent: Callable[[], list[bytes]]) -> int:
    """Kill it, take its endpoint, and speak as it for a second, to whoever believes it; then its next life comes.

    When it was killed, ns.
    """
    life = rig.life(node)
    supervisor = psutil.Process(rig.supervisor.pid)
    endpoint = stream_endpoint(rig.rig.name, node)
    supervisor.suspend()  # else its next life takes the place back within half a second
    try:
        killed_ns = rig.signal(node, signal.SIGKILL)
        Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
        socket.bind(endpoint)
        until_ns = monotonic_ns() + NS_PER_S
        while monotonic_ns() < until_ns:
            socket.send_multipart(sent())
            rig.hear(5)
    finally:
        supervisor.resume()
        socket.close()
    rig.until(f"next life of {node}", lambda: rig.life_began_ns(node, life))
    rig.until("word that it was away", lambda: (s := rig.session(killed_ns)) is not None and s.phase == "hold")
    return killed_ns


@pytest.mark.parametrize("key", ["none", "its own", "the client's"])
def test_who_takes_the_pilots_place_commands_no_arm(
    rig: Booted, stranger: Callable[[int], "zmq.Socket[bytes]"], key: str
) -> None:
    engaged(rig)
    losses, stands = torque_losses(rig), rig.truth(1.0)[f"{ARM}_rad"][-1]
    socket = stranger(zmq.PUB)
    if key != "none":
        client = keys.read_client(rig.rig.name).secret.encode()
        socket.curve_server = True
        socket.curve_secretkey = client if key == "the client's" else zmq.curve_keypair()[1]
    life, begun_ns, tick = rig.life("pilot"), monotonic_ns(), 0

    def sent() -> list[bytes]:
        """What the gate would follow, if it were the pilot's: from where the arm is, slowly, and on and on."""
        nonlocal tick
        tick += 1
        now_ns = monotonic_ns()
        astray_rad = ASTRAY_RAD_S * (now_ns - begun_ns) / NS_PER_S
        goal = (*(float(value) + astray_rad for value in stands[:6]), 0.0)
        return frames("command", ARM, Command(ARM, "leader", -1, tick, now_ns, goal), life)

    killed_ns = at_a_dead_nodes_place(rig, socket, "pilot", sent)
    truth = rig.truth((monotonic_ns() - killed_ns) / NS_PER_S + 1)
    goals = truth[f"{ARM}_rad"][:, :6]
    since = goals[truth[f"{ARM}_t_ns"] > killed_ns + ON_THEIR_WAY_NS]
    last = goals[truth[f"{ARM}_t_ns"] <= killed_ns + ON_THEIR_WAY_NS][-1]
    assert abs(since - last).max(initial=0.0) < 0.05, "it slowed down, and that was all"
    rig.ready()
    assert torque_losses(rig) == losses


def test_who_takes_a_leaders_place_reaches_no_arm_and_no_file(
    rig: Booted, stranger: Callable[[int], "zmq.Socket[bytes]"]
) -> None:
    engaged(rig)
    number = rig.record(rows=25)
    life = rig.life("leader_left")
    body = ArmState(FAR_RAD, (0.0,) * 7, (0.0,) * 7, 0.0, 0.0, False)
    at_a_dead_nodes_place(rig, stranger(zmq.PUB), "leader_left", lambda: frames("arm_state", "leader_left", body, life))
    rig.ended(number)
    saved = rig.saved(number)
    assert "leader_left" in saved.ended
    with h5py.File(saved.path) as file:
        assert abs(file["/action"][:, 0]).max() < 0.9, "the stranger's pose is in the file"
    rig.record(rows=10)
    rig.ask("session", Stop())


def test_no_secret_lies_about(rig: Booted) -> None:
    """Neither in an argument, nor in an environment, nor in a file but the client's."""
    rig.ready()
    ring = keys.read_client(rig.rig.name)
    for node, pid in rig.pids().items():
        process = psutil.Process(pid)
        shown = " ".join(process.cmdline()) + " ".join(process.environ().values())
        assert not any(key in shown for key in (ring.secret, *ring.public.values())), node
    folder = keys.client_file(rig.rig.name).parent
    holders = [path.name for path in folder.rglob("*") if path.is_file() and ring.secret.encode() in path.read_bytes()]
    assert holders == [keys.FILE]
    rig.ask("pilot", Hold("the end"))
