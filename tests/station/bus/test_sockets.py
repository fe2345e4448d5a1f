import math
import threading
from collections.abc import Iterator

import msgspec
import pytest

from station.bus.messages import Frame, Vector
from station.bus.requests import Discard, Done, Note, OpenSession, Refused, Reply, SessionRequest, Start, Stop, Who
from station.bus.sockets import Publisher, RequestClient, RequestServer, Subscriber, milliseconds_until
from station.clock import monotonic_ns
from station.errors import NodeAbsent, RequestRefused


@pytest.fixture
def publisher(runtime: str) -> Iterator[Publisher]:
    publisher = Publisher("bus", "probe", 7, monotonic_ns)
    yield publisher
    publisher.close()


@pytest.fixture
def heard(publisher: Publisher) -> Iterator[Subscriber]:
    subscriber = Subscriber("bus", [("vector", "probe"), ("frame", "probe")])
    while subscriber.receive(20) is None:  # a subscription takes a moment; the publisher knows nothing of it
        publisher.publish("vector", Vector((-1.0,)))
    while subscriber.receive(100) is not None:
        pass
    subscriber.lost.clear()
    yield subscriber
    subscriber.close()


def test_a_sample_arrives_whole(publisher: Publisher, heard: Subscriber) -> None:
    body = Frame("jpeg", 2, 1, "driver", 5)
    publisher.publish("frame", body, 123, [b"\xff\xd8", b""])
    sample = heard.receive(2000)
    assert sample is not None
    assert (sample.kind, sample.node, sample.body, sample.payload) == ("frame", "probe", body, (b"\xff\xd8", b""))
    assert (sample.header.captured_at_ns, sample.header.start_id) == (123, 7)


def test_gaps_in_the_sequence_are_counted_as_losses(publisher: Publisher, heard: Subscriber) -> None:
    publisher.publish("vector", Vector((0.0,)))
    assert heard.receive(2000) is not None
    publisher._sequences["vectorprobe"] += 3
    publisher.publish("vector", Vector((1.0,)))
    assert heard.receive(2000) is not None
    assert heard.lost == {("vector", "probe"): 3}


def test_another_life_of_the_publisher_is_no_loss(publisher: Publisher, heard: Subscriber) -> None:
    publisher.publish("vector", Vector((0.0,)))
    assert heard.receive(2000) is not None
    publisher._start_id, publisher._sequences = 8, {"vectorprobe": 100}
    publisher.publish("vector", Vector((1.0,)))
    assert heard.receive(2000) is not None
    assert heard.lost == {}


def test_newest_drains_to_the_newest_of_each_stream(publisher: Publisher, heard: Subscriber) -> None:
    for value in range(10):
        publisher.publish("vector", Vector((float(value),)))
    publisher.publish("frame", Frame("jpeg", 1, 1, "arrival"), payload=[b"x"])
    assert heard.socket.poll(2000)
    found: dict[tuple[str, str], object] = {}
    while ("frame", "probe") not in found:
        found |= {key: sample.body for key, sample in heard.newest().items()}
    assert found["vector", "probe"] == Vector((9.0,))


def test_what_a_stranger_publishes_is_passed_over(publisher: Publisher, heard: Subscriber) -> None:
    publisher._socket.send_multipart([b"vector/probe/", b"\x80\x04pickle", b"boom"])
    publisher._socket.send_multipart([b"vector/probe/"])
    publisher.publish("vector", Vector((4.0,)))
    sample = heard.receive(2000)
    assert sample is not None
    assert sample.body == Vector((4.0,))


@pytest.fixture
def answering(runtime: str) -> Iterator[list[object]]:
    """A node that answers in a thread of its own: Start is done, Stop refused, Discard not answered."""
    seen: list[object] = []
    ready, finish = threading.Event(), threading.Event()

    def handle(request: SessionRequest) -> Reply:
        seen.append(request)
        if isinstance(request, Stop):
            raise RequestRefused("nothing is being recorded")
        return Done("yes")

    def loop() -> None:
        request_server: RequestServer[SessionRequest] = RequestServer("bus", "probe", SessionRequest)
        ready.set()
        while not finish.is_set():
            if (got := request_server.receive(20)) is None:
                continue
            request, answer, _ = got
            if isinstance(request, Discard):
                continue
            try:
                answer(handle(request))
            except RequestRefused as error:
                answer(Refused(str(error)))
        request_server.close()

    thread = threading.Thread(target=loop)
    thread.start()
    ready.wait()
    yield seen
    finish.set()
    thread.join()


