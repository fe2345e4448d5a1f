"""A console without a station: its own server and pages, and a bus that the test speaks for. What a page asks is answered by the test."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from drivers.dynamixel.arm import RECOVER
from station.bus.actions import offered
from station.bus.messages import (
    SCHEMA,
    ArmPilot,
    ArmState,
    Chosen,
    Control,
    Description,
    Dimension,
    Frame,
    Header,
    Health,
    Message,
    PilotState,
    PolicyState,
    ProcessState,
    RecorderState,
    SessionState,
    Setpoint,
    SourceName,
    StationState,
    StreamDescription,
    StreamHealth,
    Tick,
    Zeros,
)
from station.bus.requests import Done, HandOver, LeaveControl, Reply, TakeControl, Who
from station.bus.wire import Sample
from station.client import Station
from station.clock import monotonic_ns
from station.console.asking import Question
from station.console.hub import Hub
from station.console.seat_file import SeatFile
from station.console.seats import Role, invited
from station.console.server import Server
from station.rig.rig import find_rig, load_rig

RIG = load_rig(find_rig("bench"))
AT_REST = SessionState("ready", "cube_handover", "ada", 17, 0, 16, 2, 1, (), disk_left_s=12_840.0, newest=16, wanted=50)

JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
_JOINTS = (Dimension(name, "rad", -3.1, 3.1, effort_unit="mA", overload=1000.0) for name in JOINTS)
_DIMENSIONS = (*_JOINTS, Dimension("gripper", "1", 0.0, 1.0))
_ZEROS = Zeros("rest stops", (0.0,) * 6, (1,) * 6)
DESCRIBED = Description(
    "wx", "1", "1", (StreamDescription("arm_state", 200, _DIMENSIONS),), "position", zeros=_ZEROS, acts=(RECOVER,)
)
"""What each arm says of itself."""
THINKS = PolicyState(
    "running",
    1,
    "/data/my-act",
    "act /data/my-act",
    shadow=True,
    chunk_ms=1000.0,
    plan_ms=640.0,
    delay_p95_ms=142.0,
    inference_p95_ms=96.0,
)


class Staged(Hub):
    """A hub that hears nothing by itself, and whose questions are the test's."""

    def __init__(self, data: Path) -> None:
        super().__init__(Station(msgspec.structs.replace(RIG, data=data)), monotonic_ns)
        self.asked: list[tuple[Question, Who]] = []
        self.reply: Callable[[Question, Who], Reply] = lambda _question, _who: Done()
        self.session: SessionState | None = AT_REST
        self.policy: PolicyState | None = THINKS
        self.leads: SourceName = "leader"
        self.hold_back: Callable[[object], object] | None = None
        """Gets what is asked of the session and not answered; None: everything is."""
        self.frozen: set[str] = set()
        self.silent = False
        self._tick = 0

    async def run(self) -> None:
        """Say what the nodes of a rig would say, at about their pace."""
        number = 0
        while True:
            now_ns = monotonic_ns()
            if not self.silent:
                self._speak(now_ns, number)
            self.time(now_ns)
            number += 1
            await asyncio.sleep(0.04)

    def _speak(self, now_ns: int, number: int) -> None:
        def say(kind: str, node: str, body: Message, payload: tuple[bytes, ...] = (), age_ms: float = 0) -> Sample:
            captured_ns = now_ns - round(age_ms * 1e6)
            return Sample(
                kind, node, Header(SCHEMA, 1, number, captured_ns, now_ns, type(body).__name__), body, payload
            )

        if self.session is not None and number % 4 == 0:
            names = tuple(action.name for action in offered(self.session))
            self.take(say("session", "session", msgspec.structs.replace(self.session, actions=names)), now_ns)
        arms = tuple(
            ArmPilot(device.node, True, "left_wrist_angle", 0.03) for device in RIG.devices if device.role == "follower"
        )
        self.take(say("pilot", "pilot", PilotState("engaged", self.leads, "", arms)), now_ns)
        self.take(say("recorder", "synchronizer", RecorderState(False, "", 0, None, 1000, 3, ())), now_ns)
        if number % 25 == 0:
            self.take(say("station", "supervisor", _processes()), now_ns)
        self._tick += 2
        chosen = tuple(
            Chosen(device.node, 1, number, now_ns, round(8e6 + 4e6 * place), True)
            for place, device in enumerate(RIG.devices)
        )
        qpos = tuple(float(np.sin(self._tick / 60 + joint)) for joint in range(14))
        self.take(say("tick", "synchronizer", Tick(self._tick, now_ns, chosen, qpos, qpos, qpos)), now_ns)
        for device in RIG.followers:
            self.take(say("description", device, DESCRIBED), now_ns)
        efforts = (20.0, -960.0, 0.0, 0.0, 0.0, 0.0, 5.0)
        self.take(say("arm_state", "follower_left", ArmState(qpos[:7], qpos[:7], efforts, None, None, True)), now_ns)
        if self.policy is not None:
            self.take(say("policy", "policy", self.policy), now_ns)
            if self.policy.phase == "running":
                goal = tuple(float(np.sin((self._tick + 12) / 60 + joint)) for joint in range(14))
                self.take(say("setpoint", "policy_shadow", Setpoint("policy", self._tick, now_ns, goal)), now_ns)
        for place, name in enumerate(RIG.cameras):
            if name not in self.frozen:
                self.take_picture(
                    say("frame", name, Frame("jpeg", 320, 240, "device"), (picture(place, number),), 21), now_ns
                )

    def ask(self, question: Question, who: Who, then: Callable[[Reply], None]) -> None:
        """As the session would, as far as control goes; all else is the test's to say."""
        self.asked.append((question, who))
        reply = self.reply(question, who)
        if isinstance(question.request, TakeControl) and isinstance(reply, Done) and self.session is not None:
            self.session = msgspec.structs.replace(self.session, control=Control(who.seat, str(who)))
        elif isinstance(question.request, LeaveControl) and self.session is not None:
            self.session = msgspec.structs.replace(self.session, control=Control("", ""))
        if self.hold_back is not None and isinstance(question.request, HandOver):
            self.hold_back(then)
        else:
            then(reply)

    def requests(self) -> list[object]:
        """What was asked, without what pages say of themselves."""
        return [question.request for question, _ in self.asked if type(question.request).__name__ != "StillThere"]


