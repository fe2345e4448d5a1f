"""Stamps that cannot be true, at every border where samples come in: counted, named, dropped, and no episode is ended by one."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from station.borders.stamps import AHEAD_NS
from station.bus.messages import SCHEMA, ArmState, HandPose, Header, Setpoint, Tick
from station.bus.requests import EndRecording, PolicyRequest
from station.bus.sockets import RequestServer
from station.bus.wire import Sample
from station.clock import NS_PER_S, monotonic_ns
from station.control.pilot import Pilot
from station.control.vr_teleop import VrTeleop
from station.devices.contract import Description, Reading, StreamDescription
from station.devices.host import PushHost
from station.episodes.naming import journal_path
from station.policy.runner import Runner
from station.rig.rig import find_rig, load_rig
from station.runtime.node import Node
from station.sync.synchronizer import Synchronizer
from tests.station.sync.stage import POSE, File, Stage

ABSURD: dict[str, Callable[[int], int]] = {
    "1000 s ahead": lambda now_ns: now_ns + 1000 * NS_PER_S,
    "0.1 s ahead": lambda now_ns: now_ns + NS_PER_S // 10,
    "beyond an int64": lambda now_ns: 2**63 + 5,
    "before the clock began": lambda now_ns: -5,
    "an hour old": lambda now_ns: now_ns - 3600 * NS_PER_S,
}
STATE = ArmState(POSE, POSE, POSE, 0.5, 0.0, True)


@pytest.fixture
def stage(runtime: str) -> Iterator[Stage]:
    made = Stage(runtime)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("what", ABSURD)
def test_one_bad_stamp_ends_no_episode_now_or_later(stage: Stage, tmp_path: Path, what: str) -> None:
    part = journal_path(tmp_path, 0)
    stage.all_speak()
    stage.begin(part)
    stage.rows(5)
    stage.publishers["follower_left"].publish("arm_state", STATE, ABSURD[what](monotonic_ns()))
    stage.rows(40)  # over half a second, after which an arm's silence would end it
    assert stage.recorder.recording
    if what == "beyond an int64":  # the wire's own border refuses that
        return
    health = stage.until(lambda: h if (h := stage.newest.get("health")) and h.readings["bad_stamps"] else None, "count")
    assert "arm_state/follower_left: a sample was dropped, its stamp is" in health.error
    stage.ask(EndRecording())
    stage.until(lambda: not stage.recorder.recording, "end")
    file = File(part, stage.recorder.recorded_ticks)
    assert (file.rows, file.ended) == (stage.recorder.recorded_ticks, "")


class Device:
    """A driver whose readings have the stamps it is given."""

    def __init__(self) -> None:
        self.stamps: list[int] = []

    def read(self) -> list[Reading]:
        stamps, self.stamps = self.stamps, []
        return [Reading("arm_state", stamp, STATE) for stamp in stamps]

    def warnings(self) -> tuple[str, ...]:
        return ()

    def health(self) -> dict[str, float]:
        return {}


def test_a_devices_host_publishes_none(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(load_rig(find_rig("bench")), "follower_left")
    published: list[tuple[str, int | None]] = []

    def publish(kind: str, _body: object, at: int | None = None, *_: object, **__: object) -> None:
        published.append((kind, at))

    monkeypatch.setattr(node.publisher, "publish", publish)
    try:
        device = Device()
        host = PushHost(node, device)
        host.opened(Description("m", "", "", (StreamDescription("arm_state", 200.0),)))
        now_ns = monotonic_ns()
        device.stamps = [now_ns - 1000, *(make(now_ns) for make in ABSURD.values()), now_ns]
        host.step()
        assert [at for kind, at in published if kind == "arm_state"] == [now_ns - 1000, now_ns]
        assert host.streams.stamps.count == len(ABSURD)
        assert host.streams.health(now_ns)[0].age_ns >= 0
    finally:
        node.close()


def sample(kind: str, node: str, body: Any, captured_at_ns: int) -> Sample:
    return Sample(kind, node, Header(SCHEMA, 1, 0, captured_at_ns, monotonic_ns()), body, ())


def test_the_pilot_hears_none(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(load_rig(find_rig("bench")), "pilot")
    pilot = Pilot(node)
    heard: list[str] = []
    for event in ("arm_state", "asked"):
        monkeypatch.setattr(pilot._core, event, lambda name, *_: heard.append(name))
    try:
        now_ns = monotonic_ns()
        for make in ABSURD.values():
            pilot._hear(sample("arm_state", "leader_left", STATE, make(now_ns)), now_ns)
            setpoint = Setpoint("policy", 5, make(now_ns), (0.0,) * 14)  # stamped well, but asks for then
            pilot._hear(sample("setpoint", "policy", setpoint, now_ns), now_ns)
        assert heard == []
        assert pilot._stamps.count == 2 * len(ABSURD)
        pilot._hear(sample("arm_state", "leader_left", STATE, now_ns), now_ns)
        pilot._hear(sample("setpoint", "policy", Setpoint("policy", 5, now_ns, (0.0,) * 14), now_ns), now_ns)
        assert heard == ["leader_left", "policy"]
    finally:
        pilot.close()
        node.close()


def test_vr_hears_none(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(load_rig(find_rig("sim_vr")), "vr_teleop")
    teleop = VrTeleop(node)
    heard: list[int] = []
    monkeypatch.setattr(teleop._core, "sample", lambda pose, at_ns, now_ns: heard.append(at_ns))
    try:
        now_ns = monotonic_ns()
        for at_ns in (*(make(now_ns) for make in ABSURD.values()), now_ns):
            teleop._hear(sample("hand_pose", "vr", HandPose(None, None), at_ns))
        assert heard == [now_ns]
        assert teleop._stamps.count == len(ABSURD)
    finally:
        node.finish.set()
        teleop.run()  # closes what it opened
        node.close()


def test_the_policys_runner_hears_none(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(load_rig(find_rig("bench")), "policy")
    requests: RequestServer[Any] = RequestServer(node.rig.name, "policy", PolicyRequest)
    runner = Runner(node, requests)
    heard: list[int] = []
    monkeypatch.setattr(runner, "_tick", lambda tick, sent_at_ns: heard.append(tick.tick))
    try:
        now_ns = monotonic_ns()
        ticks = [Tick(k, make(now_ns), (), POSE, POSE, POSE) for k, make in enumerate(ABSURD.values())]
        sent = [sample("tick", "synchronizer", tick, now_ns) for tick in ticks]
        sent += [
            sample("tick", "synchronizer", Tick(90, now_ns, (), POSE, POSE, POSE), make(now_ns))
            for make in ABSURD.values()
        ]
        sent += [sample("tick", "synchronizer", Tick(99, now_ns, (), POSE, POSE, POSE), now_ns)]
        coming = iter(sent)
        monkeypatch.setattr(runner._bus, "receive", lambda: next(coming, None))
        runner._turn()
        assert heard == [99]
        assert runner._stamps.count == 2 * len(ABSURD)
    finally:
        runner._bus.close()
        requests.close()
        node.close()


def test_a_sample_that_comes_while_a_slow_drain_goes_on_is_from_no_future(
    runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(load_rig(find_rig("bench")), "synchronizer")
    synchronizer = Synchronizer(node)
    left = iter(range(3))

    def slowly() -> Sample | None:
        if next(left, None) is None:
            return None
        time.sleep(2 * AHEAD_NS / NS_PER_S)
        return sample("arm_state", "leader_left", STATE, monotonic_ns())

    monkeypatch.setattr(synchronizer._bus, "receive", slowly)
    try:
        synchronizer._drain()
        assert synchronizer._core.health(monotonic_ns()).readings["bad_stamps"] == 0
    finally:
        monkeypatch.undo()
        synchronizer._request_server.close()
        synchronizer._bus.close()
        node.close()
