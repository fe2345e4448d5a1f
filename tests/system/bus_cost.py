"""`python -m tests.system.bus_cost`: what the keys of the bus cost, in turns with sockets that have none.

One publisher (an arm's 200 readings and 29 pictures of 60 kB a second) and one subscriber, each in a process of its own: processor time
of each, and how long a reading takes from one to the other. Docs/decisions/0022 has the figures.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import zmq

from station.bus import door, keys
from station.bus.messages import ArmState, Frame
from station.bus.sockets import Publisher, Subscriber
from station.clock import NS_PER_MS, monotonic_ns

RIG, ARM, CAMERA = "cost", "leader_left", "cam_high"
HZ, EVERY, PICTURE = 200, 7, 60_000
READING = ArmState((0.1,) * 7, (0.1,) * 7, (0.1,) * 7, 0.5, 0.0, True)


class _Open(door.Line):
    """A connection that asks for nobody's key."""

    def connect(self, node: str, endpoint: str) -> None:
        self._nodes[endpoint] = node
        self._socket.connect(endpoint)


def without_keys() -> None:
    """What the bus would be."""
    for name, instead in (
        ("bind", lambda socket, _ring, endpoint: socket.bind(endpoint)),
        ("unbind", zmq.Socket.close),
        ("Line", _Open),
    ):
        setattr(door, name, instead)


def publish(seconds: float, open_to_all: bool) -> str:
    rings = keys.make_rings((ARM, CAMERA))
    keys.write_client(RIG, rings[keys.CLIENT])
    for node in (ARM, CAMERA):
        keys.hold(rings[node])
    arm, camera = (Publisher(RIG, node, 1, monotonic_ns) for node in (ARM, CAMERA))
    command = [sys.executable, "-m", "tests.system.bus_cost", "--listen", "--seconds", str(seconds)]
    with subprocess.Popen(
        [*command, *(["--open"] if open_to_all else [])], stdout=subprocess.PIPE, text=True
    ) as listener:
        picture, sent, begun_s, used_s = os.urandom(PICTURE), 0, time.monotonic(), time.process_time()
        while listener.poll() is None:
            arm.publish("arm_state", READING)
            if sent % EVERY == 0:
                camera.publish("frame", Frame("jpeg", 640, 480, "driver"), payload=[picture])
            sent += 1
            time.sleep(max(0.0, begun_s + sent / HZ - time.monotonic()))
        percent = 100 * (time.process_time() - used_s) / (time.monotonic() - begun_s)
        assert listener.stdout is not None
        told = listener.stdout.read().strip()
    arm.close()
    camera.close()
    return f"publisher {percent:.2f} % of a core, {told}"


def listen(seconds: float) -> str:
    heard = Subscriber(RIG, [("arm_state", ARM), ("frame", CAMERA)])
    assert heard.receive(60_000) is not None
    begun_s, used_s, transit_ns = time.monotonic(), time.process_time(), []
    while time.monotonic() - begun_s < seconds:
        sample = heard.receive(200)
        if sample is not None and sample.kind == "arm_state":
            transit_ns.append(monotonic_ns() - sample.header.sent_at_ns)
    percent = 100 * (time.process_time() - used_s) / seconds
    heard.close()
    transit_ns.sort()
    p50, p99 = (transit_ns[int(len(transit_ns) * share)] / NS_PER_MS for share in (0.5, 0.99))
    return f"subscriber {percent:.2f} %; transit p50 {p50:.3f}, p99 {p99:.3f} ms of {len(transit_ns)}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--listen", action="store_true")
    parser.add_argument("--open", action="store_true")
    arguments = parser.parse_args()
    if arguments.open:
        without_keys()
    if arguments.listen:
        print(listen(arguments.seconds))
        return
    if "XDG_COST" in os.environ:
        print(publish(arguments.seconds, arguments.open), flush=True)
        return
    for turn in range(2 * arguments.turns):
        way = [] if turn % 2 else ["--open"]
        with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as folder:
            environment = {**os.environ, "XDG_RUNTIME_DIR": folder, "XDG_COST": "1"}
            print("with keys   " if turn % 2 else "without keys", end=": ", flush=True)
            command = [sys.executable, "-m", "tests.system.bus_cost", "--seconds", str(arguments.seconds), *way]
            subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
