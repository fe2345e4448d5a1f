"""`station console`: the page for operator and engineer, served until Ctrl-C; links, seats, and taking them back."""

import asyncio
import io
import os
import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from station.borders.options import RigOption
from station.client import Station
from station.clock import monotonic_ns
from station.console.seat_file import SeatFile
from station.console.seats import INVITED_S, Role, invited, new_code, revoked
from station.errors import AlreadyRunning, StationError, UsageError
from station.files import settings
from station.files.lock import Lock
from station.files.logs import log_to_file
from station.rig.choice import rig_or_none
from station.rig.rig import NO_RIG
from station.terminal.screen import console
from station.terminal.shown import shown
from station.terminal.told import JsonOption, tell

app = typer.Typer(help="The rig in a browser: serve the page; who may sit there.", invoke_without_command=True)
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_ROLES = "viewer: look and hold; operator: sittings; engineer: all"
RoleOption = Annotated[Role, typer.Option("--role", help=_ROLES)]
FirstRoleOption = Annotated[
    Role | None,
    typer.Option("--role", help=f"{_ROLES} (default: operator; where there is no rig yet, engineer, who sets one up)"),
]
PersonOption = Annotated[str, typer.Option("--for", help="whose link it is, for everybody to see")]
PlaceOption = Annotated[
    bool | None,
    typer.Option(
        "--at-rig/--elsewhere",
        help="does that screen stand beside the arms? (default: if the page is this computer's alone, and you sit at it)",
    ),
]


@app.callback()
def serve(
    context: typer.Context,
    rig: RigOption,
    role: FirstRoleOption = None,
    person: PersonOption = "",
    at_rig: PlaceOption = None,
) -> None:
    """Serve the page until Ctrl-C, and print a link with a one-time code. One that is served already gets another link."""
    if context.invoked_subcommand is not None:
        return
    from station.console.server import PAGE  # belongs to the extra `console`

    if not (PAGE / "vendor" / "lit-html.js").exists():
        raise StationError(
            "the page's libraries are not in this checkout. Next: `python hatch_build.py`, which fetches them by npm"
        )
    loaded = rig_or_none(rig)
    none_yet = loaded.name == NO_RIG
    role = role or ("engineer" if none_yet else "operator")
    if none_yet:
        console.print(
            "this computer has no rig yet: on the page Set-up writes the file of one. Once you have one, start this again"
        )
    try:
        lock = Lock(loaded.name, "console")
    except AlreadyRunning:
        console.print(f"{'its console' if none_yet else f'the console of rig {loaded.name}'} is served already")
        _print_link(role, person, at_rig)
        return
    try:
        log_to_file(loaded.name, "console")
        asyncio.run(_serve(Station(loaded), lambda: _print_link(role, person, at_rig)))
    except KeyboardInterrupt:
        console.print("the page is closed; the station goes on as it is")
    finally:
        lock.release()


class LinkTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station console link --json` tells."""

    url: str
    """With the code; for one browser."""
    role: Role
    person: str
    at_rig: bool
    until_s: float
    """Wall time."""


class SeatTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A browser that is paired. Times are wall times."""

    id: str
    role: Role
    person: str
    at_rig: bool
    address: str
    since_s: float
    until_s: float


@app.command()
def link(
    role: RoleOption = "operator", person: PersonOption = "", at_rig: PlaceOption = None, as_json: JsonOption = False
) -> None:
    """Print another link: a code for one browser, good for ten minutes."""
    if as_json:
        tell(_link(role, person, at_rig))
    else:
        _print_link(role, person, at_rig)


@app.command("ls")
def list_(as_json: JsonOption = False) -> None:
    """Who is paired."""
    now_s = time.time()
    seats = [
        SeatTold(seat.id, seat.role, seat.person, seat.at_rig, seat.address, seat.since_s, seat.until_s)
        for seat in SeatFile().read().seats
        if seat.until_s > now_s
    ]
    if as_json:
        tell(seats)
        return
    table = Table()
    for column in ("id", "role", "for", "where", "from", "until"):
        table.add_column(column)
    for seat in seats:
        until = datetime.fromtimestamp(seat.until_s, UTC).astimezone().strftime("%d %b %H:%M")
        where = "at the rig" if seat.at_rig else "elsewhere"
        table.add_row(*map(Text, (seat.id, seat.role, shown(seat.person), where, shown(seat.address), until)))
    console.print(table if seats else "nobody is paired. Next: `station console link`")


@app.command()
def revoke(seat: Annotated[str, typer.Argument(metavar="ID", help="as `station console ls` shows it; `all`")]) -> None:
    """Take a seat back: its page is cut at once."""
    file = SeatFile()
    changed = file.change(
        lambda book: msgspec.structs.replace(book, seats=()) if seat == "all" else revoked(book, seat)
    )
    if not changed:
        raise UsageError(f"there is no seat {seat!r}. Next: `station console ls` lists them")
    console.print("taken back")


async def _serve(station: Station, ready: "object") -> None:
    from station.console.hub import Hub
    from station.console.server import Server

    where = settings.load().console
    hub = Hub(station, monotonic_ns)
    server = Server(hub, SeatFile(), monotonic_ns)
    hearing = asyncio.create_task(hub.run())
    try:
        try:
            await server.listen(where.address, where.port, tls=where.address not in LOOPBACK)
        except OSError as error:
            raise StationError(
                f"the console cannot listen at {where.address}:{where.port}: {error.strerror}. "
                f"Next: another `console: {{port: …}}` in {settings.path()}"
            ) from error
        assert callable(ready)
        ready()
        await hearing
    finally:
        hearing.cancel()
        await server.close()


def _link(role: Role, person: str, at_rig: bool | None) -> LinkTold:
    """A new one."""
    where = settings.load().console
    alone = where.address in LOOPBACK
    here = alone and "SSH_CONNECTION" not in os.environ if at_rig is None else at_rig
    code, now_s = new_code(), time.time()
    SeatFile().change(lambda book: invited(book, code, role, person, here, now_s))
    url = f"{'http' if alone else 'https'}://{_host(where.address)}:{where.port}/#{code}"
    return LinkTold(url, role, person, here, now_s + INVITED_S)


def _print_link(role: Role, person: str, at_rig: bool | None) -> None:
    import segno  # belongs to the extra `console`

    made = _link(role, person, at_rig)
    if made.url.startswith("https"):
        text = io.StringIO()
        segno.make(made.url, error="m").terminal(text, compact=True)
        print(text.getvalue())
        console.print(f"its certificate's fingerprint (SHA-256): {_fingerprint()}")
    place = "at the rig" if made.at_rig else "elsewhere: what moves arms is allowed at the rig"
    console.print(f"for one browser, {INVITED_S / 60:.0f} minutes, {role}, {place}:")
    print(made.url, flush=True)


def _host(address: str) -> str:
    if address in ("0.0.0.0", "::", ""):
        from station.web import certificate

        return certificate.addresses()[0]
    return address


def _fingerprint() -> str:
    import ssl
    from hashlib import sha256

    from station.web import certificate

    now = datetime.now(UTC)
    made, _ = certificate.ensure(certificate.folder("console"), certificate.addresses(), now)
    digest = sha256(ssl.PEM_cert_to_DER_cert(made.read_text())).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2)).upper()
