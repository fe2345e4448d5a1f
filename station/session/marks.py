"""The marks of the episode that is being recorded: which names there are, which comes next. Pure."""

from pathlib import Path

from station.bus.actions import next_mark
from station.bus.pending import Outcome, as_reply
from station.bus.requests import Done, KeepMark, Refused
from station.session.effects import Asker
from station.session.ports import Ports


class Marks:
    """Of one episode after the other."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.names: tuple[str, ...] = ()
        self.count = 0
        self.last = ""
        """The one that was set last in this episode; "" before the first."""

    def begin(self, names: tuple[str, ...]) -> None:
        """Another episode, with these names."""
        self.names, self.count, self.last = names, 0, ""

    def set(self, name: str, part: Path, asker: Asker) -> None:
        """Mark this moment, with the next name where none is given. Answered when it survives a kill."""
        name = name or next_mark(self.names, self.last)
        if name not in self.names:
            there = ", ".join(self.names) or "none: the rig file's `marks` names them"
            self._ports.answer(
                asker, Refused(f"no mark is called {name[:60]!r}. Next: one of those of this task ({there})")
            )
            return

        def kept(outcome: Outcome) -> None:
            reply = as_reply(outcome)
            if isinstance(reply, Done):
                self.count += 1
            self._ports.answer(asker, Done(name) if isinstance(reply, Done) else reply)

        self.last = name
        self._ports.sync(KeepMark(str(part), name, self._ports.now_ns), kept)
