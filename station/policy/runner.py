"""The policy runner's loop: hears ticks, thinks beside them, and asks the pilot for one action at every tick.

It begins with the first LoadPolicy (`station.policy.node`), and asks nothing until StartPolicy. It commands no arm: the
pilot does, with the same limits, ramps and take-over as for a human, and holds when the setpoints stop. So it may be killed
or hang at any time; a backend that hangs takes this process down with a reason, and the supervisor starts it again.

While somebody else commands (a take-over) it goes on thinking and asking; what it asks is then recorded beside what the
human does, and at hand-back it acts on what it sees, not on plans from before.
"""

import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
import zmq

from station.borders.stamps import Stamps
from station.bus.messages import Description, Health, PilotState, Setpoint, Tick
from station.bus.requests import Done, LoadPolicy, PolicyRequest, Refused, Reply, StartPolicy, StopPolicy
from station.bus.requests.time_outs import FIRST_INFERENCE_S, LOADING_S
from station.bus.sockets import RequestServer, Subscriber
from station.clock import NS_PER_S
from station.errors import BackendFault, StationError
from station.policy.claims import rig_vector
from station.policy.folder import Policy
from station.policy.frames import FrameCache
from station.policy.observation import history, ticks_kept, too_old
from station.policy.runner_core import RunnerCore, TickSetpoint, Window
from station.policy.told import Told
from station.policy.worker import Answer, Begin, Failure, FrameDecoder, Infer, Load, Loaded, LoadFailed, Result, Worker
from station.runtime.node import Node

OTHERS = ("leader", "vr", "replay", "park")
"""While one of these commands, the policy is only listened to."""
SHADOW = "policy_shadow"
"""The node name under which a shadow's setpoints are published: on no stream that a pilot hears."""
_POLL_MS = 100
_FIRST_ASK_NS = round(FIRST_INFERENCE_S * NS_PER_S)
_LOADING_NS = round(LOADING_S * NS_PER_S)
_DESCRIBED_NS = 5 * NS_PER_S
"""How long the followers may take to say what they are (they do once a second)."""
_SWITCH_S = 0.0005
"""The interpreter's turn: a thread that is busy in Python must not hold the loop up for its usual 5 ms at a tick."""
_Answer = Callable[[Reply], None]


