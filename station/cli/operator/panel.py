"""The panel: what the operator sees. Pure: a board in, a rich renderable out; it fits 80×24 (`small_panel` is for less).

Calm on purpose: one big word says the phase, one line says what is wrong and which one act leads on; the rest is small.
"""

from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from station.borders.bounds import LARGEST_NUMBER
from station.bus.messages import Phase, SessionState
from station.cli.operator.bindings import BINDINGS, hints, more
from station.cli.operator.board import Board, Stream
from station.client import staged
from station.clock import NS_PER_S
from station.episodes.cadence import in_words
from station.terminal.screen import console
from station.terminal.shown import shown

WIDTH, HEIGHT = 80, 24
_INSIDE = WIDTH - 4
_WHY_ROWS = 3
_MOST_ROWS = 6
"""Of streams, two in a row."""
_FIXED_ROWS = 12 + _WHY_ROWS
"""Frame 2, banner 3, the cause, the act 1, counts 2, keys 1, three blanks."""
SILENT_NS = 3 * NS_PER_S
"""A session that said nothing for so long is not shown by its last words."""
COLOURS = {
    "opening": "black on yellow", "ready": "black on green", "starting": "black on cyan", "recording": "white on red",
    "running": "black on cyan", "saving": "black on cyan", "reset": "black on blue", "hold": "white on magenta", "ended": "black on white",
    "paused": "black on yellow", "silent": "white on red",
}  # fmt: skip
_LEVELS = {"ok": "green", "warn": "yellow", "bad": "bold red"}
MESSAGES = {"say": "cyan", "warn": "yellow", "bad": "bold red"}


def render(board: Board, now_ns: int) -> RenderableType:
    """The whole panel."""
    parts: list[RenderableType] = [_banner(board, now_ns), _next(board, now_ns), Text()]
    if board.help:
        parts.append(_help())
    else:
        streams = board.streams(now_ns)[: 2 * _MOST_ROWS]
        room = HEIGHT - _FIXED_ROWS - (len(streams) + 1) // 2
        parts.append(counts(board))
        if board.plan.rollouts:
            rollout = [*_wrapped(rollout_words(board), 1), *_wrapped(_to_fit(board), 1)]
            parts += [Text(line) for line in rollout]
            room -= len(rollout)
        if followed := staged.standing(board.session.staging if board.session is not None else None):
            parts += [Text(line) for line in _wrapped(followed, 1)]
            room -= 1
        parts += [Text(), _streams(streams), Text(), _news(board, now_ns, room)]
    parts.append(_keys(board))
    who = f"{board.plan.open_session.task} · {board.plan.open_session.operator or 'no operator named'}"
    command = "run" if board.plan.rollouts else "record"
    title = Text(shown(f"station {command} · rig {board.rig.name} · {who}"))
    return Panel(Group(*parts), title=title, width=WIDTH, padding=(0, 1))


def _banner(board: Board, now_ns: int) -> RenderableType:
    word, right = phase_words(board, now_ns)
    style = COLOURS[word]
    line = Table.grid(expand=True, padding=(0, 2))
    line.add_column(ratio=1)
    line.add_column(justify="right")
    line.add_row(Text(" ".join(word.upper()), style="bold"), Text(right, style="bold"))
    blank = Text(" ")
    framed = Table.grid(expand=True)
    framed.add_column(ratio=1)
    for row in (blank, line, blank):
        framed.add_row(row, style=style)
    return framed


def phase_words(board: Board, now_ns: int) -> tuple[str, str]:
    """The big word and what stands to its right."""
    session = board.session
    if session is None or now_ns - board.session_ns > SILENT_NS:
        return "silent", "the session says nothing"
    nth = session.saved + (session.phase == "recording") if session.kept else session.episode + 1
    of = f" ({nth} of {session.wanted})" if session.wanted else ""
    episode = f"{'episode' if session.kept else 'rollout'} {session.episode}{of}"
    if session.phase == "recording":
        return "paused" if session.paused else "recording", f"{episode}   {_clock(board.taken_s)}{_length(board)}"
    if session.phase == "running":
        ran_s = max(0.0, (now_ns - board.phase_ns) / NS_PER_S)
        return "paused" if session.paused else "running", f"{episode}   {_clock(ran_s)}{_length(board)}"
    if session.phase == "hold" and session.paused:
        return "paused", episode
    if session.phase == "reset" and session.reset_ends_ns:
        left_s = max(0.0, (session.reset_ends_ns - now_ns) / NS_PER_S)
        return "reset", f"{episode} starts in {left_s:.0f} s"
    return session.phase, episode if session.phase in ("ready", "reset") else ""


def _length(board: Board) -> str:
    return f" / {_clock(board.plan.seconds)}" if board.plan.seconds is not None else ""


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


class Next(NamedTuple):
    """What an operator has to know: why it stands still ("" if it does not), and the one act that leads on."""

    why: str
    act: str


