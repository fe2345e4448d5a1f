"""A synchronizer's process in a thread, and the devices around it, played by the test on real sockets."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

from station.bus.messages import ArmState, Frame, HandPose, Message, PilotState, RecorderState, Tick
from station.bus.requests import BeginRecording, RecordingInfo, SyncRequest
from station.bus.sockets import Publisher, RequestClient, Subscriber
from station.clock import NS_PER_S, monotonic_ns
from station.devices.contract import Description, StreamDescription
from station.episodes.finalise import finalise
from station.rig.file import Base, Safety
from station.rig.rig import Device, Rig, Side
from station.runtime.node import Node
from station.sync.synchronizer import Synchronizer
from tests.station.episodes.recording import arm_description, jpeg

PATIENCE_S = 30.0
JPEG = jpeg(size=(48, 64))
POSE = (0.1,) * 7

ROLES = {"follower_left": "follower", "cam": "camera", "vr": "vr"}
BODIES: dict[str, Message] = {
    "arm_state": ArmState(POSE, POSE, POSE, 0.5, 0.0, True),
    "frame": Frame("jpeg", 64, 48, "driver"),
    "depth": Frame("z16", 64, 48, "device"),
    "hand_pose": HandPose(None, None, 0.5),
}
PAYLOADS = {"frame": (JPEG,), "depth": (bytes(64 * 48 * 2),)}


def stage_rig(folder: Path, camera_loss_s: float = 1.0) -> Rig:
    """One follower, one camera and a headset."""
    side = Side("left", Base(), None, "follower_left")
    devices = tuple(Device(node, role, "x:Y", None, "left") for node, role in ROLES.items())  # type: ignore[arg-type]
    file = folder / "rig.yaml"
    file.write_text("name: stage\n")
    loss = Safety(camera_loss_s=camera_loss_s)
    return Rig("stage", file, "abc", 50.0, 3.0, folder, "jpeg", (side,), devices, loss, None)


def descriptions(depth: bool) -> dict[str, Description]:
    """What those devices say of themselves."""
    streams = [StreamDescription("frame", 30.0, width=64, height=48)]
    streams += [StreamDescription("depth", 30.0, width=64, height=48)] if depth else []
    return {
        "follower_left": arm_description(),
        "cam": Description("webcam", "C0", "", tuple(streams)),
        "vr": Description("headset", "", "", (StreamDescription("hand_pose", 72.0),)),
    }


class Stage:
    """One follower, one camera and a headset. A device says nothing until `speak` is called, then at every turn."""

    def __init__(self, runtime: str, depth: bool = False) -> None:
        self.rig = stage_rig(Path(runtime), camera_loss_s=20.0)
        self.publishers = {name: Publisher("stage", name, 1, monotonic_ns) for name in (*ROLES, "pilot")}
        self.descriptions = descriptions(depth)
        self.speaking: dict[tuple[str, str], Callable[[], tuple[Message, tuple[bytes, ...]]]] = {}
        self.node = Node(self.rig, "synchronizer")
        self.synchronizer = Synchronizer(self.node)
        self._thread = threading.Thread(target=self.synchronizer.run, name="synchronizer")
        self._thread.start()
        self._heard = Subscriber(
            "stage", [("recorder", "synchronizer"), ("tick", "synchronizer"), ("health", "synchronizer")]
        )
        self.client = RequestClient("stage", "synchronizer", "session")
        self.newest: dict[str, Any] = {}

    def speak(self, kind: str, node: str, body: Message | None = None, payload: tuple[bytes, ...] = ()) -> None:
        """From now on that stream flows."""
        made = body or {**BODIES, "description": self.descriptions.get(node)}[kind]
        assert made is not None
        self.speaking[kind, node] = lambda: (made, payload or PAYLOADS.get(kind, ()))

    def all_speak(self) -> None:
        """Arm and camera, with what they are; of the headset only what it is."""
        for node, description in self.descriptions.items():
            self.speak("description", node)
            for stream in description.streams:
                if stream.kind != "hand_pose":
                    self.speak(stream.kind, node)

    def turn(self) -> None:
        """Everybody who speaks speaks once; what was said meanwhile is heard."""
        for (kind, node), make in self.speaking.items():
            body, payload = make()
            self.publishers[node].publish(kind, body, payload=payload)
        self.publishers["pilot"].publish("pilot", PilotState("engaged", "leader", "", ()))
        sample = self._heard.receive(10)
        while sample is not None:
            self.newest[sample.kind] = sample.body
            sample = self._heard.receive()

    def until(self, seen: Callable[[], Any], what: str = "") -> Any:
        """Turn until `seen`."""
        deadline_ns = monotonic_ns() + int(PATIENCE_S * NS_PER_S)
        while not (found := seen()):
            assert monotonic_ns() < deadline_ns, f"no {what}: {self.newest}, alive {self._thread.is_alive()}"
            assert self._thread.is_alive(), "the synchronizer fell over"
            self.turn()
        return found

    def ask(self, request: SyncRequest) -> Any:
        """Ask, and go on speaking until the answer is there."""
        number = self.client.send(request)
        return self.until(lambda: self.client.poll_reply(number), f"answer to {request}")

    def begin(self, path: Path, ticks: int | None = None) -> Any:
        """Ask to record into `path`."""
        return self.ask(BeginRecording(str(path), RecordingInfo("t", 0), ticks))

    @property
    def recorder(self) -> RecorderState:
        found: RecorderState = self.until(lambda: self.newest.get("recorder"), "recorder")
        return found

    @property
    def tick(self) -> Tick:
        found: Tick = self.until(lambda: self.newest.get("tick"), "tick")
        return found

    def rows(self, rows: int) -> None:
        """Until so many more rows are acknowledged."""
        wanted = self.recorder.recorded_ticks + rows
        self.until(lambda: self.recorder.recorded_ticks >= wanted, f"{wanted} rows")

    def close(self) -> None:
        """Stop the synchronizer, as its process would."""
        self.node.finish.set()
        self._thread.join()
        self.node.close()
        self.client.close()
        self._heard.close()
        for publisher in self.publishers.values():
            publisher.close()


class File:
    """The episode that a journal becomes."""

    def __init__(self, part: Path, acknowledged: int) -> None:
        self.path = finalise(part, acknowledged=acknowledged)
        with h5py.File(self.path) as file:
            self.rows = len(file["/action"])
            self.streams = {name for name in file["/timestamps"] if name != "tick"}
            self.unrecorded = tuple(file.attrs["unrecorded_streams"])
            self.ended = str(file.attrs["ended"])
            depth = file.get("/observations/depth/cam")
            self.depth_shape = None if depth is None else depth.shape
            self.extras = {name: data.shape for name, data in file.get("/observations/extra", {}).items()}
