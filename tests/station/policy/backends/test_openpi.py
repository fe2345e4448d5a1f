"""The client of openpi's protocol against a server that speaks it, and one that errs, dawdles and hangs up."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import BackendFault, PolicyError, WireError
from station.policy.backend import Observation, blank_observation, checked, open_backend
from station.policy.backends import openpi
from station.policy.backends.openpi_wire import pack, unpack
from station.policy.folder import Policy, load_policy
from station.policy.identity import identity
from tests.station.policy import policies
from tests.station.policy.backends.policy_server import PolicyServer, serving

THEIRS = bytes.fromhex(
    "83a5737461746584c40b5f5f6e6461727261795f5fc3c40464617461c40c000000000000803f00000040c4056474797065a33c6634c40573686170"
    "659103a16784c40b5f5f6e6461727261795f5fc3c40464617461c406000102030405c4056474797065a37c7531c40573686170659302"
    "0103a26f6b83c40d5f5f6e7067656e657269635f5fc3c40464617461c3c4056474797065a37c6231"
)
"""{"state": float32 [0, 1, 2], "g": uint8 (2, 1, 3) 0 … 5, "ok": bool scalar} as openpi's own client packs it."""


def folder(path: Path, port: int, **changes: Any) -> Policy:
    base = {"kind": "vla", "backend": "openpi", "weights": f"ws://127.0.0.1:{port}", "normalization": None}
    return load_policy(policies.write(path, graph=False, **(base | changes)))


def observation(policy: Policy, first: float = 0.0) -> Observation:
    blank = blank_observation(policy)
    pictures = np.arange(blank.images.size).reshape(blank.images.shape) % 256 * np.float32(1 / 255)
    return blank._replace(state=np.array([[first, 1.0, 2.0]], np.float32), images=pictures.astype(np.float32))


