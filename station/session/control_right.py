"""Which page of a console holds control: one at a time, shown to all, handed over or taken. Pure.

It lives here and in no page, so that two consoles agree, and a console that was restarted finds its page still holding. Terminal, pedal
and headset are at the arms and need none. Losing it ends nothing.
"""

from typing import NamedTuple

from station.bus.messages import Control
from station.bus.requests import Allow, AskLeave, Done, Refused, Reply, Who
from station.bus.requests.request import Request
from station.bus.requests.time_outs import HANDED_S
from station.clock import NS_PER_S
from station.session.effects import Asker
from station.session.ports import Ports

SILENT_NS = 10 * NS_PER_S
"""A holder that says nothing for so long does not hold any more: its page is closed, or its link is gone."""


class _Page(NamedTuple):
    seat: str
    who: str


class _Wish(NamedTuple):
    page: _Page
    asker: Asker
    passes_ns: int


class ControlRight:
    """Kept by the session."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._holder: _Page | None = None
        self._heard_ns = 0
        self._wish: _Wish | None = None

    @property
    def told(self) -> Control:
        """For every client."""
        holder, wish = self._holder or _Page("", ""), self._wish
        if wish is None:
            return Control(holder.seat, holder.who)
        return Control(holder.seat, holder.who, wish.page.who, wish.passes_ns)

    def heard(self, who: Who) -> None:
        """A page asks for something: it is there."""
        if self._holds(who):
            self._heard_ns = self._ports.now_ns

    def refusal(self, request: Request, who: Who) -> str:
        """Why that page may not ask for this; "" if it may, or is no page."""
        if not who.seat or self._holds(who) or isinstance(request, Allow):
            return ""
        if isinstance(request, AskLeave) and who.at_rig:
            return ""
        return self.told.refusal(who.seat)

    def take(self, who: Who, asker: Asker) -> None:
        """A page wants it."""
        if not who.seat:
            self._ports.answer(asker, Refused("only a page takes control; whoever is at the rig needs none"))
        elif self._holds(who) or self._holder is None or who.at_rig:
            self._pass_to(_Page(who.seat, str(who)))
            self._ports.answer(asker, Done())
        elif self._wish is not None:
            self._ports.answer(asker, Refused(f"{self._wish.page.who} asks for it already. Next: wait a moment"))
        else:
            self._wish = _Wish(_Page(who.seat, str(who)), asker, self._ports.now_ns + round(HANDED_S * NS_PER_S))

    def leave(self, who: Who) -> Reply:
        """The holder gives it away, or somebody at the rig takes it from any page."""
        if self._holder is None:
            return Done("no page holds control")
        if not self._holds(who) and not who.at_rig:
            return Refused(f"{self._holder.who} holds control. Next: ask for it (take control)")
        wish = self._wish
        if wish is not None and self._holds(who):
            self._grant(wish)
        else:
            self._pass_to(None)
            self._refuse_wish(f"{who} took control off every page")
        return Done()

    def keep(self, who: Who) -> Reply:
        """The holder says no."""
        if not self._holds(who):
            return Refused("only the page that holds control can say that")
        self._refuse_wish(f"{who} keeps control")
        return Done()

    def time(self) -> None:
        """A wish that nobody said no to is granted; a silent holder holds no longer."""
        now_ns, wish = self._ports.now_ns, self._wish
        if self._holder is not None and now_ns - self._heard_ns > SILENT_NS:
            self._holder = None
        if wish is not None and (self._holder is None or now_ns >= wish.passes_ns):
            self._grant(wish)

    def _holds(self, who: Who) -> bool:
        return self._holder is not None and who.seat == self._holder.seat

    def _grant(self, wish: _Wish) -> None:
        self._wish = None
        self._pass_to(wish.page)
        self._ports.answer(wish.asker, Done())

    def _refuse_wish(self, why: str) -> None:
        wish, self._wish = self._wish, None
        if wish is not None:
            self._ports.answer(wish.asker, Refused(why))

    def _pass_to(self, page: _Page | None) -> None:
        self._holder, self._heard_ns = page, self._ports.now_ns
        if page is not None and self._wish is not None:
            if page.seat == self._wish.page.seat:
                wish, self._wish = self._wish, None
                self._ports.answer(wish.asker, Done())
            else:
                self._refuse_wish(f"{page.who} has control now. Next: ask for it")