def _next(board: Board, now_ns: int) -> RenderableType:
    if board.note is not None:
        tail = shown(board.note.text)[-(_INSIDE - 8) :]
        return Group(Text(f"note: {tail}▏", style="bold cyan"), Text("Enter keeps it, Esc drops it"))
    if board.asked is not None:
        return Text(board.asked.words, style="bold yellow")
    found = next_words(board, now_ns)
    lines = _wrapped(found.why, _WHY_ROWS)
    if (asked := asked_from_afar(board, now_ns)) and board.session_ns > now_ns - SILENT_NS:
        lines = lines[: _WHY_ROWS - 1]
        return Group(Text(_wrapped(asked, 1)[0], style="bold yellow"), *(Text(line, style="bold red") for line in lines),
                     *(Text(line, style="bold") for line in _wrapped(found.act, 1)))  # fmt: skip
    acts = _wrapped(found.act, 1 if lines else 2)
    return Group(*(Text(line, style="bold red") for line in lines), *(Text(line, style="bold") for line in acts))


def asked_from_afar(board: Board, now_ns: int) -> str:
    """What somebody who is not here asks for, and the key that allows it; "" if nobody does."""
    motion = board.session.motion if board.session is not None else None
    if motion is None:
        return ""
    if motion.moves_ns:
        return (
            f"Arms move in {max(0.0, (motion.moves_ns - now_ns) / NS_PER_S):.0f} s: {motion.what} ({motion.asked_by})"
        )
    left_s = max(0.0, (motion.until_ns - now_ns) / NS_PER_S)
    return f"y allows it ({left_s:.0f} s): {motion.what}, asks {motion.asked_by}"


def _wrapped(words: str, rows: int) -> list[str]:
    """At most so many lines of the cells that their characters take; what is cut off says so."""
    if not words or rows <= 0:
        return []
    lines = [line.plain.rstrip() for line in Text(shown(words)).wrap(console, _INSIDE)]
    if len(lines) > rows:
        last = Text(lines[rows - 1])
        last.truncate(_INSIDE - 2)
        lines[rows - 1 :] = [f"{last.plain.rstrip()} …"]
    return lines


def next_words(board: Board, now_ns: int) -> Next:
    """What the operator is to do now."""
    session = board.session
    if session is None or now_ns - board.session_ns > SILENT_NS:
        return Next("No word from the session.", f"If it lasts: `station status --rig {board.rig.name}` elsewhere.")
    if board.leaving:
        saved = "what was taken is saved, " if session.kept else ""
        return Next("", f"Ending the sitting: {saved}the arms hold.")
    if session.phase == "opening":
        return Next("", _start_sequence(board))
    if session.phase == "hold":
        well = all(stream.level != "bad" for stream in board.streams(now_ns))
        why = "" if session.paused else f"Held: {_cause(session.why)}." + (" All devices answer now." if well else "")
        return Next(why, "Space: go on. Hold the leaders still: the followers move to them.")
    if session.phase == "ended":
        why = f"{_cause(session.why)}." if session.why else ""
        return Next(why, "Space: try again   q: quit" if why else "Space: begin   q: quit")
    if session.leaders == "ask" and session.phase == "reset" and not board.scene:
        words = "Shall the leaders go along with the policy? g: yes, gently, one hand stops them."
        return Next(f"{_cause(session.why)}." if session.why else words, _act(session))
    if board.plan.rollouts and session.phase == "reset":  # a hold ended the last one, and the next begins all the same
        return Next(f"{_cause(session.why)}." if session.why else "", board.scene or _act(session))
    return Next("", _act(session))


def _start_sequence(board: Board) -> str:
    pilot = board.pilot
    if board.plan.rollouts:
        return "The arms move to the policy's first pose: stand clear."
    if pilot is not None and pilot.state == "waiting":
        return pilot.why[:1].upper() + pilot.why[1:]
    if pilot is not None and pilot.source == "opening":
        return "The arms move to the start pose: stand clear, then take hold of the leaders."
    return "The followers move to the leaders' pose: hold the leaders still."


_WORDS: dict[Phase, str] = {
    "starting": "The recording is being opened: wait a moment.", "saving": "Saving: wait a moment.", "reset": "Put the scene back.",
}  # fmt: skip


def _act(session: SessionState) -> str:
    """What is going on, where that is not plain, and the keys that lead on."""
    words = _WORDS.get(session.phase, "")
    if session.phase in ("ready", "reset"):
        words = staged.stage(session.staging) or words
    if session.paused:
        words = "Paused, still recording." if session.phase == "recording" else "Paused."
    return "   ".join(filter(None, (words, hints(session))))


def _cause(why: str) -> str:
    return why.strip().rstrip(".") or "no reason given"


