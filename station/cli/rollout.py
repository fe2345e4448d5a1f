"""A policy's run as its operator sees it: load, begin, engage, take over, hand back, and how it does meanwhile."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from station.bus.messages import Health, PilotState, Setpoint, Tick
from station.bus.requests import (
    Disengage,
    DriveLeaders,
    Engage,
    Hold,
    LoadPolicy,
    Opening,
    PilotRequest,
    Refused,
    StartPolicy,
    StopPolicy,
)
from station.bus.requests.time_outs import time_out_s
from station.cli.operator.pedal import Pedal
from station.cli.patience import Patience
from station.cli.physics import prepare_scene
from station.client import SessionClient, Station
from station.clock import NS_PER_S, monotonic_ns
from station.errors import NodeAbsent, RequestRefused
from station.steps.speaker import Speaker
from station.terminal.screen import console

SPEAKS_S = 10.0
"""How long the runner and the session may take to say how they are."""
HANDS_NS = 10 * NS_PER_S
SHOW_NS = 2 * NS_PER_S
_TICK_MS = 50
SHOWN = {
    "delay_p95_ms": "delay p95 {:.0f} ms",
    "inference_p95_ms": "inference p95 {:.0f} ms",
    "starved_ticks": "{:.0f} ticks starved",
    "faults": "{:.0f} faults",
    "missing_frames": "{:.0f} missing frames",
}


class Hands:
    """Where an operator's keys come from: what is given of a job's offers (the first letter of each), a pedal, both or neither."""

    def __init__(self, speaker: Speaker | None = None, pedal: Pedal | None = None) -> None:
        self._speaker, self._pedal = speaker, pedal

    def pressed(self) -> list[str]:
        """Pressed since the last call; the pedal takes over. Never blocks. Raises typer.Abort where nobody is there any more."""
        found = [given[0] for given in self._speaker.given()] if self._speaker is not None else []
        if self._pedal is not None:
            found += ["t" for _ in self._pedal.acts(monotonic_ns())]
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pedal is not None:
            self._pedal.close()


class Ran(NamedTuple):
    """How a rollout went."""

    seconds: float
    held: str = ""
    """Why it ended in a hold that nobody resolved; "" if it did not."""
    helped: bool = False
    """Somebody took over."""
    interrupted: bool = False
    """By Ctrl-C."""
    spoiled: bool = False
    """It was the station that ended it, not the policy nor a person: it says nothing of the policy."""
    episode: int = -1
    """Of the rollout that was recorded; −1 where nobody did."""


class Rollout:
    """Asks runner and pilot, and tells what they say."""

    def __init__(self, station: Station, hands: Hands) -> None:
        self._station, self._rig, self._hands = station, station.rig, hands
        self._policy, self._pilot = station.request_client("policy"), station.request_client("pilot")
        streams = [("pilot", "pilot"), ("health", "policy"), ("setpoint", "policy_shadow"), ("tick", "synchronizer")]
        self._heard = station.subscribe(streams, publishers=["pilot", "policy", "synchronizer"])
        self._state: PilotState | None = None
        self._said = ""
        self._asked: bytes | None = None
        self._show_due_ns = 0
        self._health: Health | None = None
        self._life = self._loaded_in = 0
        """The runner's life now, and the one that has loaded the policy."""
        self._load: LoadPolicy | None = None
        self._qpos: tuple[float, ...] = ()
        self._led = self._helped = False
        """In this run: has the policy commanded, and has somebody else since?"""
        self._keys: deque[str] = deque(maxlen=8)
        self._apart = 0.0
        """Shadow: the farthest any number asked for was from where it was, since it was last shown."""

    def load(self, folder: Path, instruction: str = "", blind: bool = False) -> str:
        """Load, check against the rig, warm up. Returns which policy it is; RequestRefused with the reason.

        `instruction` takes the place of the folder's own; `blind`: nothing is told that names it.
        """
        console.print("loading" if blind else f"loading {folder}")
        self._policy.ask(StopPolicy())
        load = LoadPolicy(str(folder.absolute()), instruction, blind)
        identity = self._send_load(load)
        self._load = load
        if not blind:
            console.print(identity)
        return identity

    def _send_load(self, load: LoadPolicy) -> str:
        life = self._life_now()
        identity = self._loaded(self._policy.send(load), life)
        self._loaded_in = life
        self.meanwhile()
        return identity

    def _life_now(self) -> int:
        """The runner's life, by what it says from now on: what it said earlier may be of one that has ended since.

        Raises NodeAbsent when it says nothing.
        """
        asked_ns = monotonic_ns()
        while monotonic_ns() - asked_ns < SPEAKS_S * NS_PER_S:
            sample = self._heard.receive(_TICK_MS)
            if sample is not None and isinstance(sample.body, Health) and sample.header.sent_at_ns > asked_ns:
                self._life = sample.header.start_id
                return self._life
        raise NodeAbsent(
            f"the policy's runner has said nothing for {SPEAKS_S:g} s. "
            f"Next: `station status --rig {self._rig.name}` says whether it runs"
        )

    def _loaded(self, number: bytes, life: int) -> str:
        """Wait for the answer; a runner whose `life` ends over it, or before it has heard of it, never gives one."""
        within_s = time_out_s(LoadPolicy)
        give_up_ns = monotonic_ns() + int(within_s * NS_PER_S)
        while monotonic_ns() < give_up_ns:
            reply = self._policy.poll_reply(number, _TICK_MS)
            if isinstance(reply, Refused):
                raise RequestRefused(reply.why)
            if reply is not None:
                return reply.detail
            while (sample := self._heard.receive()) is not None:
                if isinstance(sample.body, Health):
                    self._life = sample.header.start_id
                    if self._life != life:
                        raise NodeAbsent(
                            "the policy's runner ended while it loaded. Next: `station policy bench DIR` shows why"
                        )
        raise NodeAbsent(f"the policy was not loaded within {within_s:g} s. Next: `station policy bench DIR`")

    def begin(self, shadow: bool = False) -> None:
        """A new rollout: nothing of the last one counts."""
        self._policy.ask(StopPolicy())
        try:
            self._policy.ask(StartPolicy(shadow))
        except RequestRefused:
            self.meanwhile()
            if self._load is None or self._life in (0, self._loaded_in):
                raise
            # the runner was killed since, and its next life knows of no policy
            self._send_load(self._load)
            self._policy.ask(StartPolicy(shadow))

    def stop(self) -> None:
        """Nothing is asked any more; who was commanded holds."""
        self._pilot.ask(Disengage())
        self._policy.ask(StopPolicy())

    def arrange(self, session: SessionClient, patience: Patience) -> None:
        """Before an episode: the scene in its place, the arms at the start; the session begins the rollout itself."""
        if session.state.why:
            patience.announce(f"{session.state.why}. The policy begins again")
        self.home(session.state.episode)

    def home(self, scene: int) -> None:
        """On a simulated rig: hands bring the arms back to the start by the leaders, where they hold; the scene is put
        in its place. Elsewhere people have done it.
        """
        if self._rig.world is None:
            return
        if self._rig.leaders:
            self._hand_over_to_leaders()
        prepare_scene(self._station, scene)
        self._pilot.ask(Disengage())

    def _hand_over_to_leaders(self) -> None:
        """They need a moment to come to where the arms are. Leaders that an earlier life of the pilot left stiff are given to the
        hands by the start sequence. Raises RequestRefused when they do not come.
        """
        until_ns = monotonic_ns() + HANDS_NS
        while True:
            try:
                self._pilot.ask(Engage("leader", held=True))  # a simulated operator's hands are always there
                return
            except RequestRefused:
                if monotonic_ns() > until_ns:
                    if self._state is None or not self._state.stiff:
                        raise
                    break
            self._wait()
        self._pilot.ask(Opening(needed=False))

    def run(self, seconds: float | None, over: Callable[[], bool] = lambda: False) -> Ran:
        """One rollout that nobody records and nobody attends, of a scene that is ready, for `seconds`, until it is `over` or until
        Ctrl-C.
        """
        self.begin()
        self.forget()
        self._set_leaders()
        interrupted = False
        held, began_ns = "", monotonic_ns()
        try:
            self._pilot.ask(Engage("policy"))
            began_ns = monotonic_ns()
            ends_ns = None if seconds is None else began_ns + round(seconds * NS_PER_S)
            while (ends_ns is None or monotonic_ns() < ends_ns) and not held and not over():
                self._wait()
                if self._led and self._state is not None and self._state.state == "hold":
                    held = self._state.why or "hold"
        except KeyboardInterrupt:
            console.print("ending; the arms hold")
            interrupted = True
        finally:
            ran_s = (monotonic_ns() - began_ns) / NS_PER_S
            self.stop()
        return Ran(ran_s, held, self._helped, interrupted)

    def _set_leaders(self) -> None:
        """As the rig file has it: nobody's yes of an earlier sitting counts."""
        along, state = self._rig.teleop.driven_leaders == "on", self._state
        if state is not None and state.drivable and state.along != along:
            self._pilot.ask(DriveLeaders(along))

    def forget(self) -> None:
        """What was before does not count: a new rollout begins."""
        self.meanwhile()
        self._led = self._helped = False

    @property
    def helped(self) -> bool:
        """Has somebody taken over from the policy since?"""
        return self._helped

    def key(self) -> str:
        """The oldest key pressed that asks nothing of the pilot; "" if there is none. Waits a moment for one."""
        self._wait()
        return self._keys.popleft() if self._keys else ""

    def drop_keys(self) -> None:
        """What was pressed until now, and asks nothing of the pilot, counts no more."""
        self.meanwhile()
        self._keys.clear()

    def shadow(self, seconds: float | None) -> None:
        """Infer and tell what would have been asked; nothing moves."""
        self.begin(shadow=True)
        try:
            ends_ns = None if seconds is None else monotonic_ns() + round(seconds * NS_PER_S)
            while ends_ns is None or monotonic_ns() < ends_ns:
                self._wait()
        except KeyboardInterrupt:
            console.print("ending")
        finally:
            self._policy.ask(StopPolicy())

    def _wait(self) -> None:
        self._heard.socket.poll(_TICK_MS)
        self.meanwhile()

    def meanwhile(self) -> None:
        """Hear, heed the keys, tell. Never blocks."""
        while (sample := self._heard.receive()) is not None:
            body = sample.body
            if isinstance(body, PilotState):
                self._tell_pilot(body)
            elif isinstance(body, Health):
                self._health, self._life = body, sample.header.start_id
            elif isinstance(body, Tick):
                self._qpos = body.qpos
            elif isinstance(body, Setpoint) and len(body.goal) == len(self._qpos) and not body.hold:
                apart = max(abs(goal - now) for goal, now in zip(body.goal, self._qpos, strict=True))
                self._apart = max(self._apart, apart)
        for key in self._hands.pressed():
            self._act_on(key)
        self._hear_answer()
        self._tell_health(monotonic_ns())

    def _act_on(self, key: str) -> None:
        state = self._state
        leads = state is not None and state.source == "leader"
        requests: dict[str, PilotRequest] = {
            "t": Engage("policy" if leads else "leader"), "l": Engage("leader"), "i": Engage("leader", held=True),
            "g": DriveLeaders(not (state is not None and state.along)),
        }  # fmt: skip
        if key in ("space", "p", "h"):
            if state is not None and state.state == "engaged":
                self._asked = self._pilot.send(Hold("paused by the operator"))
            elif key != "h":
                self._go_on()
        elif key in requests:
            self._asked = self._pilot.send(requests[key])
        else:
            self._keys.append(key)

    def _go_on(self) -> None:
        """After a hold, whatever its cause: the policy begins again from what it sees now."""
        try:
            self.begin()
        except (RequestRefused, NodeAbsent) as error:
            console.print(f"not done: {error}")
            return
        self._asked = self._pilot.send(Engage("policy"))

    def _hear_answer(self) -> None:
        for number, reply in self._pilot.replies():
            if number == self._asked and isinstance(reply, Refused):
                console.print(f"not done: {reply.why}")

    def _tell_pilot(self, state: PilotState) -> None:
        self._state = state
        if state.state == "engaged":
            self._led = self._led or state.source == "policy"
            self._helped = self._helped or (self._led and state.source != "policy")
        said = f"{state.state}: {state.source}" + (f" ({state.why})" if state.why else "")
        said += f"; to take over: {state.to_fit}" if state.to_fit and state.source == "policy" else ""
        if said != self._said:
            self._said = said
            console.print(said)

    def _tell_health(self, now_ns: int) -> None:
        if self._health is None or now_ns < self._show_due_ns:
            return
        self._show_due_ns = now_ns + SHOW_NS
        numbers = [
            text.format(self._health.readings[name]) for name, text in SHOWN.items() if name in self._health.readings
        ]
        if self._apart:
            numbers.append(f"asks up to {self._apart:.2f} from where the arms are")
            self._apart = 0.0
        console.print("policy: " + ", ".join([*numbers, *filter(None, [self._health.error])]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in (self._policy, self._pilot, self._heard):
            socket.close()
