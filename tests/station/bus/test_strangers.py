"""Programs of the same user that are no nodes of the rig: what they bind, connect to, send and plant is never believed."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
import zmq

from station.bus import keys, requests, rights, wire
from station.bus.endpoints import request_endpoint, stream_endpoint
from station.bus.keys import CLIENT, KeyRing
from station.bus.messages import SCHEMA, Command, Header, Setpoint, Tick, Vector
from station.bus.requests import (
    ArmRequest,
    Done,
    Perform,
    Reply,
    Resume,
    TorqueLeave,
    TorqueOff,
    TorqueOn,
    Who,
)
from station.bus.sockets import Publisher, RequestClient, RequestServer, Subscriber
from station.bus.streams import topic
from station.clock import monotonic_ns
from station.errors import NodeAbsent, NoKey, RequestRefused

RIG = "bus"
QUIET_MS = 400
"""Long enough for any handshake here."""
PATIENCE_MS = 10_000
SETPOINT = Setpoint("policy", 0, 0, (0.1,))
COMMAND = Command("follower_left", "leader", -1, 0, 0, (0.1,))
ARM_REQUESTS = (
    TorqueOff(""),
    TorqueOff("0"),
    TorqueLeave("0", "parked"),
    Resume(),
    TorqueOn(),
    Perform("recover", "0"),
)


@pytest.fixture
def arm(runtime: str) -> Iterator[list[ArmRequest]]:
    """An arm's host: what has got through to it."""
    through: list[ArmRequest] = []
    ready, finish = threading.Event(), threading.Event()

    def handle(request: ArmRequest) -> Reply:
        through.append(request)
        return Done("done")

    def loop() -> None:
        request_server: RequestServer[ArmRequest] = RequestServer(RIG, "follower_left", ArmRequest)
        ready.set()
        while not finish.is_set():
            request_server.serve(handle, 20)
        request_server.close()

    thread = threading.Thread(target=loop)
    thread.start()
    ready.wait()
    yield through
    finish.set()
    thread.join()


Raw = Callable[[int], "zmq.Socket[bytes]"]


def frames(body: Command | Tick | Vector, kind: str, node: str, start_id: int = 7) -> list[bytes]:
    now_ns = monotonic_ns()
    header = Header(SCHEMA, start_id, 10**6, now_ns, now_ns, type(body).__name__)
    return wire.encode(topic(kind, node), header, body)


@pytest.mark.parametrize("request_", ARM_REQUESTS, ids=lambda request: type(request).__name__)
def test_an_arm_heeds_the_pilot_alone(arm: list[ArmRequest], request_: ArmRequest) -> None:
    for sender in (CLIENT, "session", "leader_left", "synchronizer", "policy", "supervisor"):
        with (
            RequestClient(RIG, "follower_left", own=sender) as asking,
            pytest.raises(
                RequestRefused, match=f"asked follower_left for {type(request_).__name__}.*only pilot may.*Next"
            ),
        ):
            asking.ask(request_, PATIENCE_MS)
    assert arm == []
    with RequestClient(RIG, "follower_left", own="pilot") as pilot:
        assert pilot.ask(request_, PATIENCE_MS) == Done("done")
    assert arm == [request_]


@pytest.mark.slow
def test_a_plain_socket_gets_nothing_through_and_no_answer(arm: list[ArmRequest], stranger: Raw) -> None:
    for kind in (zmq.DEALER, zmq.REQ):
        socket = stranger(kind)
        socket.connect(request_endpoint(RIG, "follower_left"))
        socket.send_multipart([b"0000", wire.encode_struct(Who("stranger")), wire.encode_struct(TorqueOff("0"))])
        assert not socket.poll(QUIET_MS)
    assert arm == []


@pytest.mark.slow
def test_a_key_of_ones_own_opens_nothing(arm: list[ArmRequest], stranger: Raw) -> None:
    socket = stranger(zmq.DEALER)
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.curve_serverkey = keys.held("follower_left").key_of("follower_left")
    socket.connect(request_endpoint(RIG, "follower_left"))
    socket.send_multipart([b"0000", wire.encode_struct(Who("stranger")), wire.encode_struct(TorqueOff("0"))])
    assert not socket.poll(QUIET_MS)
    assert arm == []