class Runner:
    """The node's loop. Everything that decides is in RunnerCore."""

    def __init__(self, node: Node, requests: "RequestServer[PolicyRequest]") -> None:
        """`requests` stays the caller's."""
        self._node, self._requests = node, requests
        followers = [("description", follower) for follower in node.rig.followers]
        self._bus = Subscriber(node.rig.name, [("tick", "synchronizer"), ("pilot", "pilot"), *followers])
        self._descriptions: dict[str, Description] = {}
        self._worker = Worker(node.clock)
        self._frames: FrameCache | None = None
        self._frame_decoder: FrameDecoder | None = None
        self._core: RunnerCore | None = None
        self._seen: deque[Tick] = deque(maxlen=2)
        self._shadow = False
        self._waiting: tuple[int, Load, _Answer] | None = None
        """A policy that waits to be loaded: since when, which, for whom."""
        self._loading: tuple[int, _Answer] | None = None
        self._starting: tuple[int, _Answer] | None = None
        self._publishing = Window()
        self._held = False
        """Did the last setpoint say hold?"""
        self._told = Told(node.clock())
        self._stamps = Stamps()

    def run(self, first: LoadPolicy, answer: _Answer) -> None:
        """From the first policy until the node is to finish. Raises BackendFault when the backend hangs."""
        sys.setswitchinterval(_SWITCH_S)
        self._request(first, answer)
        poller = zmq.Poller()
        for source in (self._bus.socket, self._requests.socket, self._worker.wakes):
            poller.register(source, zmq.POLLIN)
        self._worker.start()
        try:
            while not self._node.finish.is_set():
                poller.poll(_POLL_MS)
                self._turn()
        finally:
            self._close()

    def _turn(self) -> None:
        for result in self._worker.results():
            self._take(result)
        while (sample := self._bus.receive()) is not None:
            now_ns, header = self._node.clock(), sample.header
            told_ns = (sample.body.t_ns,) if isinstance(sample.body, Tick) else ()
            if self._stamps.refuse(f"{sample.kind}/{sample.node}", now_ns, header.captured_at_ns, *told_ns):
                continue
            if isinstance(sample.body, Tick):
                self._tick(sample.body, sample.header.sent_at_ns)
            elif isinstance(sample.body, Description):
                self._descriptions[sample.node] = sample.body
            elif isinstance(sample.body, PilotState) and self._core is not None:
                self._core.alone = sample.body.source not in OTHERS
        while (got := self._requests.receive()) is not None:
            self._request(*got[:2])
        self._check(self._node.clock())

    def _tick(self, tick: Tick, sent_at_ns: int) -> None:
        self._seen.append(tick)
        if self._core is None:
            return
        before = self._core.counts()
        self._core.trouble = self._told.veiled(self._worker.trouble) if self._core.owes else ""
        setpoint = self._core.tick(tick.tick, tick.t_ns)
        if setpoint is not None:
            if setpoint.hold and not self._held:
                self._tell_counts(before)
            self._held = setpoint.hold
            self._publish(setpoint)
            self._publishing.add(self._node.clock() - sent_at_ns)
        if self._core.may_infer():
            self._infer(self._core, tick)

    def _tell_counts(self, before: dict[str, float]) -> None:
        """A hold may end an episode: what the counts were before it and are with it is said before the hold itself, or the
        file of that episode would not have it.
        """
        health = self._health()
        self._node.publish_health(msgspec.structs.replace(health, readings=health.readings | before))
        self._node.publish_health(health)

    def _publish(self, setpoint: TickSetpoint) -> None:
        name = SHADOW if self._shadow else self._node.name
        body = Setpoint("policy", setpoint.tick, setpoint.t_ns, setpoint.goal, hold=setpoint.hold, why=setpoint.why)
        self._node.publisher.publish("setpoint", body, node=name)
        if self._starting is not None and not setpoint.hold:
            self._starting[1](Done(f"asking since tick {setpoint.tick}"))
            self._starting = None

    def _infer(self, core: RunnerCore, tick: Tick) -> None:
        needed = (*core.policy.cameras, *self._node.rig.followers)
        why = too_old(tick, needed, round(self._node.rig.safety.camera_loss_s * NS_PER_S))
        if why:
            core.unseen(core.rollout, why)
            return
        core.inferring(self._node.clock())
        self._worker.give(Infer(core.rollout, history(self._seen, core.policy.obs_steps, core.policy.rate_hz)))

    def _take(self, result: Result) -> None:
        now_ns = self._node.clock()
        match result:
            case Loaded():
                self._finish_loading(result)
            case LoadFailed():
                self._answer_load(Refused(self._told.veiled(result.why)))
            case Answer() if self._core is not None:
                self._core.answered(result.rollout, result.t_obs_ns, result.actions, result.inference_ns, now_ns)
            case Failure() if self._core is not None:
                why = self._told.veiled(result.why)
                if result.blind:
                    self._core.unseen(result.rollout, why)
                else:
                    self._core.failed(result.rollout, why, now_ns)
                self._node.log.warning("no chunk: %s", why)

    def _request(self, request: PolicyRequest, answer: _Answer) -> None:
        try:
            match request:
                case LoadPolicy():
                    self._load(Load(Path(request.folder), request.instruction, blind=request.blind), answer)
                case StartPolicy():
                    self._start(request.shadow, answer)
                case StopPolicy():
                    self._stop()
                    answer(Done())
        except StationError as error:
            answer(Refused(str(error)))

    def _load(self, job: Load, answer: _Answer) -> None:
        busy = self._loading is not None or self._waiting is not None
        if busy or (self._core is not None and self._core.phase == "running"):
            answer(Refused("a policy is being loaded or runs. Next: stop it first"))
            return
        self._waiting = (self._node.clock(), job, answer)

    def _load_if_possible(self, now_ns: int) -> None:
        """Load what waits, once all is known and the backend before it has answered (a hung one never will)."""
        if self._waiting is None:
            return
        asked_ns, job, answer = self._waiting
        silent = [follower for follower in self._node.rig.followers if follower not in self._descriptions]
        owes = self._core is not None and self._core.owes
        if not silent and not owes:
            self._waiting = None
            self._forget_policy()
            self._told.loading(job)
            self._loading = (now_ns + _LOADING_NS, answer)
            self._worker.give(job._replace(vector=rig_vector(self._node.rig, self._descriptions)))
        elif self._core is not None and self._core.overdue(now_ns):
            self._waiting = None
            answer(Refused("the policy before it has not answered yet. Next: ask again in a few seconds"))
        elif silent and now_ns - asked_ns > _DESCRIBED_NS:
            self._waiting = None
            answer(Refused(f"{', '.join(silent)} has not said what it is. Next: `station status` says what is missing"))

    def _finish_loading(self, loaded: Loaded) -> None:
        rig, policy = self._node.rig, loaded.policy
        self._answer_load(Done(loaded.identity), loaded)
        self._core = RunnerCore(policy, rig.tick_hz, self._told.veiled(policy.backend))
        self._seen = deque(self._seen, maxlen=ticks_kept(policy, rig.tick_hz))
        self._frames = loaded.frames

    def _answer_load(self, reply: Reply, loaded: Loaded | None = None) -> None:
        self._told.loaded(loaded)
        if self._loading is not None:
            self._loading[1](reply)
        self._loading = None

    def _start(self, shadow: bool, answer: _Answer) -> None:
        if self._core is None or self._core.phase == "running":
            none = "no policy is loaded. Next: load one"
            answer(Refused(none if self._core is None else "it runs already. Next: stop it first"))
            return
        self._shadow, self._held = shadow, False
        self._start_frame_decoder(self._core.policy)
        self._worker.give(Begin(self._core.begin()))
        self._starting = (self._node.clock() + _FIRST_ASK_NS, answer)

    def _stop(self) -> None:
        if self._core is not None:
            self._core.end()
        self._stop_frame_decoder()
        self._refuse_start("it was stopped")

    def _start_frame_decoder(self, policy: Policy) -> None:
        """Pictures are decoded while a rollout runs, and only then."""
        if self._frame_decoder is None and policy.cameras and self._frames is not None:
            self._frame_decoder = FrameDecoder(self._node.rig.name, policy, self._frames)
            self._frame_decoder.start()

    def _stop_frame_decoder(self) -> None:
        if self._frame_decoder is not None:
            self._frame_decoder.close()
        self._frame_decoder = None

    def _refuse_start(self, why: str) -> None:
        if self._starting is not None:
            self._starting[1](Refused(f"the policy asked nothing: {why}"))
        self._starting = None

    def _check(self, now_ns: int) -> None:
        self._load_if_possible(now_ns)
        if self._loading is not None and now_ns > self._loading[0]:
            raise BackendFault(
                f"a policy was not loaded within {_LOADING_NS / NS_PER_S:g} s. Next: `station policy bench DIR`"
            )
        if self._core is not None:
            self._check_core(self._core, now_ns)
        if self._node.health_due(now_ns):
            self._node.publish_health(self._health())
            self._node.publisher.publish("policy", self._told.state(self._core, self._shadow, now_ns))

    def _check_core(self, core: RunnerCore, now_ns: int) -> None:
        if core.hung(now_ns):
            self._node.publish_health(self._health())
            why = f"policy {core.policy.folder.name}: the backend {core.backend} has not answered for {core.hang_ns / NS_PER_S:g} s"
            next_ = "the runner starts again; load the policy anew, and try `station policy bench DIR`"
            raise BackendFault(f"{self._told.veiled(why)}. Next: {next_}")
        if self._starting is not None and (now_ns > self._starting[0] or core.phase == "fault"):
            core.end()
            self._refuse_start(core.why or "no tick came, or every chunk came too late")

    def _health(self) -> Health:
        core, lost = self._core, sum(self._bus.lost.values())
        if core is None:
            return Health(self._node.name, "ok", "", notes=("no policy is loaded",), lost=lost)
        readings = core.readings(self._node.clock())
        if (publishing := self._publishing.percentile_ms(99)) == publishing:
            readings["tick_to_setpoint_p99_ms"] = publishing
        readings["bad_stamps"] = float(self._stamps.count)
        if self._frame_decoder is not None:
            readings["undecodable_frames"] = float(self._frame_decoder.undecodable)
            readings["passed_over_frames"] = float(self._frame_decoder.passed_over)
        state: Literal["ok", "warn", "fault"] = "fault" if core.phase == "fault" else "warn" if core.troubled else "ok"
        error = "; ".join((*filter(None, [core.why]), *self._stamps.warnings(self._node.clock())))
        what = f"{self._told.what(core.policy)}: {core.phase}{' in shadow' if self._shadow else ''}"
        notes = tuple(filter(None, (what, self._told.note)))
        return Health(self._node.name, state, error, readings=readings, notes=notes, lost=lost)

    def _forget_policy(self) -> None:
        self._stop_frame_decoder()
        self._core = self._frames = None

    def _close(self) -> None:
        self._forget_policy()
        self._worker.close(timeout_s=0.5)
        self._bus.close()
