"""The backend `openpi`: a policy that thinks on another computer, behind openpi's websocket protocol.

    connect   → the server sends a map of what it is
    infer     we send {state, images: {camera: (3, H, W) uint8}, prompt}; it answers {actions: (chunk, D), …}
    trouble   it sends a text, the trace of its error, and closes

The server normalises. The protocol does not number its answers: a connection on which one is late is dropped, or the next
question would get the last one's answer. An answer may take as long as its chunk lasts (1 s at least), and connecting
anew counts; the first one, for which servers compile, two minutes.
"""

import hashlib
import http.client
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_S, monotonic_ns
from station.errors import BackendFault, PolicyError, WireError
from station.policy.backend import Backend, Observation
from station.policy.backends.openpi_wire import brief, described, last_line, pack, told, unpack
from station.policy.folder import Policy, chunk_ns

FIRST_ANSWER_NS = 120 * NS_PER_S
SHORTEST_NS = NS_PER_S
_CONNECT_NS = 5 * NS_PER_S
_RETRY_S = 0.1
_HEALTH_S = 0.5
_CLOSE_S = 0.2
_LARGEST = 64 * 2**20
"""Bytes of an answer: a chunk of actions has a few thousand."""


def load(policy: Policy) -> Backend:
    """Connect. Raises PolicyError where policy.yaml asks for what a server cannot do, BackendFault where nobody answers."""
    return OpenPi(policy)


class OpenPi:
    """A connection to a policy server, made anew when it breaks."""

    def __init__(self, policy: Policy) -> None:
        _check(policy)
        self.repeats = False
        """A server draws its noise where nobody here can seed it."""
        self.trouble = ""
        """What is wrong while an answer is awaited; "" if nothing is known to be."""
        self._policy = policy
        self._headers = _headers(policy)
        self._limit_ns = max(SHORTEST_NS, chunk_ns(policy))
        self._answered = False
        self._link: Any = None
        self._open = ExitStack()
        """Closes the link."""
        self.metadata: dict[Any, Any] | None = None
        """What the server says of itself, since the first connection."""
        self._connect(monotonic_ns() + _CONNECT_NS)

    @property
    def says(self) -> str:
        """Which server this is, for the episodes: its address, what it says of itself, and a sum of it."""
        text = described(self.metadata)
        return f"{self._policy.weights} says sha256:{hashlib.sha256(text.encode()).hexdigest()} {brief(text)}"

    def begin(self) -> None:
        """What a server keeps between two questions nobody can see; openpi's keeps nothing but where its noise stands."""

    def infer(self, observation: Observation) -> NDArray[np.floating]:
        """(chunk, action_dim), as the server means them. Raises BackendFault: its error, no answer, no actions in it."""
        deadline_ns = monotonic_ns() + (self._limit_ns if self._answered else FIRST_ANSWER_NS)
        try:
            answer = self._ask(pack(self._question(observation)), deadline_ns)
        finally:
            self.trouble = ""
        actions = answer.get("actions") if isinstance(answer, dict) else None
        if not isinstance(actions, np.ndarray):
            fix = "look at the server's own output and its output transforms; it must speak openpi's protocol"
            raise self._fault(f"expected an answer with actions; found {told(answer)}", fix)
        self._answered = True
        return actions  # as it came: whether these are floats of the right shape is judged before anything is converted

    def close(self) -> None:
        """Hang up."""
        self._link = None
        self._open.close()

    def _question(self, observation: Observation) -> dict[str, Any]:
        pixels = np.rint(observation.images[-1] * 255).astype(np.uint8)
        question: dict[str, Any] = {"state": observation.state[-1]}
        images: dict[str, NDArray[np.uint8]] = {}
        for camera, picture in zip(self._policy.cameras, pixels, strict=True):
            size = self._policy.image.of(camera) if self._policy.image is not None else None
            images[camera] = picture if size is None else np.ascontiguousarray(picture[:, : size.height, : size.width])
        question["images"] = images
        return question | ({"prompt": self._policy.instruction} if self._policy.instruction else {})

    def _ask(self, question: bytes, deadline_ns: int) -> Any:
        self._send(question, deadline_ns)
        try:
            answer = self._receive(deadline_ns)
        except TimeoutError as error:
            self.close()
            raise self._fault(
                f"no answer in time; {self._health()}", "a shorter way to it, or a faster server"
            ) from error
        except _lost() as error:
            self.close()
            raise self._fault(f"the connection broke: {error}", "it is made again at the next observation") from error
        if isinstance(answer, str):  # the server closes after it
            self.close()
            raise self._fault(f"its error: {brief(last_line(answer))}", "the server's own output has the whole trace")
        try:
            return unpack(answer)
        except WireError as error:
            raise self._fault(str(error), "run a server of openpi's protocol") from error

    def _receive(self, deadline_ns: int) -> Any:
        """The next message; what is late already is looked into, so that a dead server is not taken for a slow one."""
        patience_ns = chunk_ns(self._policy) // 2 if self._answered else FIRST_ANSWER_NS // 2
        try:
            return self._link.recv(timeout=min(_left_s(deadline_ns), patience_ns / NS_PER_S))
        except TimeoutError:
            if _left_s(deadline_ns) <= 0:
                raise
        self.trouble = (
            f"server {self._policy.weights} has not answered for {patience_ns / NS_PER_S:.2g} s; {self._health()}"
        )
        return self._link.recv(timeout=_left_s(deadline_ns))

    def _send(self, question: bytes, deadline_ns: int) -> None:
        """A connection that broke since the last question is made again."""
        if self._link is not None:
            try:
                self._link.send(question)
                return
            except _lost():
                self.close()
        self._connect(deadline_ns)
        try:
            self._link.send(question)
        except _lost() as error:
            self.close()
            raise self._fault(f"the connection broke: {error}", "it is made again at the next observation") from error

    def _connect(self, deadline_ns: int) -> None:
        """Until it is there: a server that is being started again refuses for a while."""
        from websockets.sync.client import connect

        while True:
            try:
                link = connect(
                    self._policy.weights, additional_headers=self._headers, open_timeout=_left_s(deadline_ns),
                    close_timeout=_CLOSE_S, compression=None, max_size=_LARGEST, ping_interval=None, proxy=None,
                )  # fmt: skip  # no pings: a server that computes does not answer them
                self._link = self._open.enter_context(link)
                self._meet(self._hear_metadata(deadline_ns))
                return
            except ConnectionRefusedError as error:
                self.trouble = f"server {self._policy.weights}: nobody listens there"
                if _left_s(deadline_ns) <= _RETRY_S:
                    raise self._fault("nobody listens there", "start the server, or correct `weights`") from error
                time.sleep(_RETRY_S)
            except BackendFault:
                self.close()
                raise
            except Exception as error:
                self.close()
                self._explain(error)

    def _meet(self, metadata: dict[Any, Any]) -> None:
        """Who answers now must be who was loaded: an episode says which server it was made with. Raises BackendFault."""
        if self.metadata is None:
            self.metadata = metadata
        elif described(metadata) != described(self.metadata):
            found = f"another server answers there now: it says {brief(described(metadata))}"
            raise self._fault(found, "load the policy again")

    def _hear_metadata(self, deadline_ns: int) -> dict[Any, Any]:
        first = self._link.recv(timeout=_left_s(deadline_ns))
        metadata = unpack(first) if isinstance(first, bytes) else first
        if not isinstance(metadata, dict):
            raise WireError(f"the first message is not what a policy server says of itself, but {told(metadata)}")
        return metadata

    def _explain(self, error: Exception) -> NoReturn:
        from websockets.exceptions import InvalidStatus

        if isinstance(error, InvalidStatus):
            what = f"it refuses the connection with HTTP {error.response.status_code}"
            raise self._fault(what, "give its key in api_key_file, or correct `weights`") from error
        what = brief(error) or type(error).__name__
        raise self._fault(
            f"cannot connect: {what}; {self._health()}", "start the server, or correct `weights`"
        ) from error

    def _health(self) -> str:
        """What the server's health page says."""
        to = urlsplit(self._policy.weights)
        plain: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
        asked = (http.client.HTTPSConnection if to.scheme == "wss" else plain)(
            to.hostname or "", to.port, timeout=_HEALTH_S
        )
        try:
            asked.request("GET", "/healthz")
            status = asked.getresponse().status
        except (OSError, http.client.HTTPException, ssl.SSLError):
            return "its health page does not answer either: it computes, hangs, or is gone"
        finally:
            asked.close()
        return (
            "its health page says it is well"
            if status == http.HTTPStatus.OK
            else "it has no health page: another server?"
        )

    def _fault(self, found: str, do: str) -> BackendFault:
        return BackendFault(f"policy {self._policy.folder.name}: server {self._policy.weights}: {found}. Next: {do}")


