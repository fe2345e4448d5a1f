"""A UR controller without a world: `python -m drivers.sim.ur.alone ADDRESS [SKEW_PPM] [UNLOCK_S]`.

Lines on its standard input are a hand at the pendant or the cable (`pendant`): `{"do": "slider", "value": 0.5}`. `{"log": PATH}` writes
what has happened to the arm, a line of JSON each: when (ns, CLOCK_MONOTONIC), what, numbers.
"""

import json
import sys
from pathlib import Path

from drivers.sim.ur.joints import FreeArm, FreeFingers
from drivers.sim.ur.pendant import press
from drivers.sim.ur.stand_in import StandIn
from station.clock import NS_PER_S, monotonic_ns

START_RAD = (0.0, -1.57, 1.57, -1.57, -1.57, 0.0)


def main(address: str, skew_ppm: str = "0", unlock_s: str = "5") -> None:
    """Serve until standard input ends."""
    it = StandIn(
        address, FreeArm(START_RAD), FreeFingers(), monotonic_ns, float(skew_ppm), round(float(unlock_s) * NS_PER_S)
    )
    it.start()
    print("ready", flush=True)
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "log" in asked:
                with it.lock:
                    log = list(it.controller.log)
                Path(asked["log"]).write_text("".join(json.dumps(entry) + "\n" for entry in log))
                print("done", flush=True)
            else:
                print(press(it, asked["do"], asked.get("value", 0.0), monotonic_ns()) or "done", flush=True)
    finally:
        it.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
