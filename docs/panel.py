"""Draws the pictures of the panel in docs/guide: `python docs/panel.py`. A test checks that they are current."""

import io
from pathlib import Path

from rich.console import Console

from station.bus.messages import (
    Chosen,
    Health,
    ProcessState,
    RecorderState,
    SessionState,
    StationState,
    StreamHealth,
    Tick,
)
from station.bus.requests import OpenSession
from station.cli.operator.bindings import Plan
from station.cli.operator.board import Board
from station.cli.operator.panel import HEIGHT, WIDTH, render
from station.clock import NS_PER_MS, NS_PER_S
from station.episodes.cadence import Cadence, StreamCadence
from station.rig.rig import find_rig, load_rig

FOLDER = Path(__file__).parent / "guide"
NOW_NS = 1000 * NS_PER_S
_CAUSE = "follower_left has been silent for 500 ms: check its power and cable"
_FAULT = (
    "follower_left on /dev/ttyDXL_follower_left: expected the port; found it is gone. "
    "Next: plug the cable in again; it reconnects by itself"
)


def board(session: SessionState, fault: str = "") -> Board:
    """The bench rig in the middle of an afternoon."""
    rig = load_rig(find_rig("bench"))
    processes, chosen = [], []
    for place, device in enumerate(rig.devices):
        camera = device.role == "camera"
        hz, age_ms = (30.0, 9 + 4 * place) if camera else (200.0, 2 + place % 3)
        broken = fault if device.node == "follower_left" else ""
        streams = () if broken else (StreamHealth("frame" if camera else "arm_state", hz * 0.998, hz, 0),)
        health = Health(device.node, "fault" if broken else "ok", broken, streams)
        processes.append(ProcessState(device.node, 1, True, 0, 5.0, 40.0, health, 0, ""))
        chosen.append(Chosen(device.node, 1, 1, 0, (840 if broken else age_ms) * NS_PER_MS, True))
    made = Board(rig, Plan(OpenSession("cube_handover", operator="ada"), None), session=session, session_ns=NOW_NS)
    made.station = StationState(rig.name, "bench.yaml", 1, 0, tuple(processes))
    made.tick = Tick(1, NOW_NS, tuple(chosen), (), (), ())
    made.recorder = RecorderState(session.phase == "recording", "", 0, None, 90_000, 45, ())
    stream = StreamCadence(9.4, 31.2, 0.6, 0)
    made.last = Cadence(612, 12.24, 50.0, 0, 0, 0, 0, {"cam_left_wrist": stream})
    return made


def boards() -> dict[str, Board]:
    """Every picture by its file's stem."""
    path = "/data/cube_handover/episode_41.hdf5"
    recording = SessionState(
        "recording", "cube_handover", "ada", 42, 387, 17, 2, 0, (), disk_left_s=231 * 60.0, saved_path=path,
        newest=41, wanted=50,
    )  # fmt: skip
    hold = SessionState(
        "hold", "cube_handover", "ada", 43, 387, 18, 2, 1, ("Align",), disk_left_s=231 * 60.0, saved_path=path,
        newest=42, wanted=50, why=_CAUSE,
    )  # fmt: skip
    return {"panel": board(recording), "panel-hold": board(hold, _FAULT)}


def pictures() -> dict[str, str]:
    """File name → SVG."""
    found = {}
    for stem, made in boards().items():
        console = Console(record=True, width=WIDTH, height=HEIGHT, force_terminal=True, file=io.StringIO())
        console.print(render(made, NOW_NS))
        found[f"{stem}.svg"] = console.export_svg(title="station record", unique_id=stem)
    return found


if __name__ == "__main__":
    for name, svg in pictures().items():
        (FOLDER / name).write_text(svg)