def _processes() -> StationState:
    made = []
    for device in RIG.devices:
        hz = 30.0 if device.role == "camera" else 200.0
        streams = (StreamHealth("frame", hz, hz, 0),)
        hot = 71.0 if device.node == "follower_left" else 41.0
        seen = (("temperature_c", hot), ("voltage_v", 11.6))
        joints = {f"{joint}.{what}": number for joint in ("waist", "shoulder") for what, number in seen}
        readings = {} if device.role == "camera" else joints
        made.append(
            ProcessState(device.node, 1, True, 0, 1.0, 30.0, Health(device.node, "ok", "", streams, readings), 0, "")
        )
    made.append(ProcessState("policy", None, False, 2, 0.0, 0.0, None, 0, "signal 9 <b>"))
    return StationState("bench", "bench.yaml", 1, 0, tuple(made))


_pictures: dict[tuple[int, int], bytes] = {}


def picture(place: int, number: int) -> bytes:
    """A camera's picture: something that moves."""
    key = place, number % 20
    if key not in _pictures:
        pixels = np.full((240, 320, 3), (60 + 30 * place, 90, 120), np.uint8)
        cv2.circle(pixels, (40 + 12 * key[1], 120), 25, (40, 40, 220), -1)
        cv2.putText(pixels, RIG.cameras[place], (10, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
        _pictures[key] = cv2.imencode(".jpg", pixels)[1].tobytes()
    return _pictures[key]


class Stage:
    """The server in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.seats, self.data = SeatFile(folder / "seats.json"), folder / "data"
        self.hub: Staged
        self.server: Server
        self.port = 0
        self.wall_s = 1_800_000_000.0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(20)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def link(self, role: Role = "operator", person: str = "ada", at_rig: bool = True) -> str:
        """A link with a code that nobody has used."""
        code = f"{role[:4].upper()}{len(self.seats.read().invites):06}".translate(str.maketrans("01", "AB"))
        self.seats.change(lambda book: invited(book, code, role, person, at_rig, self.wall_s))
        return f"{self.url}#{code}"

    def do(self, what: Callable[[], Any]) -> Any:
        """In the server's thread."""

        async def done() -> Any:
            return what()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(20)

    def say(self, **changed: object) -> None:
        """The session says something else from now on."""
        said = self.hub.session
        assert said is not None
        self.do(lambda: setattr(self.hub, "session", msgspec.structs.replace(said, **changed)))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self.hub = Staged(self.data)
        self.server = Server(self.hub, self.seats, monotonic_ns, lambda: self.wall_s)
        await self.server.listen("127.0.0.1", 0, tls=False)
        self.port = self.server.port
        speaking = asyncio.create_task(self.hub.run())
        self._started.set()
        await self._stop.wait()
        speaking.cancel()
        await self.server.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A console, and its end."""
    stage = Stage(folder)
    try:
        yield stage
    finally:
        stage.close()