def _lost() -> tuple[type[Exception], ...]:
    from websockets.exceptions import ConnectionClosed

    return (ConnectionClosed, OSError)


def _left_s(deadline_ns: int) -> float:
    return max(0.0, (deadline_ns - monotonic_ns()) / NS_PER_S)


def _check(policy: Policy) -> None:
    """Raises PolicyError."""
    path = policy.folder / "policy.yaml"
    try:
        import websockets  # noqa: F401
    except ImportError as error:
        fix = "pip install 'teleop-station[policy]'"
        raise PolicyError(path, "backend", "openpi needs websockets, which is not installed", fix) from error
    if urlsplit(policy.weights).scheme not in ("ws", "wss"):
        raise PolicyError(path, "weights", f"{policy.weights!r} is no server", "give its address: ws://HOST:8000")
    for key in ("state", "action", "image"):
        if getattr(policy.normalization, key) is not None:
            raise PolicyError(path, f"normalization.{key}", "the server normalises by itself", "take it out")
    if policy.obs_steps != 1:
        raise PolicyError(
            path, "obs_steps", f"{policy.obs_steps}; a server sees one observation at a time", "take it out"
        )


def _headers(policy: Policy) -> dict[str, str]:
    """The key is in a file of its own, so that policy.yaml can be shown around. Raises PolicyError."""
    if not policy.api_key_file:
        return {}
    path: Path = policy.folder / policy.api_key_file
    try:
        key = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(
            path, "api_key_file", f"cannot be read: {error}", "put the server's key there, and nothing else"
        ) from error
    if not key or not key.isascii() or not key.isprintable():
        raise PolicyError(path, "api_key_file", "holds no key", "put the server's key there, and nothing else")
    return {"Authorization": f"Api-Key {key}"}
