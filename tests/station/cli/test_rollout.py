"""A policy is loaded into a runner that may end at any moment: what its commands then say, against real sockets."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from station.bus.messages import Health
from station.bus.requests import Done, LoadPolicy, PolicyRequest, Reply
from station.bus.sockets import Publisher, RequestServer
from station.cli import rollout as module
from station.cli.rollout import Hands, Rollout
from station.client import Station
from station.clock import monotonic_ns
from station.errors import NodeAbsent
from station.rig.file import Safety
from station.rig.rig import Rig

RIG = Rig("r", Path("r.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)
HEALTH_S = 0.5
"""As often as a node says how it is."""
LOADS_S = 1.2


class Runner:
    """Tells its health, and loads; one that `dies` does so instead of hearing the first policy, and comes back."""

    def __init__(self, life: int = 1, dies: bool = False) -> None:
        self._life, self._dies = life - 1, dies
        self._loaded: tuple[float, Callable[[Reply], None]] | None = None
        """When the policy will be, and who waits for it."""
        self._publisher: Publisher | None = None
        self._up = threading.Event()
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        request_server: RequestServer[PolicyRequest] = RequestServer(RIG.name, "policy", PolicyRequest)
        due_s = 0.0
        self._begin()
        self._up.set()
        while not self._finish.is_set():
            if time.monotonic() >= due_s:
                due_s = time.monotonic() + HEALTH_S
                assert self._publisher is not None
                self._publisher.publish("health", Health("policy", "ok", ""))
            if self._loaded is not None and time.monotonic() >= self._loaded[0]:
                self._loaded[1](Done("loaded"))
                self._loaded = None
            if (got := request_server.receive(10)) is not None:
                self._requested(*got[:2])
        request_server.close()
        assert self._publisher is not None
        self._publisher.close()

    def _begin(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
        self._life += 1
        self._publisher = Publisher(RIG.name, "policy", self._life, monotonic_ns)

    def _requested(self, request: PolicyRequest, answer: Callable[[Reply], None]) -> None:
        if isinstance(request, LoadPolicy) and self._dies:
            self._dies = False
            self._begin()
            return
        if isinstance(request, LoadPolicy):
            self._loaded = time.monotonic() + LOADS_S, answer
        else:
            answer(Done())

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish.set()
        self._thread.join()


def heard(rollout: Rollout) -> None:
    """Word of the runner's health has just come."""
    give_up_s = time.monotonic() + 10
    while rollout._health is None:
        assert time.monotonic() < give_up_s
        rollout.meanwhile()


@pytest.mark.slow
def test_a_runner_that_ends_before_it_has_heard_of_the_policy_is_told_at_once(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "time_out_s", lambda _: 5.0)
    with Runner(dies=True), Rollout(Station(RIG), Hands(None, None)) as rollout:
        heard(rollout)
        with pytest.raises(NodeAbsent, match="ended while it loaded"):
            rollout.load(tmp_path)
        assert rollout.load(tmp_path) == "loaded"


@pytest.mark.slow
def test_a_runner_that_ended_before_it_was_asked_is_no_trouble(runtime: str, tmp_path: Path) -> None:
    with Rollout(Station(RIG), Hands(None, None)) as rollout:
        with Runner():
            rollout.load(tmp_path)
            time.sleep(2 * HEALTH_S)  # what this life says waits to be heard
        rollout._policy.replies(100)  # the client has noticed that it is gone
        with Runner(life=2):
            assert rollout.load(tmp_path) == "loaded"