@pytest.mark.slow
def test_a_plain_subscriber_hears_nothing(runtime: str, stranger: Raw) -> None:
    publisher = Publisher(RIG, "leader_left", 1, monotonic_ns)
    heard = Subscriber(RIG, [("vector", "leader_left")])
    socket = stranger(zmq.SUB)
    socket.subscribe(b"")
    socket.connect(stream_endpoint(RIG, "leader_left"))
    while heard.receive(50) is None:
        publisher.publish("vector", Vector((1.0,)))
    publisher.publish("vector", Vector((2.0,)))
    assert not socket.poll(QUIET_MS)
    publisher.close()
    heard.close()


@pytest.mark.slow
@pytest.mark.parametrize("curve", [False, True], ids=["plain", "with a key of its own"])
@pytest.mark.parametrize(
    ("publisher", "kind", "node", "body"),
    [
        ("pilot", "command", "follower_left", COMMAND),
        ("policy", "setpoint", "policy", SETPOINT),
        ("leader_left", "vector", "leader_left", Vector((1.0,))),
        ("synchronizer", "tick", "synchronizer", Tick(1, 0, (), (), (), ())),
    ],
)
def test_who_binds_a_dead_nodes_endpoint_is_not_believed_and_the_next_life_is(
    runtime: str,
    stranger: Raw,
    publisher: str,
    kind: str,
    node: str,
    body: Command,
    curve: bool,
) -> None:
    first = Publisher(RIG, publisher, 7, monotonic_ns)
    heard = Subscriber(RIG, [(kind, node)], publishers=[publisher])
    while heard.receive(50) is None:
        first.publish(kind, body, node=node if node != publisher else "")
    first.close()
    endpoint = stream_endpoint(RIG, publisher)
    Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
    usurper = stranger(zmq.PUB)
    if curve:
        usurper.curve_server = True
        usurper.curve_secretkey = zmq.curve_keypair()[1]
    usurper.bind(endpoint)
    for _ in range(QUIET_MS // 20):
        usurper.send_multipart(frames(body, kind, node))
        assert heard.receive(20) is None
    usurper.close()
    second = Publisher(RIG, publisher, 8, monotonic_ns)
    until_ns = monotonic_ns() + PATIENCE_MS * 10**6
    while (sample := heard.receive(20)) is None:
        second.publish(kind, body, node=node if node != publisher else "")
        assert monotonic_ns() < until_ns, "the next life is not heard"
    assert sample.header.start_id == 8
    second.close()
    heard.close()


@pytest.mark.slow
def test_a_client_hears_and_asks_but_is_nobody_on_the_bus(
    runtime: str, stranger: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing but the file that every program of the user can read."""
    rings = keys.make_rings(("pilot", "follower_left"))
    keys.write_client(RIG, rings[CLIENT])
    ring = keys.read_client(RIG)
    heard = Subscriber(RIG, [("command", "follower_left")], publishers=["pilot"])
    publisher = stranger(zmq.PUB)
    publisher.curve_server = True
    publisher.curve_secretkey = ring.secret.encode()
    publisher.bind(stream_endpoint(RIG, "pilot"))
    for _ in range(QUIET_MS // 20):
        publisher.send_multipart(frames(COMMAND, "command", "follower_left"))
        assert heard.receive(20) is None
    heard.close()
    assert set(msgspec.to_builtins(ring)["public"]) == {"pilot", "follower_left", CLIENT}
    text = keys.client_file(RIG).read_text()
    assert not any(rings[node].secret in text for node in ("pilot", "follower_left"))


def test_nobody_publishes_what_is_another_nodes(runtime: str) -> None:
    for node, kind, name in (("cam_high", "command", "follower_left"), ("policy", "command", "follower_left"),
                             ("synchronizer", "pilot", "pilot"), ("pilot", "arm_state", "leader_left")):  # fmt: skip
        publisher = Publisher(RIG, node, 1, monotonic_ns)
        with pytest.raises(ValueError, match=f"{node} may not publish {kind}/{name}"):
            publisher.publish(kind, COMMAND, node=name)
        publisher.close()


def test_a_body_under_a_foreign_name_is_refused_although_it_decodes(runtime: str) -> None:
    publisher = Publisher(RIG, "pilot", 1, monotonic_ns)
    heard = Subscriber(RIG, [("command", "follower_left")], publishers=["pilot"])
    while heard.receive(50) is None:
        publisher.publish("command", COMMAND, node="follower_left")
    now_ns = monotonic_ns()
    for name in ("", "Tick", "command", "Command " * 20):
        header = Header(SCHEMA, 1, 10**6, now_ns, now_ns, name)
        publisher._socket.send_multipart(wire.encode(topic("command", "follower_left"), header, COMMAND))
    sequence = publisher.publish("command", COMMAND, node="follower_left")
    sample = heard.receive(PATIENCE_MS)
    while sample is not None and sample.header.sequence < sequence:
        sample = heard.receive(PATIENCE_MS)
    assert sample is not None and sample.header.sequence == sequence
    publisher.close()
    heard.close()


def test_the_door_is_shut_with_the_last_socket(runtime: str) -> None:
    publishers = [Publisher(RIG, node, 1, monotonic_ns) for node in ("pilot", "session")]
    assert [thread.name for thread in threading.enumerate()].count("door") == 1
    for publisher in publishers:
        publisher.close()
        publisher.close()
    assert "door" not in [thread.name for thread in threading.enumerate()]


def test_a_door_that_was_shut_can_be_opened_again_at_once(runtime: str) -> None:
    for _ in range(50):
        Publisher(RIG, "pilot", 1, monotonic_ns).close()


def test_the_client_file_is_the_users_alone_and_gone_with_the_station(runtime: str) -> None:
    rings = keys.make_rings(("pilot",))
    keys.write_client(RIG, rings[CLIENT])
    keys.write_client(RIG, rings[CLIENT])
    assert keys.client_file(RIG).stat().st_mode & 0o777 == 0o600
    assert keys.read_client(RIG) == rings[CLIENT]
    assert rings[CLIENT].secret not in repr(rings[CLIENT])
    keys.forget_client(RIG)
    assert not os.listdir(keys.client_file(RIG).parent)


def test_a_key_goes_through_the_pipe_once(runtime: str) -> None:
    ring = keys.make_rings(("pilot",))["pilot"]
    with keys.handed_over(ring) as pipe:
        copy = os.dup(pipe)
        assert keys.received(copy, "pilot") == ring
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(copy)
        for fd, node in ((None, "pilot"), (os.dup(pipe), "pilot"), (10**6, "pilot")):
            with pytest.raises(NoKey, match=r"Next: .*station up"):
                keys.received(fd, node)
    with keys.handed_over(ring) as pipe, pytest.raises(NoKey, match="was handed the key of pilot"):
        keys.received(os.dup(pipe), "session")


def test_without_a_station_there_is_nobody_to_attach_to(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    with pytest.raises(NodeAbsent, match=r"no station runs for rig bus. Next: `station up --rig bus`"):
        Subscriber(RIG, [("pilot", "pilot")])
    with pytest.raises(NoKey, match="pilot has no key"):
        Publisher(RIG, "pilot", 1, monotonic_ns)
    keys.write_client(RIG, KeyRing(CLIENT, "s", {CLIENT: "k"}))
    keys.client_file(RIG).write_bytes(b"{}")
    with pytest.raises(NoKey, match="holds no keys"):
        Subscriber(RIG, [("pilot", "pilot")])


def test_a_client_outlives_the_station_and_hears_the_next_one(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = None
    for start_id in (1, 2):
        rings = keys.make_rings(("pilot",))
        monkeypatch.setattr(keys, "held", rings.__getitem__)
        keys.write_client(RIG, rings[CLIENT])
        publisher = Publisher(RIG, "pilot", start_id, monotonic_ns)
        heard = heard or Subscriber(RIG, [("vector", "pilot")])
        until_ns = monotonic_ns() + PATIENCE_MS * 10**6
        while (sample := heard.receive(20)) is None or sample.header.start_id != start_id:
            publisher.publish("vector", Vector((1.0,)))
            assert monotonic_ns() < until_ns
        publisher.close()
        keys.forget_client(RIG)
    assert heard is not None
    heard.close()


def test_every_request_of_the_station_has_its_row() -> None:
    offered = {
        struct
        for struct in vars(requests).values()
        if isinstance(struct, type) and issubclass(struct, requests.Request) and struct is not requests.Request
    }
    for_clients_alone = {
        *(requests.Shutdown, requests.Restart, requests.LendKey),
        *(requests.PrepareScene, requests.ScoreScene, requests.SaveTruth),
    }
    assert offered - set(rights.RIGHTS) == for_clients_alone
    assert all(rights.who_may(struct) == (CLIENT,) for struct in for_clients_alone)
    assert {rights.who_may(struct) for struct in get_args(requests.PolicyRequest)} == {(CLIENT, "session")}
    assert CLIENT not in {who for struct in get_args(ArmRequest) for who in rights.who_may(struct)}
    assert CLIENT not in {who for struct in get_args(requests.SyncRequest) for who in rights.who_may(struct)}
