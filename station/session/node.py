"""The session node: `python -m station.session.node --rig R --node session`. A thin loop around the state machine."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import zmq

from station.borders.decoding import Decoder, Undecodable
from station.bus.asking import PatientClient
from station.bus.messages import Description, Health, PilotState, RecorderState, SessionState
from station.bus.pending import Then
from station.bus.requests import PilotRequest, SessionRequest, SyncRequest
from station.bus.sockets import RequestServer, Subscriber
from station.bus.wire import Sample
from station.clock import NS_PER_S
from station.episodes.labels import add_note, set_success
from station.episodes.naming import delete, episode_path, next_number
from station.errors import Planted
from station.files.runtime_folder import open_own, replace_own, runtime_folder
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.runtime.realtime import single_threaded_numpy, start_ordinary
from station.session.builders import Builders
from station.session.core import SessionCore
from station.session.disk_budget import DiskBudget, disk_budget
from station.session.ports import Sitting

STATE_NS = NS_PER_S // 5


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a sitting: it is over when the supervisor it belonged to is gone."""

    supervisor: int
    sitting: Sitting


_kept: Decoder[_Kept] = Decoder("json", _Kept)


def _left_behind(path: Path) -> Sitting | None:
    try:
        with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file:
            kept = _kept.decode(file.read())
    except (OSError, Planted, Undecodable):
        return None
    return kept.sitting if kept.supervisor == os.getppid() else None


def told(before: SessionState, now: SessionState) -> str:
    """What a log says about a change: phase, cause, what became of an episode; "" where only time went by."""
    what = []
    if (before.phase, before.why) != (now.phase, now.why):
        what.append(f"{now.phase}{f': {now.why}' if now.why else ''}")
    if now.phase == "recording" and before.phase != "recording":
        what.append(f"episode {now.episode} begins")
    if now.episode > before.episode and before.phase in ("recording", "saving", "starting"):
        what.append(f"episode {before.episode} has {now.recorded_ticks} rows")
    what += [f"{name} {count}" for name in ("saved", "discarded", "ended_early")
             if (count := getattr(now, name)) > getattr(before, name)]  # fmt: skip
    if now.saved > before.saved:
        what.append(now.saved_path)
    return ", ".join(what)


