"""`station vr`: how to reach the headset's page, the pairing code as text and QR code, and a sitting operated from it."""

import contextlib
import io
import statistics
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from station.borders.decoding import Decoder, Undecodable
from station.borders.options import RigOption, seconds_option
from station.bus.messages import Applied
from station.bus.requests import CloseSession, OpenSession
from station.cli.amounts import sensible
from station.cli.checked import asked_again
from station.client import SessionClient, Station, connect
from station.clock import NS_PER_MS
from station.devices.headset import Pairing, pairing_path
from station.errors import CheckDue, NodeAbsent, RequestRefused, UsageError
from station.rig.choice import rig_of
from station.terminal.screen import console
from station.terminal.told import JsonOption, tell

AGAIN_S = 1.0
"""Between two attempts to open a sitting while nobody wears the headset."""


def vr(
    rig: RigOption,
    task: Annotated[str, typer.Option("--task", help="open a sitting whose buttons are in the headset")] = "",
    data: Annotated[Path | None, typer.Option("--data", help="instead of the rig file's data folder")] = None,
    operator: Annotated[str, typer.Option("--operator")] = "",
    instruction: Annotated[str, typer.Option("--instruction", help="what a language-conditioned policy is told")] = "",
    measure_s: Annotated[float, seconds_option("--measure", 0.0, "measure the latency for so many seconds")] = 0.0,
    as_json: JsonOption = False,
    override: Annotated[
        str, typer.Option("--override", help="why to record although the check fails; kept in every file")
    ] = "",
) -> None:
    """Show the address and the pairing code of the headset's page; with --task record from it until Ctrl-C."""
    loaded = rig_of(rig)
    headset = next((device for device in loaded.devices if device.role == "vr"), None)
    if headset is None:
        raise UsageError(f"rig {loaded.name} has no headset. Next: add `vr: {{driver: webxr}}` to {loaded.file}")
    if measure_s:
        measured = latency(Station(loaded), measure_s)
        if as_json:
            tell(measured)
        else:
            console.print(
                f"{measured.goals} goals: p50 {measured.p50_ms:.1f} ms, p99 {measured.p99_ms:.1f} ms, most {measured.max_ms:.1f} ms"
            )
        return
    port = int(headset.at)
    if task:
        asked = OpenSession(
            task, str(data.absolute()) if data else "", operator, instruction, source="vr", override=override
        )
        open_session = sensible(asked)
        with connect(loaded) as station:
            sit(station, port, open_session)
        return
    found = pairing(port)
    if found is None:
        raise NodeAbsent(f"the headset's page of rig {loaded.name} is not up. Next: `station up --rig {rig}`")
    if as_json:
        tell(found)
        return
    show(found)


def sit(station: Station, port: int, open_session: OpenSession) -> None:
    """Open the sitting as soon as a headset is there, tell what happens, and close it at Ctrl-C."""
    found = pairing(port)
    if found is not None:
        show(found)
    with station.session() as session:
        try:
            asked_again(station.rig, lambda: _open_when_worn(session, open_session))
            _tell_phases(session)
        except KeyboardInterrupt:
            console.print("ending; the arms hold")
        finally:
            with contextlib.suppress(RequestRefused):  # it was never opened, or was closed elsewhere
                session.ask(CloseSession())


def _open_when_worn(session: SessionClient, open_session: OpenSession) -> None:
    said = ""
    while True:
        try:
            session.ask(open_session)
            return
        except CheckDue:
            raise
        except RequestRefused as error:
            if str(error) != said:
                said = str(error)
                console.print(f"waiting for the headset: {said}")
            time.sleep(AGAIN_S)


def _tell_phases(session: SessionClient) -> None:
    """Until the sitting is closed."""
    before = ""
    session.fresh()  # what it said before the sitting was opened is no end of it
    while True:
        session.wait(500)
        state = session.look()
        if state is None:
            continue
        why = f": {state.why}" if state.why else ""
        line = f"{state.phase}{why}  ({state.saved} saved, {state.discarded} discarded)"
        if line != before:
            before = line
            console.print(line)
        if state.phase == "ended":
            return


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station vr --measure S --json` tells: from the hands' pose at the page to the follower's goal on the wire."""

    goals: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def latency(station: Station, seconds: float) -> Latency:
    """From the hands' pose at the page to the follower's goal on the wire, over `seconds` of an engaged operator, ms.

    Raises NodeAbsent if no hand moved an arm in that time.
    """
    found = [
        (sample.header.captured_at_ns - sample.body.setpoint_at_ns) / NS_PER_MS
        for sample in station.listen([("applied", name) for name in station.rig.followers], seconds)
        if isinstance(sample.body, Applied) and sample.body.source == "vr"
    ]
    if len(found) < 2:
        raise NodeAbsent("no hand moved an arm meanwhile. Next: engage VR, squeeze a grip, and measure again")
    cuts = statistics.quantiles(found, n=100)
    return Latency(len(found), cuts[49], cuts[98], max(found))


_pairing: Decoder[Pairing] = Decoder("json", Pairing)


def pairing(port: int) -> Pairing | None:
    """What the headset's driver has written; None while it does not run."""
    try:
        return _pairing.decode(pairing_path(port).read_bytes())
    except (FileNotFoundError, Undecodable):
        return None


def show(found: Pairing) -> None:
    """Print it. The QR code holds the address and the key, so that a phone or headset only has to be pointed at it."""
    import segno  # belongs to the extra `vr`

    text = io.StringIO()
    segno.make(f"{found.urls[0]}/#{found.key or found.code}", error="m").terminal(text, compact=True)
    print(text.getvalue())
    for url in found.urls:
        console.print(url)
    console.print(Text.assemble("pairing code  ", (f"{found.code[:3]} {found.code[3:]}", "bold")))
    if found.key:
        print(f"or as one link, as in the QR code: {found.urls[0]}/#{found.key}")
    console.print(
        "By cable: `adb reverse tcp:PORT tcp:PORT` with the last address's port, then open it in the headset."
    )