def test_done_and_refused(answering: list[object]) -> None:
    with RequestClient("bus", "probe") as client:
        assert client.ask(Start(2.5)) == Done("yes")
        with pytest.raises(RequestRefused, match="nothing is being recorded"):
            client.ask(Stop())
    assert answering == [Start(2.5), Stop()]


def test_a_late_answer_is_not_taken_for_the_next_one(answering: list[object]) -> None:
    with RequestClient("bus", "probe") as client:
        with pytest.raises(NodeAbsent, match="station status"):
            client.ask(Discard(), timeout_ms=50)
        assert client.ask(Start(1.0)) == Done("yes")


def test_a_request_of_another_union_or_garbage_is_refused(answering: list[object]) -> None:
    with RequestClient("bus", "probe") as client:
        client._socket.send_multipart([b"0001", b"\x80\x04garbage"])
        replies: list[tuple[bytes, Reply]] = []
        while not replies:
            replies = client.replies(1000)
        assert isinstance(replies[0][1], Refused)
        assert client.ask(Start(1.0)) == Done("yes")


def test_nobody_there(runtime: str) -> None:
    with RequestClient("bus", "nobody") as client, pytest.raises(NodeAbsent):
        client.ask(Stop(), timeout_ms=30)


def test_a_poll_never_overshoots() -> None:
    assert milliseconds_until(1_999_999, 1_000_000) == 0
    assert milliseconds_until(3_000_000, 1_000_000) == 2
    assert milliseconds_until(0, 5) == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"\x91" * 1200, b"\x82\xa4type\xa5Start\xa7seconds" + b"\x91" * 1200, b"", b"\xc1",
        *(msgspec.msgpack.encode(Start(seconds)) for seconds in (math.inf, math.nan, 1e300, -1.0)),
        msgspec.msgpack.encode(Note("x" * 30_000)), msgspec.msgpack.encode(OpenSession("t", data="a\0b")),
        msgspec.msgpack.encode(OpenSession("t", reset_s=math.inf)), msgspec.msgpack.encode(OpenSession("t", episodes=-1)),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("runtime")
def test_what_is_no_request_or_an_absurd_one_is_refused_and_the_next_one_served(raw: bytes) -> None:
    request_server: RequestServer[SessionRequest] = RequestServer("bus", "probe", SessionRequest)
    client = RequestClient("bus", "probe")
    client._socket.send_multipart([b"0000", msgspec.msgpack.encode(Who("a test")), raw])
    client.send(Discard())
    replies: list[Reply] = []
    while len(replies) < 2:
        request_server.serve(lambda _: Done(), 50)
        replies += [reply for _, reply in client.replies(50)]
    assert isinstance(replies[0], Refused)
    assert "not a request this node takes" in replies[0].why
    assert isinstance(replies[1], Done)
    client.close()
    request_server.close()


@pytest.mark.usefixtures("runtime")
def test_who_asks_and_what_was_seen_goes_with_every_request() -> None:
    request_server: RequestServer[SessionRequest] = RequestServer("bus", "probe", SessionRequest)
    client = RequestClient("bus", "probe", who=Who("record", "ada"))
    client.send(Discard(), 41)
    got = None
    while got is None:
        got = request_server.receive(50)
    request, answer, who = got
    assert (request, who, str(who)) == (Discard(), Who("record", "ada", 41), "ada (record)")
    answer(Done())
    discard = msgspec.msgpack.encode(Discard())
    for said in (
        [],
        [b"\xc1"],
        [msgspec.msgpack.encode(["ada", "x" * 300])],
        [msgspec.msgpack.encode(Who("a")), b"more"],
    ):
        client._socket.send_multipart([b"0000", *said, discard])
        replies: list[Reply] = []
        while not replies or isinstance(replies[-1], Done):
            request_server.serve(lambda _: Done(), 50)
            replies += [reply for _, reply in client.replies(50)]
        assert isinstance(replies[-1], Refused), said
    client.close()
    request_server.close()


@pytest.mark.usefixtures("runtime")
def test_an_answer_that_is_none_is_a_refusal() -> None:
    request_server: RequestServer[SessionRequest] = RequestServer("bus", "probe", SessionRequest)
    client = RequestClient("bus", "probe")
    number = client.send(Discard())
    assert request_server.socket.poll(2000)
    route, sent, *_ = request_server._socket.recv_multipart()
    request_server._socket.send_multipart([route, sent, b"\x91" * 1200])
    reply = client.poll_reply(number, 2000)
    assert isinstance(reply, Refused)
    assert "what is no answer" in reply.why
    client.close()
    request_server.close()
