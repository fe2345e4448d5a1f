"""The pilot's state machine: who commands the followers. Pure: events with the time in, commands and questions out.

It alone addresses arms. One source at a time; every hand-over is an `Alignment`; while engaged each setpoint of the source
is sent on the moment it comes. Anything that is wrong with the source or with a follower puts all of them in hold; where
one of them is only silent for a moment, all decelerate and go on together (`station.control.silences`).
"""

from station.bus.messages import Applied, ArmState, Command, Description, Doer, PilotState, Setpoint, SourceName
from station.bus.requests import (
    Disengage,
    Done,
    DriveLeaders,
    Engage,
    Hold,
    Opening,
    Park,
    PilotRequest,
    Recover,
    Refused,
    Reply,
)
from station.clock import NS_PER_MS
from station.control.alignment import Alignment, hold_command
from station.control.arms import Answer, Arm, Arms, Ports
from station.control.gesture import Closing
from station.control.leave import Confirmations, perform
from station.control.mirror import Mirror
from station.control.parking import release, to_be_parked
from station.control.silences import Silences
from station.control.start_sequence import StartSequence
from station.control.states import MAY_COMMAND, TRANSITIONS, Event, State
from station.rig.rig import Rig

TIMER_NS = 10 * NS_PER_MS
"""How often ramps that no leader's samples drive take a step."""
WATCH_NS = 25 * NS_PER_MS
"""How often silence is looked for."""


