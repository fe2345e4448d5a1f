"""Talks to a station from Python: `python docs/guide/scripting.py [RIG] [FOLDER]`. The cells (`# %%`) run in a notebook as they are."""

# %% Attach to the rig's running station, or start one that ends with this script.
import sys
from pathlib import Path

import h5py
import numpy as np

from station.bus.messages import ArmState, Tick
from station.bus.requests import OpenSession
from station.client import connect

rig = sys.argv[1] if len(sys.argv) > 1 else "bench"
folder = Path(sys.argv[2] if len(sys.argv) > 2 else "scripted-data").absolute()
station = connect(rig)

# %% Who is there?
for process in station.state().processes:
    print(process.node, process.health.state if process.health else "starting")

# %% What flows: every reading of one arm for half a second.
arm = station.rig.followers[0]
readings = [
    sample.body.position
    for sample in station.listen([("arm_state", arm)], seconds=0.5)
    if isinstance(sample.body, ArmState)
]
print(f"{len(readings)} readings of {arm}; each joint moved by", np.ptp(readings, axis=0).round(4))

# %% The newest tick: exactly what a policy sees, and what an episode gets.
with station.subscribe([("tick", "synchronizer")]) as heard:
    sample = heard.receive(2000)
if sample is not None and isinstance(sample.body, Tick):
    print("tick", sample.body.tick, "qpos", np.round(sample.body.qpos, 3))

# %% Record one episode of two seconds. Leaders command; on real arms: is the way clear, and has `station check` just passed?
with station.session() as session, session.sitting(OpenSession("scripted", str(folder))):
    number = session.begin(seconds=2.0)
    over = session.until_over(number, seconds=2.0)
    print(f"episode {number}: {over.recorded_ticks} rows {over.why}")
    path = Path(session.until_saved().saved_path)

# %% Look into it.
with h5py.File(path) as file:
    print(path, file["action"].shape, dict(file.attrs)["dim_names"])

# %% The end: sockets are closed, and a station that was started for this script is stopped, arms held.
station.close()
