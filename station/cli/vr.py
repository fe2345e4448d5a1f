"""`station vr`: how to reach the headset's page, and the pairing code, as text and as a QR code."""

import io
import json
import statistics
from typing import Annotated

import msgspec
import typer

from station.bus.messages import Command
from station.bus.sockets import Subscriber
from station.cli.attach import console
from station.cli.status import RigOption, rig_of
from station.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from station.errors import NodeAbsent, UsageError
from station.headset import Pairing, pairing_path
from station.rig import Rig


def vr(
    rig: RigOption,
    measure_s: Annotated[float, typer.Option("--measure", help="measure the latency for so many seconds")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Show the address and the pairing code of the running station's headset page; or measure how fast hands arrive."""
    loaded = rig_of(rig)
    headset = next((device for device in loaded.devices if device.role == "vr"), None)
    if headset is None:
        raise UsageError(f"rig {loaded.name} has no headset. Next: add `vr: {{driver: webxr}}` to {loaded.file}")
    if measure_s:
        measured = latencies_ms(loaded, measure_s)
        print(json.dumps(measured)) if as_json else console.print(measured)
        return
    found = pairing(int(headset.settings.port))
    if found is None:
        raise NodeAbsent(f"the headset's page of rig {loaded.name} is not up. Next: `station up --rig {rig}`")
    if as_json:
        print(json.dumps(msgspec.to_builtins(found)))
        return
    show(found)


def latencies_ms(rig: Rig, seconds: float) -> dict[str, float]:
    """From the hands' pose at the page to the follower's goal on the wire, over `seconds` of an engaged operator, ms.

    Raises NodeAbsent if no hand moved an arm in that time.
    """
    bus = Subscriber(rig.name, [("applied", name) for name in rig.followers])
    end_ns = monotonic_ns() + round(seconds * NS_PER_S)
    found = []
    try:
        while (left_ns := end_ns - monotonic_ns()) > 0:
            sample = bus.receive(max(1, left_ns // NS_PER_MS))
            if sample is not None and isinstance(sample.body, Command) and sample.body.source == "vr":
                found.append((sample.header.captured_at_ns - sample.body.ask_at_ns) / NS_PER_MS)
    finally:
        bus.close()
    if len(found) < 2:
        raise NodeAbsent("no hand moved an arm meanwhile. Next: engage VR, squeeze a grip, and measure again")
    cuts = statistics.quantiles(found, n=100)
    return {"goals": float(len(found)), "p50_ms": cuts[49], "p99_ms": cuts[98], "max_ms": max(found)}


def pairing(port: int) -> Pairing | None:
    """What the headset's driver has written; None while it does not run."""
    try:
        return msgspec.json.decode(pairing_path(port).read_bytes(), type=Pairing)
    except FileNotFoundError:
        return None


def show(found: Pairing) -> None:
    """Print it. The QR code holds the address and the code, so that a phone only has to be pointed at it."""
    import segno  # belongs to the extra `vr`

    text = io.StringIO()
    segno.make(f"{found.urls[0]}/#{found.code}", error="m").terminal(text, compact=True)
    print(text.getvalue())
    for url in found.urls:
        console.print(url)
    console.print(f"pairing code  [bold]{found.code[:3]} {found.code[3:]}[/bold]")
    console.print(
        "By cable: `adb reverse tcp:PORT tcp:PORT` with the last address's port, then open it in the headset."
    )
