"""Feeds the headset's display: `python -m station.console.vr_panel --rig R --node vr_panel`.

Hears cameras, session, pilot and teleoperation on the bus, and hands pictures and words to the headset's driver through
its unix socket; what the operator presses becomes a request to the session. It reads, asks, and moves nothing.
"""

import asyncio

import aiohttp
import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.borders.stamps import unbelievable
from station.bus.asking import PatientClient
from station.bus.messages import Health, PilotState, SessionState, TeleopState
from station.bus.pending import Outcome
from station.bus.requests import Done, SessionRequest, Who
from station.bus.sockets import Subscriber
from station.bus.wire import Sample
from station.clock import NS_PER_S
from station.console.pictures import as_jpeg
from station.console.vr_board import board, request
from station.devices.headset import FromHeadset, HeadsetWorn, Picture, Press, PressResult, ToHeadset, door_path
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.terminal.shown import shown

WORN_S, DRAWER_S = 0.02, 0.2
"""How often the bus is drained while somebody looks, and while nobody does."""
PICTURE_NS = NS_PER_S // 15
"""No panel needs more pictures than this."""
BOARD_NS = NS_PER_S // 5
AGAIN_S = 0.5

_decoder: Decoder[FromHeadset] = Decoder("msgpack", FromHeadset)


class Panel:
    """The node."""

    def __init__(self, node: Node) -> None:
        self._node, rig = node, node.rig
        self._port = next(int(device.at) for device in rig.devices if device.role == "vr")
        self._session: SessionState | None = None
        self._pilot: PilotState | None = None
        self._teleop: TeleopState | None = None
        self._states = Subscriber(
            rig.name, [("session", "session"), ("pilot", "pilot"), ("teleop", "vr_teleop")]
        )  # fmt: skip
        self._cameras = rig.cameras
        self._frames: Subscriber | None = None
        self._sent_ns: dict[str, int] = {}
        self._client = PatientClient(rig.name, "session", own=node.name, who=Who("headset"))
        self._results: list[PressResult] = []
        self._worn = False
        self._pressed: list[SessionRequest] = []
        self._error = "not connected to the headset's driver"

    async def run(self) -> None:
        """Until told to stop; reconnects by itself."""
        connector = aiohttp.UnixConnector(path=str(door_path(self._port)))
        try:
            async with aiohttp.ClientSession(connector=connector) as client:
                while not self._node.finish.is_set():
                    await self._connected(client)
        finally:
            self._listen(False)
            self._states.close()
            self._client.close()

    async def _connected(self, client: aiohttp.ClientSession) -> None:
        try:
            async with client.ws_connect("http://headset/door", max_msg_size=0) as socket:
                self._error = ""
                hearing = asyncio.create_task(self._hear_headset(socket))
                try:
                    await self._feed(socket, hearing)
                finally:
                    hearing.cancel()
        except (aiohttp.ClientError, OSError) as error:
            self._error = f"the headset's driver cannot be reached: {error}"
        self._worn = False
        self._listen(False)
        self._tell_health()
        await asyncio.sleep(AGAIN_S)

    async def _hear_headset(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            try:
                heard = _decoder.decode(message.data)
            except Undecodable as error:
                self._node.log.warning("the headset's driver said what is no message: %s", error)
                return
            if isinstance(heard, HeadsetWorn):
                self._worn = heard.yes
            elif isinstance(heard, Press):
                asked = request(heard.name)
                if asked is not None:
                    self._pressed.append(asked)

    def _listen(self, yes: bool) -> None:
        """Pictures are heard only while somebody looks: a headset in its drawer costs nothing."""
        if yes and self._frames is None:
            self._frames = Subscriber(self._node.rig.name, [("frame", name) for name in self._cameras])
        elif not yes and self._frames is not None:
            self._frames.close()
            self._frames = None

    async def _feed(self, socket: aiohttp.ClientWebSocketResponse, hearing: "asyncio.Task[None]") -> None:
        board_due_ns = 0
        while not (self._node.finish.is_set() or hearing.done()):
            await asyncio.sleep(WORN_S if self._worn else DRAWER_S)
            self._listen(self._worn)
            for asked in self._pressed:
                seen = self._session.sequence if self._session is not None else 0
                self._client.ask(asked, self._result, self._node.clock(), seen)
            self._pressed.clear()
            for sample in self._states.newest().values():
                self._hear(sample)
            self._client.poll(self._node.clock())
            for result in self._results:
                await self._show(socket, result)
            self._results.clear()
            if self._frames is not None:
                await self._pictures(socket, self._frames)
            now_ns = self._node.clock()
            if now_ns >= board_due_ns:
                board_due_ns = now_ns + BOARD_NS
                said = board(self._session, self._pilot, self._teleop, self._node.rig.tick_hz)
                await self._show(socket, said)
            self._tell_health()

    def _result(self, outcome: Outcome) -> None:
        done = isinstance(outcome, Done)
        self._results.append(PressResult(done, shown(outcome.detail if isinstance(outcome, Done) else outcome.why)))

    def _hear(self, sample: Sample) -> None:
        if isinstance(sample.body, SessionState):
            self._session = sample.body
        elif isinstance(sample.body, PilotState):
            self._pilot = sample.body
        elif isinstance(sample.body, TeleopState):
            self._teleop = sample.body

    async def _pictures(self, socket: aiohttp.ClientWebSocketResponse, frames: Subscriber) -> None:
        for sample in frames.newest().values():
            captured_ns = sample.header.captured_at_ns
            if unbelievable(captured_ns, self._node.clock()):  # it would be the newest picture for ever
                continue
            if captured_ns - self._sent_ns.get(sample.node, 0) < PICTURE_NS:
                continue
            jpeg = as_jpeg(sample)
            if jpeg is not None:
                self._sent_ns[sample.node] = captured_ns
                await self._show(socket, Picture(sample.node, captured_ns, jpeg))

    async def _show(self, socket: aiohttp.ClientWebSocketResponse, what: ToHeadset) -> None:
        await socket.send_bytes(msgspec.msgpack.encode(what))

    def _tell_health(self) -> None:
        if self._node.health_due(self._node.clock()):
            readings = {"worn": float(self._worn)}
            self._node.publish_health(
                Health(self._node.name, "warn" if self._error else "ok", self._error, readings=readings)
            )


def main(node: Node) -> None:
    """The node."""
    asyncio.run(Panel(node).run())


if __name__ == "__main__":
    run(main, STOP_DELAY_S[0])
