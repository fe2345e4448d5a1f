"""What a page is shown of the rig, made of what the nodes said last and how long ago that was. Pure: structs in, structs for JSON out."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from station.borders.bounds import LARGEST_NUMBER
from station.bus.actions import ACTIONS
from station.bus.messages import (
    Description,
    Dimension,
    PilotState,
    PolicyState,
    ProcessState,
    RecorderState,
    SessionState,
    Setpoint,
    StationState,
    Tick,
)
from station.bus.requests import HandOver
from station.clock import NS_PER_MS
from station.files.check_results import FAILED
from station.rig.rig import NO_RIG, Rig
from station.safety.watch import OVERLOAD_SHARE
from station.terminal.shown import shown


@dataclass
class Heard:
    """The newest of each, and when it was heard."""

    session: SessionState | None = None
    pilot: PilotState | None = None
    recorder: RecorderState | None = None
    station: StationState | None = None
    tick: Tick | None = None
    policy: PolicyState | None = None
    descriptions: dict[str, Description] = field(default_factory=dict)
    """Of devices, by node."""
    efforts: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """The largest of each joint since it was shown last, by arm."""
    at_ns: dict[str, int] = field(default_factory=dict)

    def exerted(self, arm: str, effort: tuple[float, ...]) -> None:
        """One reading of it."""
        before = self.efforts.get(arm, ())
        largest = (
            tuple(max(pair, key=abs) for pair in zip(before, effort, strict=True))
            if len(before) == len(effort)
            else effort
        )
        self.efforts[arm] = largest

    def age_ms(self, what: str, now_ns: int) -> float | None:
        """Since that was heard; None if never."""
        heard_ns = self.at_ns.get(what)
        return None if heard_ns is None else (now_ns - heard_ns) / NS_PER_MS


def action_table() -> list[dict[str, Any]]:
    """Keys and words of the table of actions, for the page: the terminal's and the page's cannot differ.

    Hand-overs have words of their own there: a page takes over only while somebody presses that they hold the leaders.
    """
    return [
        {"name": a.name, "label": a.label, "keys": a.keys, "confirm": a.confirm if a.confirm != "headset" else (),
         "question": a.question, "moves": a.moves, "line": a.line, "told": a.meaning, "otherwise": a.otherwise, "phases": a.phases}
        for a in ACTIONS if a.request is not HandOver
    ]  # fmt: skip


def rig_facts(rig: Rig) -> dict[str, Any]:
    """What does not change while the station runs."""
    return {
        "name": rig.name, "chosen": rig.name != NO_RIG, "tick_hz": rig.tick_hz, "cameras": rig.cameras,
        "real": rig.moves_real_arms, "data": str(rig.data),
        "devices": [{"node": device.node, "role": device.role} for device in rig.devices],
    }  # fmt: skip


def state(heard: Heard, rig: Rig, now_ns: int, card: str) -> dict[str, Any]:
    """The whole of it, five times a second. Ages say how old each part was when it was sent; the page adds what has passed since."""
    session = heard.session
    return {
        "kind": "state",
        "now_ns": now_ns,
        "age_ms": {name: heard.age_ms(name, now_ns) for name in ("session", "pilot", "recorder", "station", "tick")},
        "session": None if session is None else _session(session, now_ns),
        "pilot": None if heard.pilot is None else _pilot(heard.pilot),
        "recorder": None if heard.recorder is None else _recorder(heard.recorder),
        "streams": _streams(heard, rig, now_ns),
        "widths": widths(heard, rig),
        "trouble": _trouble(heard),
        "card": card,
    }


def _session(session: SessionState, now_ns: int) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(session)
    told["disk_left_s"] = session.disk_left_s if 0 < session.disk_left_s < LARGEST_NUMBER else None
    told["check_failed"] = session.check_due == FAILED
    told["saved_name"] = session.saved_path.rpartition("/")[2]
    told["reset_in_ms"] = max(0, session.reset_ends_ns - now_ns) / NS_PER_MS if session.reset_ends_ns else None
    control, motion = session.control, session.motion
    told["control"]["passes_in_ms"] = max(0, control.passes_ns - now_ns) / NS_PER_MS if control.passes_ns else None
    if motion is not None:
        told["motion"]["lapses_in_ms"] = max(0, motion.until_ns - now_ns) / NS_PER_MS
        told["motion"]["moves_in_ms"] = max(0, motion.moves_ns - now_ns) / NS_PER_MS if motion.moves_ns else None
    return told


def _pilot(pilot: PilotState) -> dict[str, Any]:
    arms = [
        {"arm": arm.arm, "torque": arm.torque, "mode": arm.mode, "why": arm.why, "next": arm.next, "joint": arm.worst_joint,
         "difference_rad": arm.difference_rad}
        for arm in pilot.arms
    ]  # fmt: skip
    return {"state": pilot.state, "source": pilot.source, "why": pilot.why, "arms": arms, "stiff": pilot.stiff, "holds": pilot.holds,
            "stalls": pilot.stalls, "stalled": pilot.stalled}  # fmt: skip


def _recorder(recorder: RecorderState) -> dict[str, Any]:
    return {
        "recording": recorder.recording,
        "ticks": recorder.ticks,
        "late": recorder.late_ticks,
        "lost": recorder.lost,
    }


def _streams(heard: Heard, rig: Rig, now_ns: int) -> list[dict[str, Any]]:
    """Every device's first stream, in the rig's order: its rate by its own count, its age in the newest tick."""
    processes = {process.node: process for process in heard.station.processes} if heard.station is not None else {}
    tick = heard.tick
    since_ns = max(0, now_ns - heard.at_ns.get("tick", now_ns))
    ages = {chosen.stream: (chosen.age_ns + since_ns) / NS_PER_MS for chosen in tick.chosen} if tick is not None else {}
    found = []
    for device in rig.devices:
        process = processes.get(device.node)
        health = process.health if process is not None else None
        first = health.streams[0] if health is not None and health.streams else None
        error = health.error if health is not None else ""
        if process is None:
            error = "not heard of yet"
        elif not process.running:
            error = f"its driver ended ({process.last_exit})" if process.last_exit else "starting"
        found.append({
            "node": device.node, "role": device.role, "rate_hz": first.rate_hz if first is not None else 0.0,
            "declared_hz": first.declared_hz if first is not None else 0.0, "age_ms": ages.get(device.node),
            "trouble": shown(error), "fault": health is None or health.state == "fault" or not (process and process.running),
            "lost": health.lost if health is not None else 0,
        })  # fmt: skip
    return found


def widths(heard: Heard, rig: Rig) -> list[int]:
    """How many of the vector's numbers are each follower's, in its order; empty until all have said what they are."""
    described = [heard.descriptions.get(follower) for follower in rig.followers]
    return [len(_vector(about)) for about in described if about is not None] if all(described) else []


def _vector(description: Description | None) -> tuple[Dimension, ...]:
    streams = description.streams if description is not None else ()
    return next((stream.dimensions for stream in streams if stream.kind == "arm_state"), ())


def _trouble(heard: Heard) -> list[str]:
    """What processes that are no devices say is wrong, a line each."""
    if heard.station is None:
        return []
    return [
        shown(f"{process.node}: {process.health.error if process.health else 'ended ' + process.last_exit}")
        for process in heard.station.processes
        if not process.running or (process.health is not None and process.health.state == "fault")
    ]


def processes(heard: Heard, rig: Rig, now_ns: int) -> dict[str, Any]:
    """Every process with all that is known of it, once a second."""
    known = heard.station.processes if heard.station is not None else ()
    since_ns = max(0, now_ns - heard.at_ns.get("station", now_ns))
    exerted = {arm: efforts(effort, heard.descriptions.get(arm)) for arm, effort in heard.efforts.items()}
    acts = {
        node: [{"name": act.name, "does": shown(act.does)} for act in said.acts]
        for node, said in heard.descriptions.items()
        if said.acts
    }
    return {
        "kind": "processes", "efforts": exerted, "acts": acts, "now_ns": now_ns, "age_ms": heard.age_ms("station", now_ns),
        "processes": [_process(process, rig, since_ns) for process in known],
    }  # fmt: skip


def _process(process: ProcessState, rig: Rig, since_ns: int) -> dict[str, Any]:
    health = process.health
    told = {"node": process.node, "pid": process.pid, "running": process.running, "restarts": process.restarts, "cpu": process.cpu_percent,
            "rss_mb": process.rss_mb, "last_exit": shown(process.last_exit), "state": "silent", "error": "", "notes": (), "streams": (),
            "readings": (), "lost": 0, "realtime": 0, "health_age_ms": (process.health_age_ns + since_ns) / NS_PER_MS}  # fmt: skip
    if health is None:
        return told
    streams = [
        {"kind": s.kind, "rate_hz": s.rate_hz, "declared_hz": s.declared_hz, "age_ms": s.age_ns / NS_PER_MS}
        for s in health.streams
    ]
    readings = [
        {"name": name, "value": value, "level": level(name, value, rig)} for name, value in health.readings.items()
    ]
    return told | {"state": health.state, "error": shown(health.error), "notes": tuple(map(shown, health.notes)), "streams": streams,
                   "readings": readings, "lost": health.lost, "realtime": health.realtime}  # fmt: skip


def efforts(exerted: tuple[float, ...], description: Description | None) -> list[dict[str, Any]]:
    """What each joint exerts beside what would switch it off; nothing of an arm that has not said what it is."""
    dimensions = _vector(description)
    if len(dimensions) != len(exerted):
        return []
    found = []
    for dimension, effort in zip(dimensions, exerted, strict=True):
        share = abs(effort) / dimension.overload if dimension.overload else 0.0
        near = "bad" if share >= 1 else "warn" if share >= OVERLOAD_SHARE else "ok" if dimension.overload else ""
        told = {"name": dimension.name, "effort": effort, "unit": dimension.effort_unit}
        found.append({**told, "overload": dimension.overload, "level": near})
    return found


def level(name: str, value: float, rig: Rig) -> str:
    """ok, warn or bad: a reading against the limits of the rig's check; "" where that has none for it."""
    if name.endswith(".temperature_c"):
        warn, fail = rig.check.temperature_c
        return "bad" if value > fail else "warn" if value > warn else "ok"
    if name.endswith(".voltage_v"):
        warn, fail = rig.check.supply_v
        return "bad" if value < fail else "warn" if value < warn else "ok"
    return ""


def policy(heard: Heard, now_ns: int) -> dict[str, Any]:
    """What the runner says, twice a second."""
    said = heard.policy
    told = None
    if said is not None:
        name, words = said.folder.rpartition("/")[2], ("folder", "why", "note", "instruction")
        told = msgspec.to_builtins(said) | {word: shown(getattr(said, word)) for word in words} | {"name": shown(name)}
        told["since_ms"] = max(0, now_ns - said.since_ns) / NS_PER_MS
        del told["identity"]
    return {
        "kind": "policy",
        "now_ns": now_ns,
        "age_ms": heard.age_ms("policy", now_ns),
        "runner": told,
    }


def tick(heard: Tick, asked: tuple[float, ...] | None, ask: Setpoint | None) -> dict[str, Any]:
    """One point of the strips: where the joints are, what was sent to them, what a policy asks for. What is no number is a gap."""
    wanted = None if ask is None else ask.goal
    return {"kind": "tick", "t_ms": heard.t_ns / NS_PER_MS, "qpos": heard.qpos, "asked": asked, "wanted": wanted,
            "holds": ask.why if ask is not None and ask.hold else ""}  # fmt: skip