class PilotCore:
    """Who commands. Requests are answered when they are done: `Engage` when engaged, `Park` when parked, or why not."""

    def __init__(self, rig: Rig, ports: Ports) -> None:
        self._rig, self._ports, self._safety = rig, ports, rig.safety
        self.arms = Arms(rig)
        self._silences = Silences(self.arms, rig.safety, ports)
        self._state: State = "idle"
        self._source: SourceName = "none"
        self._why = ""
        self._held_by: Doer = ""
        """Whose doing the hold is."""
        self._holds = 0
        self._engaged: list[Arm] = []
        self._alignment: Alignment | None = None
        self._park: Park | None = None
        self._confirmations = Confirmations()
        self._mirror = Mirror(self.arms, rig.safety, ports, rig.teleop.driven_leaders)
        self._closing = Closing(arm.leader for arm in self.arms.commanded_by("leader") if arm.leader is not None)
        self._waiting: StartSequence | None = None

    def described(self, node: str, description: Description) -> None:
        """A driver said what it is."""
        self.arms.described(node, description)

    def arm_state(
        self, node: str, state: ArmState, captured_at_ns: int, sequence: int, now_ns: int, life: int = 0
    ) -> None:
        """A reading of an arm, by its driver's `life`. An engaged leader's is sent on at once, as a setpoint of the time it was
        captured.
        """
        arm = self.arms.find(node)
        if arm is None:
            return
        self._speaks(node, arm.heard_ns, arm.life, life, now_ns)
        arm.life = life
        arm.state, arm.captured_at_ns, arm.sequence, arm.heard_ns = state, captured_at_ns, sequence, now_ns
        if node in self.arms.leaders:
            self._leader_moved(node, now_ns)
            self._mirror.feel(arm)
            self._feel(arm, now_ns)
        if self._commands(arm) and (arm.barred or not state.torque):
            lost = f"{node} has lost its torque: support it, find out why, then engage again"
            self._hold(arm.barred or lost, now_ns)

    def applied(self, node: str, applied: Applied, now_ns: int) -> None:
        """An arm's driver said which goal it follows or holds."""
        arm = self.arms.find(node)
        if arm is None:
            return
        arm.applied = applied
        if applied.hold and self._commands(arm):
            silent = self._silences.look(*self._moving(), now_ns)
            doer: Doer = "source" if applied.pressed and not silent else "station"
            self._hold(silent or f"{node} holds: {applied.why}", now_ns, doer)

    def asked(self, source: SourceName, setpoint: Setpoint, sequence: int, now_ns: int, life: int = 0) -> None:
        """A policy, replay or VR, of that `life`, asks for all followers."""
        self._speaks(source, self.arms.heard(source, ()).get(source, now_ns), self.arms.life(source), life, now_ns)
        why = self.arms.asked(source, setpoint, sequence, now_ns, life)
        if self._state != "engaged" or source != self._source:
            return
        if why:
            self._why = why
        elif setpoint.hold:
            self._hold(f"{source} asks to hold" + (f": {setpoint.why}" if setpoint.why else ""), now_ns, "source")
        else:
            self._why = ""
            self._forward(self._engaged, now_ns)

    def tick(self, now_ns: int) -> None:
        """Timers: what is to be prepared, ramped, or has gone silent."""
        if self._alignment is not None:
            self._align(self._alignment, now_ns)
        if self._waiting is not None:
            self._wait(self._waiting, now_ns)
        self._mirrored(now_ns)
        why = self._silences.look(*self._moving(), now_ns)
        if why:
            self._hold(why, now_ns)

    def due_ns(self, now_ns: int) -> int:
        """When `tick` is wanted next."""
        if self._alignment is not None or self._waiting is not None or self._mirror.active:
            return now_ns + TIMER_NS
        return now_ns + (WATCH_NS if self._state == "engaged" else 100 * NS_PER_MS)

    def request(self, request: PilotRequest, answer: Answer, now_ns: int) -> None:
        """Do what is asked; `answer` is called once, when it is done or cannot be."""
        if isinstance(request, Engage):
            self._engage(request.source, answer, now_ns, request.held)
        elif isinstance(request, DriveLeaders):
            why = self._mirror.drive(request.along, now_ns)
            answer(Refused(why) if why else Done())
        elif isinstance(request, Opening):
            self._open(request, answer, now_ns)
        elif isinstance(request, Park):
            self._begin_park(request, answer, now_ns)
        elif isinstance(request, Hold):
            self._hold(request.why or "the operator asked to hold", now_ns, "operator")
            answer(Done())
        elif isinstance(request, Disengage):
            self._disengage(now_ns)
            answer(Done())
        elif isinstance(request, Recover):
            self._act(request.arm, "recover", answer, now_ns)
        else:
            self._act(request.arm, request.act, answer, now_ns)

    def _open(self, request: Opening, answer: Answer, now_ns: int) -> None:
        why = self.arms.undrivable()
        if not why:
            self._begin("opening", self.arms.opened(), answer, now_ns)
        elif request.needed:
            answer(Refused(f"no start sequence: {why}. Next: record with --no-opening"))
        else:
            self._engage("leader", answer, now_ns)

    def _engage(self, source: SourceName, answer: Answer, now_ns: int, held: bool = False) -> None:
        """`held`: hands are known to be on the leaders, or the operator says so."""
        targets = self.arms.commanded_by(source)
        if source not in MAY_COMMAND:
            answer(Refused(f"{source} cannot command; sources are {', '.join(MAY_COMMAND)}"))
        elif self._state == "engaged" and self._source == source and self._alignment is None:
            answer(Done(f"{source} commands already"))
        elif not targets:
            answer(Refused(f"rig {self._rig.name} has no follower that {source} could command"))
        elif source == "leader" and (stiff := self.arms.stiff(beside=self._mirror.stiff)):
            answer(Refused(f"{stiff[0]} is stiff: it has torque. Next: open with the grippers (`station record`), "
                           f"or support it and `station park --release {stiff[0]}`"))  # fmt: skip
        elif source == "leader" and not held and (unheld := self._mirror.unheld(now_ns)):
            answer(Refused(unheld))
        else:
            self._begin(source, targets, answer, now_ns)

    def _begin_park(self, request: Park, answer: Answer, now_ns: int) -> None:
        targets = to_be_parked(self.arms, request, now_ns)
        why = ""
        if request.confirmation and not isinstance(targets, Reply):
            why = self._confirmations.take(request.confirmation, [arm.node for arm in targets], now_ns)
        if isinstance(targets, Reply):
            answer(targets)
        elif why:
            answer(Refused(why))
        elif self._begin("park", targets, answer, now_ns):
            self._park = request

    def _begin(self, source: SourceName, targets: list[Arm], answer: Answer, now_ns: int) -> bool:
        if self._waiting is not None:
            answer(Refused("the arms wait for the grippers to be closed. Next: close them, or ask to hold first"))
            return False
        if faulty := self.arms.faulty(source, targets):
            answer(Refused(faulty))
            return False
        if self._alignment is not None:
            answer(Refused(f"already aligning with {self._alignment.source}. Next: wait for it, or ask to hold first"))
            return False
        self._park = None
        self._alignment = Alignment(source, targets, self.arms, self._safety, self._ports, answer, now_ns)
        self._align(self._alignment, now_ns)
        return True

    def _act(self, node: str, act: str, answer: Answer, now_ns: int) -> None:
        """An operator beside the arm asks for one of its driver's acts; whatever comes of it, nobody commands the arm afterwards."""
        why = self.arms.no_act(node, act, now_ns)
        if why:
            answer(Refused(why))
        elif self._state in ("aligning", "waiting", "engaged") or self._alignment is not None:
            answer(Refused(f"no {act} while arms are commanded. Next: hold first, and see to the arm"))
        elif act == "recover" and not self.arms.stopped(node):
            answer(Refused(f"{node} has not stopped by itself: there is nothing to recover"))
        else:
            perform(node, act, self._ports, answer)

    def _align(self, alignment: Alignment, now_ns: int, leader: str = "") -> None:
        """Take the alignment as far as it goes just now."""
        if not alignment.started and not self._start(alignment, now_ns):
            return
        if self._silences.stalled(*self._moving(), now_ns):
            return
        why = alignment.advance(now_ns, leader)
        if why:
            self._hold(why, now_ns)
        elif alignment.arrived(now_ns):
            self._arrive(alignment, now_ns)

    def _start(self, alignment: Alignment, now_ns: int) -> bool:
        """Touch the arms, once everything is known and near enough. Until then whoever commands goes on."""
        verdict = alignment.ready(now_ns)
        if verdict == "" and alignment.source == "opening":
            verdict = self.arms.undrivable()
        if verdict is None:
            return False
        if verdict and self._state == "waiting":
            self._hold(verdict, now_ns)  # nobody commands the followers any more
            return False
        if verdict:
            self._alignment = None
            apart = self._mirror.why_apart(alignment.apart) if alignment.apart and self._source == "policy" else ""
            alignment.answer(Refused(f"{verdict}. {apart}" if apart else verdict))
            return False
        alignment.started = True
        self._silences.stalls.forget()
        engaged, self._engaged = self._engaged, []
        self._go("align", alignment.source, "")
        why = f"hand-over to {alignment.source}"
        for arm in engaged:
            if arm not in alignment.targets:
                self._ports.command(hold_command(arm.node, why, now_ns))
        if alignment.source == "leader":
            self._mirror.let_go()
        else:
            self._mirror.hold(why, now_ns)
        return True

    def _arrive(self, alignment: Alignment, now_ns: int) -> None:
        self._alignment = None
        if alignment.source == "opening":
            self._waiting = StartSequence(alignment, self._ports)
            self._go("stand", "opening", self._waiting.why)
            return
        if alignment.source != "park":
            self._engaged = alignment.targets
            self._go("arrive", alignment.source, "")
            alignment.answer(Done(f"{alignment.source} commands"))
            return
        why = "parked"
        for arm in alignment.targets:
            self._ports.command(hold_command(arm.node, why, now_ns))
        self._go("parked", "none", why)
        arms = [arm.node for arm in alignment.targets]
        if self._park is None or not self._park.release:
            alignment.answer(Done("parked; torque stays on"))
        elif self._park.confirmation:
            release(arms, self._ports, alignment.answer)
        else:
            what = f"parked; torque stays on until {', '.join(arms)} is asked for once more with this confirmation"
            alignment.answer(Done(what, self._confirmations.give(arms, now_ns)))

    def _wait(self, waiting: StartSequence, now_ns: int) -> None:
        """At the start pose; once both grippers were closed and the leaders let go, they command."""
        self._why = waiting.advance(now_ns)
        if waiting.failed:
            self._hold(waiting.failed, now_ns)
        elif waiting.released:
            self._waiting = None
            self._begin("leader", self.arms.commanded_by("leader"), waiting.alignment.answer, now_ns)

    def _leader_moved(self, leader: str, now_ns: int) -> None:
        alignment = self._alignment
        if self._state == "engaged" and self._source == "leader":
            self._forward([arm for arm in self._engaged if arm.leader == leader], now_ns)
        if alignment is not None and alignment.started and alignment.source == "leader":
            self._align(alignment, now_ns, leader)

    @property
    def _policy_commands(self) -> bool:
        return self._state == "engaged" and self._source == "policy"

    def _mirrored(self, now_ns: int) -> None:
        """Leaders go along while a policy commands, and must have gone limp once they lead."""
        if self._policy_commands:
            self._mirror.follow(self._source, now_ns)
        elif self._mirror.failed and self._source == "leader":
            self._hold(self._mirror.failed, now_ns)

    def _feel(self, leader: Arm, now_ns: int) -> None:
        """While a policy commands, closing the leaders' grippers takes over."""
        if not self._policy_commands or self._alignment is not None:
            self._closing.clear()
            return
        follower = next((arm for arm in self.arms.followers.values() if arm.leader == leader.node), None)
        if follower is None or follower.state is None or leader.state is None or not leader.free:
            return
        grippers = leader.state.position[-1], follower.state.position[-1]
        if self._closing.felt(leader.node, *grippers, leader.captured_at_ns):
            self._engage("leader", self._took_over, now_ns, held=True)

    def _took_over(self, reply: Reply) -> None:
        """Nobody waits for the answer to a gesture: a refusal is told as the state's reason."""
        if isinstance(reply, Refused) and self._state == "engaged":
            self._why = f"no take-over: {reply.why}"

    def _forward(self, arms: list[Arm], now_ns: int) -> None:
        """The source's newest setpoint, sent on unless it is older than what the ramp has sent."""
        for arm in arms if not self._silences.stalled(*self._moving(), now_ns) else ():
            setpoint = self.arms.setpoint(self._source, arm, now_ns)
            if setpoint is not None and setpoint.at_ns > arm.last_setpoint_ns:
                arm.last_setpoint_ns = setpoint.at_ns
                self._ports.command(
                    Command(arm.node, self._source, setpoint.tick, setpoint.sequence, setpoint.at_ns, setpoint.goal)
                )

    def _commands(self, arm: Arm) -> bool:
        """Does that follower follow just now, so that its hold is everybody's?"""
        if self._state == "engaged":
            return arm in self._engaged
        if self._waiting is not None:
            return arm in self._waiting.arms
        return self._alignment is not None and self._alignment.ramping(arm)

    def _moving(self) -> tuple[SourceName, list[Arm]]:
        """Which arms are commanded just now, and by what."""
        alignment = self._alignment if self._state == "aligning" else None
        if self._waiting is not None:
            return self._source, self._waiting.arms
        if alignment is not None:
            return alignment.source, alignment.targets if alignment.started else []
        return self._source, self._engaged if self._state == "engaged" else []

    def _speaks(self, name: str, heard_ns: int, before: int, life: int, now_ns: int) -> None:
        """A source or an arm is heard, of that `life`, and was heard last at `heard_ns`, of the life `before`."""
        moving = self._moving()
        why = self._silences.silent(name, heard_ns, *moving, now_ns)
        why = why or self._silences.restarted(name, before, life, *moving)
        if why:
            self._hold(why, now_ns)

    def _hold(self, why: str, now_ns: int, doer: Doer = "station") -> None:
        """Everybody decelerates and holds; whoever waits for a hand-over is told why it failed."""
        self._silences.stalls.forget()
        counts = self._state in ("aligning", "waiting", "engaged")
        self._stop(why, now_ns)
        if self._state != "hold" or not self._why:
            self._go("hold", "hold", why)
            self._held_by = doer
        self._holds += counts

    def _disengage(self, now_ns: int) -> None:
        self._silences.stalls.forget()
        self._stop("nobody commands", now_ns)
        self._go("disengage", "none", "")

    def _stop(self, why: str, now_ns: int) -> None:
        alignment, self._alignment = self._alignment, None
        if self._waiting is not None:
            alignment, self._waiting = self._waiting.alignment, None
        targets = [*self._engaged, *(alignment.targets if alignment is not None and alignment.started else ())]
        for arm in dict.fromkeys(arm.node for arm in targets):
            self._ports.command(hold_command(arm, why, now_ns))
        self._engaged = []
        self._mirror.hold(why, now_ns)
        if alignment is not None:
            alignment.answer(Refused(f"stopped: {why}"))

    def _go(self, event: Event, source: SourceName, why: str) -> None:
        self._state = TRANSITIONS[self._state, event]
        self._source, self._why, self._held_by = source, why, ""

    @property
    def summary(self) -> tuple[State, SourceName, str, bool]:
        """State, source, why and stall: what is published at once when it changes."""
        return self._state, self._source, self._why, self._silences.stalls.open

    def state(self, now_ns: int) -> PilotState:
        """What is published."""
        source: SourceName = self._source if self._source not in ("none", "hold") else "leader"
        arms = tuple(self.arms.against(source, arm, now_ns) for arm in self.arms.followers.values())
        stalls = self._silences.stalls
        return PilotState(
            self._state, self._source, self._why, arms, self._holds, self.arms.stiff(),
            stalls.open, stalls.count, stalls.total_ns / NS_PER_MS, stalls.longest_ns / NS_PER_MS, self._held_by == "operator",
            self.arms.drivable(), self._mirror.along, self._held_by, "" if self._source == "leader" else self.arms.to_fit(),
        )  # fmt: skip
