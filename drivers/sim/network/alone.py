"""Controllers without a world: `python -m drivers.sim.network.alone MAKER ADDRESS [KEY=VALUE …]`, where MAKER is a key of `MAKERS`.

Lines on its standard input are a hand at the pendant or the cable (`StandIn.press`): `{"do": "slider", "value": 0.5}`. `{"log": PATH}`
writes what has happened to the arm, a line of JSON each: when (ns, CLOCK_MONOTONIC), what, numbers.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from drivers.sim.network.stand_in import StandIn
from station.clock import monotonic_ns

MAKERS = {"ur": "drivers.sim.ur.alone", "xarm": "drivers.sim.xarm.alone"}


def main(maker: str, address: str, *keys: str) -> None:
    """Serve until standard input ends."""
    make = cast(Callable[..., StandIn], import_module(MAKERS[maker]).make)
    given = {key: float(value) for key, _, value in (pair.partition("=") for pair in keys)}
    it = make(address, monotonic_ns, **given)
    it.start()
    print("ready", flush=True)
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "log" in asked:
                Path(asked["log"]).write_text("".join(json.dumps(entry) + "\n" for entry in it.log()))
                print("done", flush=True)
            else:
                print(it.press(asked["do"], asked.get("value", 0.0), monotonic_ns()) or "done", flush=True)
    finally:
        it.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
