"""An ONNX policy of the size of ACT's input, four cameras of 640 × 480, on the bench rig.

`python -m tests.system.four_cameras --seconds 60` runs it and prints how soon after a tick its setpoint is out. Its arithmetic is
small and its answer is the state it saw: what is measured is the station, and the arms stand.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from onnx import helper

from station.bench.figures import Distribution
from station.bus.messages import Health, PilotState, Setpoint, Tick
from station.bus.requests import Engage
from station.cli.rollout import Hands, Rollout
from station.client import Station, connect
from station.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from station.rig.choice import rig_of
from tests.station.policy import policies

CAMERAS = ["cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist"]


def write(folder: Path) -> Path:
    """The folder, for a rig of 14 dimensions with ALOHA's cameras."""
    wanted = policies.settings(
        cameras=CAMERAS, image={"width": 640, "height": 480}, state_dim=14, action_dim=14, chunk=100,
        normalization={name: {"mean": [0.0] * 14, "std": [1.0] * 14} for name in ("state", "action")},
        execution={"mode": "ensemble", "k": 0.01}, newest_dims=[6, 13],
    )  # fmt: skip
    policies.write(folder, graph=False, **wanted)
    rows = {
        "flat": np.array([1, 1, 14], np.int64),
        "none": np.zeros((1, 1, 1), np.float32),
        "tall": np.zeros((1, 100, 1), np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["state", "flat"], ["row"]),
        helper.make_node("ReduceMean", ["images"], ["light"], keepdims=0),
        helper.make_node("Mul", ["light", "none"], ["dark"]),
        helper.make_node("Add", ["row", "dark"], ["seen"]),
        helper.make_node("Add", ["seen", "tall"], ["actions"]),
    ]
    inputs = [
        helper.make_tensor_value_info("state", policies.FLOAT, [1, 14]),
        helper.make_tensor_value_info("images", policies.FLOAT, [1, 4, 3, 480, 640]),
    ]
    policies.save(folder / "policy.onnx", nodes, inputs, {"actions": [1, 100, 14]}, rows)
    return folder


def measure(station: Station, folder: Path, seconds: float) -> list[str]:
    """Run the policy in command of the arms; the table's lines."""
    heard = station.subscribe(
        [("tick", "synchronizer"), ("setpoint", "policy"), ("health", "policy"), ("pilot", "pilot")]
    )
    ticks_ns: dict[int, tuple[int, int]] = {}
    after_sent: list[float] = []
    after_tick: list[float] = []
    readings: dict[str, float] = {}
    holds = 0
    with Rollout(station, Hands(None, None)) as rollout:
        rollout.load(folder)
        rollout.begin()
        station.ask("pilot", Engage("policy"))
        heard.newest()
        until_ns = monotonic_ns() + round(seconds * NS_PER_S)
        while monotonic_ns() < until_ns:
            if (sample := heard.receive(100)) is None:
                continue
            body, sent_at_ns = sample.body, sample.header.sent_at_ns
            if isinstance(body, Tick):
                ticks_ns[body.t_ns] = (sent_at_ns, body.t_ns)
            elif isinstance(body, Setpoint) and body.at_ns in ticks_ns:
                tick_sent_ns, t_ns = ticks_ns.pop(body.at_ns)
                after_sent.append((sent_at_ns - tick_sent_ns) / NS_PER_MS)
                after_tick.append((sent_at_ns - t_ns) / NS_PER_MS)
            elif isinstance(body, Health):
                readings = body.readings
            elif isinstance(body, PilotState):
                holds = max(holds, int(body.state == "hold"))
        rollout.stop()
    heard.close()
    lines = ["| ms | p50 | p95 | p99 | max | n |", "|---|---|---|---|---|---|"]
    for name, values in (("tick sent → ask sent", after_sent), ("t_k → ask sent", after_tick)):
        found = Distribution.of(values)
        lines.append(f"| {name} | {found.p50:.2f} | {found.p95:.2f} | {found.p99:.2f} | {found.max:.2f} | {found.n} |")
    lines.append(
        f"\nholds: {holds}; the runner: " + ", ".join(f"{name} {value:.1f}" for name, value in readings.items())
    )
    return lines


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    rig = rig_of("bench")
    with tempfile.TemporaryDirectory() as scratch:
        folder = write(Path(scratch) / "policy")
        with connect(rig) as station:
            lines = measure(station, folder, arguments.seconds)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