def test_the_bytes_are_openpis() -> None:
    message = {
        "state": np.arange(3, dtype="<f4"),
        "g": np.arange(6, dtype=np.uint8).reshape(2, 1, 3),
        "ok": np.bool_(True),
    }
    assert pack(message) == THEIRS
    found = unpack(THEIRS)
    assert found["g"].dtype == np.uint8 and found["ok"] == True  # noqa: E712
    np.testing.assert_array_equal(found["g"], message["g"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        THEIRS[:-1],
        pack({b"__ndarray__": True, b"data": b"12345", b"dtype": "<f4", b"shape": [1]}),
        pack({b"__ndarray__": True, b"data": b"12345678", b"dtype": "|O8", b"shape": [1]}),
        pack({b"__ndarray__": True, b"data": b"1234", b"dtype": "<f4", b"shape": [7]}),
        pack({b"__ndarray__": True}),
    ],
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        unpack(data)


def test_it_sends_what_openpi_expects_and_takes_its_actions(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port, instruction="hand the cube over")
        backend = open_backend(policy)
        assert isinstance(backend, openpi.OpenPi) and backend.metadata == server.metadata
        seen = observation(policy, first=5.0)
        actions = checked(policy, backend.infer(seen))
        np.testing.assert_array_equal(actions, np.arange(4)[:, None] + np.full((4, 3), 5.0))
        (question,) = server.asked
        assert set(question) == {"state", "images", "prompt"} and question["prompt"] == "hand the cube over"
        assert question["state"].dtype == np.float32
        np.testing.assert_array_equal(question["state"], [5.0, 1.0, 2.0])
        picture = question["images"]["cam_high"]
        assert picture.dtype == np.uint8 and picture.shape == (3, 6, 8)
        np.testing.assert_array_equal(picture.ravel(), np.arange(144) % 256)
        for _ in range(3):
            backend.infer(seen)
        assert server.connections == 1
        backend.close()


def test_an_error_frame_is_told_and_the_next_question_is_answered(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        server.behave = PolicyServer.trace
        with pytest.raises(BackendFault, match="its error: ValueError: Unexpected key 'cam_top'"):
            backend.infer(observation(policy))
        server.behave = PolicyServer.answer
        assert checked(policy, backend.infer(observation(policy))).shape == (4, 3)
        assert server.connections == 2
        backend.close()


@pytest.mark.slow
def test_a_late_answer_is_never_taken_for_the_next_one(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        backend.infer(observation(policy))
        server.behave = PolicyServer.slow
        with pytest.raises(BackendFault, match="no answer in time; its health page says it is well"):
            backend.infer(observation(policy, first=1.0))
        server.behave = PolicyServer.answer
        server.released.set()
        assert backend.infer(observation(policy, first=2.0))[0, 0] == 2.0
        backend.close()


def test_the_first_answer_may_take_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpi, "SHORTEST_NS", 1)
    server = PolicyServer(4, 3)
    server.behave = PolicyServer.slow
    with serving(server) as port:
        policy = folder(tmp_path, port)  # a chunk of 80 ms
        backend = open_backend(policy)
        compiling = threading.Timer(0.3, server.released.set)
        compiling.start()
        assert backend.infer(observation(policy)).shape == (4, 3)
        compiling.join()
        backend.close()


def test_a_dropped_connection_is_told_and_made_again(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        backend.infer(observation(policy))
        server.behave = PolicyServer.drop
        with pytest.raises(BackendFault, match="the connection broke"):
            backend.infer(observation(policy))
        server.behave = PolicyServer.answer
        assert backend.infer(observation(policy)).shape == (4, 3)
        backend.close()


@pytest.mark.slow
def test_a_server_that_is_started_again_is_found_again(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        backend.infer(observation(policy))
    with pytest.raises(BackendFault, match=r"nobody listens there|the connection broke"):
        backend.infer(observation(policy))
    with serving(server, port):
        assert backend.infer(observation(policy)).shape == (4, 3)
        backend.close()


def test_its_key_is_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    server.key = "s3cret"
    with serving(server) as port:
        with pytest.raises(BackendFault, match=r"HTTP 401.*api_key_file"):
            open_backend(folder(tmp_path, port))
        policy = folder(tmp_path, port, api_key_file="server.key")
        with pytest.raises(PolicyError, match="api_key_file: cannot be read"):
            open_backend(policy)
        (tmp_path / "server.key").write_text("\n")
        with pytest.raises(PolicyError, match="holds no key"):
            open_backend(policy)
        (tmp_path / "server.key").write_text("s3cret\n")
        backend = open_backend(policy)
        backend.infer(observation(policy))
        backend.close()


def test_other_answers_and_servers_are_named(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        server.behave = lambda server, link, question: link.send(pack({"action": [1.0], "server_timing": {}}))
        with pytest.raises(
            BackendFault, match="expected an answer with actions; found a map of action, server_timing, and no actions"
        ):
            backend.infer(observation(policy))
        server.behave = lambda server, link, question: link.send(b"\xc1")
        with pytest.raises(BackendFault, match="no message of a policy server"):
            backend.infer(observation(policy))
        backend.close()
        server.metadata = "hello"
        with pytest.raises(BackendFault, match="the first message is not what a policy server says of itself"):
            open_backend(policy)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"weights": "http://127.0.0.1:1"}, "weights"),
        ({"normalization": {"state": {"mean": [0.0] * 3, "std": [1.0] * 3}}}, "normalization.state"),
        ({"obs_steps": 2}, "obs_steps"),
    ],
)
def test_what_a_server_cannot_do_is_refused(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(PolicyError) as caught:
        open_backend(folder(tmp_path, 1, **changes))
    assert caught.value.key == key


def test_a_server_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpi, "_CONNECT_NS", 300_000_000)
    with serving(PolicyServer(4, 3)) as port:
        pass
    with pytest.raises(BackendFault, match="nobody listens there"):
        open_backend(folder(tmp_path, port))


def array(**changes: Any) -> dict[Any, Any]:
    """As msgpack-numpy packs an array, not openpi."""
    return {b"nd": True, b"type": "<f8", b"kind": b"", b"shape": [4, 3], b"data": bytes(96)} | changes


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (
            pack({"actions": np.zeros((4, 3), np.int64)}),
            r"expected actions \(4, 3\) of floats; found \(4, 3\) of int64",
        ),
        (pack({"actions": np.zeros((4, 3), bool)}), "of bool"),
        (pack({"actions": np.zeros((3, 4))}), r"found \(3, 4\) of float64"),
        (pack({"actions": np.full((4, 3), np.nan)}), "found nan in row 0"),
        (pack({"actions": np.float32(1)}), "actions as a float32"),
        (pack({"actions": [[0.0] * 3] * 4}), "actions as a plain list of 4 × 3, not an array as openpi packs it"),
        (pack({"actions": array()}), "msgpack-numpy's dialect"),
        (pack({b"actions": array()}), "actions under a key of bytes"),
        (pack({"error": "no such\x1b]0;pwned\x07 camera\nKeyError: cam_top"}), "its error: KeyError: cam_top"),
        (pack({"error": "\x1b[31mred\x07"}), r"its error: \\x1b\[31mred\\x07"),
        (pack(np.zeros((4, 3))), "found a ndarray instead of a map"),
        (pack([1, 2]), "found a plain list of 2"),
        (pack({"action": [1.0]}), "a map of action, and no actions in it"),
        ("boom\n\x1b[2JValueError: \x07bad", r"its error: \\x1b\[2JValueError: \\x07bad"),
        ('{"actions": [[0, 0, 0]]}', "its error: .*actions"),
        (b"\xc1", "no message of a policy server"),
        (b"\x91" * 5000 + b"\x01", "no message of a policy server"),
        (
            pack({"actions": {b"__ndarray__": True, b"data": b"", b"dtype": ["f4"], b"shape": [0]}}),
            "no message of a policy server",
        ),
    ],
)
def test_what_came_instead_is_said_with_the_servers_own_text(tmp_path: Path, message: bytes | str, says: str) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        server.behave = lambda server, link, question: link.send(message)
        with pytest.raises(BackendFault, match=says) as caught:
            checked(policy, backend.infer(observation(policy)))
        assert str(caught.value).isprintable(), "somebody else's text reaches a terminal"
        server.behave = PolicyServer.answer
        assert checked(policy, backend.infer(observation(policy))).shape == (4, 3)
        backend.close()