def counts(board: Board) -> Text:
    """Of the sitting, in two lines."""
    session, recorder = board.session, board.recorder
    if session is None:
        return Text()
    if not session.kept:
        return _unrecorded(session)
    line = Text()
    line.append(f"saved {session.saved}", style="bold green")
    line.append(f" · discarded {session.discarded} · ended early ")
    line.append(str(session.ended_early), style="bold red" if session.ended_early else "")
    if session.finalising:
        line.append(f" · {session.finalising} being built", style="cyan")
    if recorder is not None:
        late = 100 * recorder.late_ticks / recorder.ticks if recorder.ticks else 0.0
        line.append(f" · late ticks {late:.1f} % · lost ")
        line.append(str(board.lost), style="bold red" if board.lost else "")
    minutes = session.disk_left_s / 60
    line.append("\ndisk: ")
    if session.disk_left_s >= LARGEST_NUMBER or session.disk_left_s <= 0:
        line.append("not known yet")
    else:
        line.append(
            f"{minutes:,.0f} minutes left", style="bold red" if minutes < 10 else "yellow" if minutes < 60 else ""
        )
    if session.newest >= 0:
        line.append(f" · newest: episode {session.newest}")
    return line


def _unrecorded(session: SessionState) -> Text:
    line = Text("nothing is recorded (`--record --task NAME` does) · ended early ")
    line.append(str(session.ended_early), style="bold red" if session.ended_early else "")
    return line


_READINGS = {"delay_p95_ms": "delay p95 {:.0f} ms", "starved_ticks": "{:.0f} ticks starved", "faults": "{:.0f} faults"}
"""What of a policy's runner is shown."""


def rollout_words(board: Board) -> str:
    """Who commands, and how the policy does."""
    commands = board.pilot.source if board.pilot is not None and board.pilot.state == "engaged" else "nobody"
    processes = board.station.processes if board.station is not None else ()
    health = next((process.health for process in processes if process.node == "policy"), None)
    readings = health.readings if health is not None else {}
    numbers = [text.format(readings[name]) for name, text in _READINGS.items() if name in readings]
    return " · ".join([f"{commands} commands", *(numbers or ["the policy's runner says nothing yet"])])


def _to_fit(board: Board) -> str:
    """What the hands have to do before they can take over, live."""
    session = board.session
    if session is None or not session.to_fit:
        return ""
    return f"to take over: {session.to_fit}"


def _streams(streams: list[Stream]) -> RenderableType:
    """Two devices a line: name, rate of the declared, age."""
    table = Table.grid(padding=(0, 1))
    for justify in ("left", "right", "right") * 2:
        table.add_column(justify=justify)
    half = (len(streams) + 1) // 2
    for place in range(half):
        cells: list[Text] = []
        for stream in streams[place::half]:
            style = _LEVELS[stream.level]
            age = "–" if stream.age_ms < 0 else f"{min(stream.age_ms, 99_999):.0f} ms"
            rate = f"{stream.rate_hz:.0f}/{stream.declared_hz:.0f} Hz"
            cells += [Text(f"{stream.node:<16}", style=style), Text(f"{rate:>11}", style=style), Text(f"{age:>9}")]
        table.add_row(*cells)
    return table


def _news(board: Board, now_ns: int, room: int) -> RenderableType:
    """In `room` lines: the newest message, the trouble of the first device that has one, the last episode's cadence."""
    message, session = board.message, board.session
    told = (
        session is not None
        and message is not None
        and session.phase in ("hold", "ended", *(("reset",) if board.plan.rollouts else ()))
        and message.words == session.why
    )
    style, words = "", ""
    if message is not None and now_ns <= message.until_ns and not told:
        style, words = MESSAGES[message.level], message.words
    trouble = _wrapped(trouble_words(board, now_ns), 2 if words else room)
    lines = [Text(line, style=style) for line in _wrapped(words, min(2, room - len(trouble)))]
    lines += [Text(line, style="red") for line in trouble]
    last = f"last: {in_words(board.last)}" if board.last is not None else ""
    lines += [Text(line, style="dim") for line in _wrapped(last, min(2, room - len(lines)))]
    return Group(*lines, *(Text() for _ in range(room - len(lines))))


def trouble_words(board: Board, now_ns: int) -> str:
    """Of the pedal, or of the first device that has one; "" if all is well."""
    if board.pedal:
        return board.pedal
    troubled = sorted((s for s in board.streams(now_ns) if s.trouble), key=lambda stream: not stream.fault)
    if not troubled:
        session = board.session
        return session.drift if session is not None and session.phase in ("opening", "ready", "reset") else ""
    first = troubled[0]
    words = first.trouble if first.trouble.startswith(first.node) else f"{first.node}: {first.trouble}"
    return words + (f"  (and {len(troubled) - 1} more)" if len(troubled) > 1 else "")


def _help() -> RenderableType:
    """What each key does. `?` itself stands in the last line, so that the longest cause of a hold fits above."""
    table = Table.grid(padding=(0, 2))
    for binding in BINDINGS:
        table.add_row(Text(binding.shown, style="bold"), binding.meaning)
    table.add_row(Text("Ctrl-C", style="bold"), "save the take and end the sitting; twice: end at once")
    return table


def _keys(board: Board) -> Text:
    return Text(keys_words(board), style="dim")


def keys_words(board: Board) -> str:
    """The last line: rarer keys."""
    return "?: back" if board.help else f"{more(board.plan.open_session.kept)}   ?: all keys"