class SessionNode:
    """The core's ports onto the bus and the disk, and its clients' requests."""

    def __init__(self, node: Node) -> None:
        rig = node.rig
        self._node = node
        self._neighbours = {name: PatientClient(rig.name, name, own=node.name) for name in ("pilot", "synchronizer")}
        self._builders = Builders(node.log)
        self._core = SessionCore(rig, self)
        self._request_server: RequestServer[SessionRequest] = RequestServer(rig.name, "session", SessionRequest)
        about = [("description", device.node) for device in rig.devices]
        self._heard = Subscriber(rig.name, [("pilot", "pilot"), ("recorder", "synchronizer"), *about])
        self._devices: dict[str, Description] = {}
        self._recorder_life = self._pilot_life = 0
        self._sitting_file = runtime_folder(rig.name) / "sitting.json"
        self._left = _left_behind(self._sitting_file)
        self._kept: Sitting | None = None
        self._pilot_state = ""
        self._published = self._core.state()
        self._state_due_ns = 0

    def pilot(self, request: PilotRequest, then: Then) -> None:
        """Port: ask the pilot."""
        self._neighbours["pilot"].ask(request, then, self._node.clock())

    def sync(self, request: SyncRequest, then: Then) -> None:
        """Port: ask the synchronizer."""
        self._neighbours["synchronizer"].ask(request, then, self._node.clock())

    def another_rigs(self, folder: Path) -> str:
        """Port: held against what the devices say of themselves."""
        from station.episodes.catalogue import (
            forms_in,
        )  # here, like h5py with it: a session that was killed is back the sooner
        from station.episodes.form import another_rigs, form_of_rig

        return another_rigs(folder, form_of_rig(self._node.rig, self._devices), forms_in(folder))

    def prepare(self, folder: Path) -> int:
        """Port: the folder, with what a killed station left being recovered, and the next number."""
        folder.mkdir(parents=True, exist_ok=True)
        number = next_number(folder)
        if any(folder.glob("*.mcap.part")):
            self._builders.recover(folder)
        return number

    def build_incrementally(self, part: Path) -> None:
        """Port: JPEG only: raw pictures would take the disk from the journal."""
        if self._node.rig.images == "jpeg":
            self._builders.build_incrementally(part)

    def exists(self, part: Path) -> bool:
        """Port: is the journal there."""
        try:
            return part.exists()
        except (OSError, ValueError):  # a recorder's path that no file can have
            return False

    def finalise(
        self, part: Path, discarded: bool, ended: str, acknowledged: int, then: Callable[[Path | None, str], None]
    ) -> None:
        """Port: build an episode's HDF5 in a process of its own, at low priority."""
        self._builders.finalise(part, discarded, ended, acknowledged, then)

    def disk_budget(self, folder: Path, bytes_per_s: float) -> DiskBudget:
        """Port: what the disk holds."""
        return disk_budget(folder, bytes_per_s, self._builders.partial_hdf5_bytes)

    def label(self, folder: Path, episode: int, success: bool | None) -> None:
        """Port: label an episode."""
        set_success(episode_path(folder, episode), success)

    def note(self, folder: Path, episode: int, text: str) -> None:
        """Port: a line of text."""
        add_note(episode_path(folder, episode), text)

    def delete(self, folder: Path, episode: int) -> None:
        """Port: delete, undoably."""
        delete(episode_path(folder, episode))

    def run(self) -> None:
        """Until told to stop; then those who build files are let finish (they are safe to kill, but it is a pity)."""
        try:
            while not self._node.finish.is_set():
                self._poll()
                self._hear()
                self._builders.reap()
                self._tell()
        finally:
            self._request_server.close()
            self._heard.close()
            for neighbour in self._neighbours.values():
                neighbour.close()

    def _poll(self) -> None:
        poller = zmq.Poller()
        poller.register(self._request_server.socket, zmq.POLLIN)
        poller.register(self._heard.socket, zmq.POLLIN)
        for neighbour in self._neighbours.values():
            poller.register(neighbour.socket, zmq.POLLIN)
        for pidfd in self._builders.pidfds:
            poller.register(pidfd, zmq.POLLIN)
        poller.poll(200)

    def _hear(self) -> None:
        for sample in self._heard.newest().values():
            if isinstance(sample.body, Description):
                self._devices[sample.node] = sample.body
            else:
                self._hear_neighbour(sample)
        for neighbour in self._neighbours.values():
            neighbour.poll(self._node.clock())
        while (got := self._request_server.receive()) is not None:
            self._node.log.info("asked: %s", got[0])
            self._core.request(*got)

    def _hear_neighbour(self, sample: Sample) -> None:
        neighbour = self._neighbours[sample.node]
        neighbour.poll(self._node.clock())  # what its last life answered yet
        neighbour.pending.heard(sample.header.start_id)
        if isinstance(sample.body, PilotState):
            if self._pilot_life not in (0, sample.header.start_id):
                self._core.pilot_lost()
            self._pilot_life = sample.header.start_id
            self._pilot_state = sample.body.state
            self._core.heard_pilot(sample.body)
        elif isinstance(sample.body, RecorderState):
            if self._recorder_life not in (0, sample.header.start_id):
                self._core.recorder_lost()
            self._recorder_life = sample.header.start_id
            if self._left is not None and self._pilot_state:
                self._core.restore(self._left, sample.body, self._pilot_state == "engaged")
                self._left = None
            if self._left is None:
                self._core.heard_recorder(sample.body)

    def _keep_sitting(self) -> None:
        """What the next life must know, on the disk before anybody is told."""
        sitting = self._core.sitting()
        if sitting == self._kept or self._left is not None:
            return
        self._kept = sitting
        if sitting is None:
            self._sitting_file.unlink(missing_ok=True)
        else:
            replace_own(self._sitting_file, msgspec.json.encode(_Kept(os.getppid(), sitting)))

    def _tell(self) -> None:
        now_ns = self._node.clock()
        self._core.time(now_ns)
        self._keep_sitting()
        state = self._core.state()
        if line := told(self._published, state):
            self._node.log.info("%s", line)
        if state != self._published or now_ns >= self._state_due_ns:
            self._published, self._state_due_ns = state, now_ns + STATE_NS
            self._node.publisher.publish("session", state)
        if self._node.health_due(now_ns):
            self._node.publish_health(Health("session", "ok", ""))


def main(node: Node) -> None:
    """The node."""
    start_ordinary()  # what builds HDF5 files must not be in anybody's way
    single_threaded_numpy()
    SessionNode(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S[0])