def test_what_the_server_says_of_itself_is_kept_and_another_one_is_told(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    server.metadata = {"checkpoint": "cube-7", "reset_pose": np.zeros(2)}
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        assert isinstance(backend, openpi.OpenPi)
        says = backend.says
        assert f"ws://127.0.0.1:{port} says sha256:" in says and '"checkpoint": "cube-7"' in says
        assert says in identity(policy, says)
        server.behave = PolicyServer.drop
        with pytest.raises(BackendFault, match="the connection broke"):
            backend.infer(observation(policy))
        server.behave, server.metadata = PolicyServer.answer, {"checkpoint": "cube-8"}
        with pytest.raises(
            BackendFault, match=r"another server answers there now: it says .*cube-8.*Next: load the policy again"
        ):
            backend.infer(observation(policy))
        backend.close()


@pytest.mark.slow
def test_a_server_that_is_gone_says_so_while_its_answer_is_awaited(tmp_path: Path) -> None:
    server = PolicyServer(4, 3)
    with serving(server) as port:
        policy = folder(tmp_path, port)
        backend = open_backend(policy)
        assert isinstance(backend, openpi.OpenPi)
        backend.infer(observation(policy))
        server.behave = PolicyServer.slow
        seen: list[str] = []
        asking = threading.Thread(target=lambda: seen.append(type(_fault(backend, policy)).__name__))
        asking.start()
        said = heard(backend, "has not answered for 0.04 s; its health page says it is well", asking)
        asking.join()
        assert said and seen == ["BackendFault"] and backend.trouble == ""
    asking = threading.Thread(target=lambda: _fault(backend, policy))
    asking.start()
    assert heard(backend, "nobody listens there", asking)
    asking.join()
    backend.close()


def heard(backend: openpi.OpenPi, words: str, asking: threading.Thread) -> bool:
    """Does it say so while it is asked?"""
    while asking.is_alive():
        if words in backend.trouble:
            return True
    return False


def _fault(backend: openpi.OpenPi, policy: Policy) -> Exception | None:
    try:
        backend.infer(observation(policy))
    except BackendFault as error:
        return error
    return None
