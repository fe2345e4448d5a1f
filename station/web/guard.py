"""The first thing every request meets: an aiohttp middleware around `origin`, and the headers every answer carries."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web

from station.web.origin import Asked, refusal

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUESTS_PER_S = 500
"""Of everybody together; more wait for their turn, so that a flood leaves the loop to those who work."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses what another site's page asks. `names()` are this computer's now."""

    def __init__(self, names: Callable[[], Collection[str]]) -> None:
        self._names = names
        self.refused = 0
        self._turn_s = 0.0

    def application(self, handler: Handler) -> web.Application:
        """Everything goes to `handler`, if it may be answered."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            await self._wait()
            answer = self.refuse(request)
            return answer if answer is not None else await handler(request)

        application = web.Application(middlewares=[check])
        application.router.add_route("*", "/{path:.*}", handler)
        return application

    async def _wait(self) -> None:
        now_s = asyncio.get_running_loop().time()
        turn_s, self._turn_s = self._turn_s, max(now_s, self._turn_s) + 1 / REQUESTS_PER_S
        if turn_s > now_s:
            await asyncio.sleep(turn_s - now_s)

    def refuse(self, request: web.Request) -> web.Response | None:
        """The refusal of a request that may not be answered; the connection ends with it."""
        headers = request.headers
        upgrade = "upgrade" in headers.get("Connection", "").lower() or "Upgrade" in headers
        asked = Asked(
            request.method,
            "https" if request.transport is not None and request.transport.get_extra_info("sslcontext") else "http",
            upgrade,
            request.body_exists,
            *(headers.getall(name, []) for name in ("Host", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest")),
        )  # fmt: skip
        refused = refusal(asked, {*self._names(), *_reached(request)})
        if refused is None:
            return None
        self.refused += 1
        answer = web.Response(status=refused.status, text=refused.why, headers=HEADERS)
        answer.force_close()
        return answer


def _reached(request: web.Request) -> tuple[str, ...]:
    """The address of ours that the connection came to: a name that is a number can't be pointed elsewhere."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return (str(name[0]).partition("%")[0].removeprefix("::ffff:"),) if isinstance(name, tuple) else ()
