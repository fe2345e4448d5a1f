"""How a sitting stands."""

from typing import Literal

import msgspec

from station.borders.bounds import Count
from station.bus.messages.commanding import Doer, SourceName
from station.bus.messages.header import Message

Phase = Literal["opening", "ready", "starting", "recording", "running", "saving", "reset", "hold", "ended"]
"""`running`: a rollout that nobody records."""


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of a console holds control. Terminal, pedal and headset need none."""

    seat: str
    """The page; "" where none does."""
    holder: str
    """Who sits there, for people."""
    wanted_by: str = ""
    """Who asks for it; "" where nobody does."""
    passes_ns: int = 0
    """When it passes to them, unless the holder says no."""

    def refusal(self, seat: str) -> str:
        """Why the page of that seat may not ask for what needs control; "" if it may."""
        if self.seat == seat:
            return ""
        if not self.seat:
            return "this page does not hold control. Next: take control"
        return f"{self.holder} holds control. Next: ask for it (take control)"


class Motion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody who is not at the rig asks for, and what would move arms."""

    number: int
    asked_by: str
    what: str
    until_ns: int
    """When it lapses, unless somebody at the rig allows it."""
    moves_ns: int = 0
    """When the arms move, once it is allowed; 0 until then."""


class Staging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the task's collection plan wants to be staged for the next episode, or wanted for the one being recorded."""

    scene: str
    object: str
    """"": the plan names none of that kind, or has nothing more for this operator (`left` 0, or `why`)."""
    saved: Count
    """Episodes of just that; failures are not counted."""
    each: Count
    """How many are wanted of just that."""
    done: Count
    wanted: Count
    """Of the whole plan."""
    left: Count
    """How many the operator of this sitting has still to record."""
    changed: tuple[Literal["scene", "object"], ...] = ()
    """What is another than in the take before."""
    places: dict[str, tuple[float, float]] = {}
    """Where the object goes, by camera: shares of its picture's width and height, from the top left corner."""
    why: str = ""
    """Why the plan is not followed; "" where it is."""


class SessionState(Message, frozen=True):
    """The phase of the sitting, its counts, and which buttons make sense now."""

    phase: Phase
    task: str
    operator: str
    episode: int
    """The number of the episode being recorded, or of the next one."""
    recorded_ticks: int
    saved: int
    discarded: int
    ended_early: int
    actions: tuple[str, ...]
    """The actions that make sense now, by name (`station.bus.actions`)."""
    disk_left_s: float = 0.0
    """Recording that the disk still holds at the present rate, its HDF5 included; the largest number while nothing flows."""
    paused: bool = False
    """The operator holds the arms on purpose."""
    reset_ends_ns: int = 0
    """When a timed reset ends and the next episode starts; 0 where an operator decides."""
    finalising: int = 0
    """Episodes whose journal is safe and whose HDF5 is still being built."""
    saved_path: str = ""
    """The newest saved episode."""
    ended_by: Doer = ""
    """Whose doing it was that the last episode ended early: a trial that the station spoiled says nothing of a policy. "" if it did not."""
    why: str = ""
    """Why the phase is what it is, when that is not plain: the cause of a hold, of an early end."""
    newest: int = -1
    """The newest episode that was kept, which labels and notes go to between two episodes; −1 if there is none."""
    wanted: int = 0
    """How many episodes the operator wants; 0: as many as come."""
    stalls: int = 0
    """Stalls in the episode being recorded, or in the last one."""
    stalled_rows: int = 0
    sequence: Count = 0
    """Rises when what a button would do may have changed. A request carries that of the state it was seen in (`Who.seen`)."""
    marks: tuple[str, ...] = ()
    """Names of the marks that may be set in an episode, in their order."""
    marked: Count = 0
    """Marks of the episode being recorded."""
    mark: str = ""
    """The last of them; "" before the first."""
    source: SourceName = "leader"
    """Who is to command in this sitting; `policy`: its episodes are rollouts, each engaged when it is started."""
    kept: bool = True
    """False: nothing of this sitting's rollouts is recorded."""
    drift: str = ""
    """Which camera controls are others than in the task's newest episode before this sitting, and what to do about it."""
    leaders: Literal["", "ask", "on", "off"] = ""
    """Do leaders go along while the policy commands? `ask`: nobody has said so yet in this sitting, and they do not. "": none can."""
    stiff: bool = False
    """Leaders have torque: they hold, or go along."""
    to_fit: str = ""
    """Which joints of the leaders are to be brought where, before hands can take over; "" where they fit."""
    check_due: str = ""
    """Why the rig's check is due, or that it failed: no sitting is opened on real arms then; "" while the last one counts."""
    staging: Staging | None = None
    """None: the task has no collection plan, or the sitting does not follow it (a scene was named, a policy runs)."""
    control: Control = Control("", "")
    motion: Motion | None = None
