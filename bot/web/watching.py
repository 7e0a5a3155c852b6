"""What a process shows to those who watch it: `/healthz` (it lives), `/readyz` (it can do its part), `/metrics`.

On a port of its own, on loopback unless told otherwise, because nobody is asked who they are; Slack's port answers only
what Slack signed. Owns the three answers; refuses to know how the parts of the bot work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot import metrics
from bot.clocks import Clocks
from bot.web.readings import read_figures
from storage.db import Database
from storage.revision import check

CHECK_SECONDS = 3.0
_log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[bool]]


def build_site(database: Database, clocks: Clocks, checks: Mapping[str, Check]) -> Starlette:
    """The site of one process. `checks` say what must hold, besides the database, for it to do its part."""
    asked = {"database": lambda: _check_database(database), **checks}

    async def live(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(_request: Request) -> Response:
        found = {name: await _ask(name, act) for name, act in asked.items()}
        return JSONResponse(found, 200 if all(found.values()) else 503)

    async def tell(_request: Request) -> Response:
        try:
            read = await asyncio.wait_for(asyncio.to_thread(read_figures, database, clocks), CHECK_SECONDS)
        except Exception as error:  # noqa: BLE001  # whatever ails the database: the process's own figures still tell
            _log.warning("figures_not_read", error=type(error).__name__)
            read = []
        return Response(metrics.write(read), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    routes = [Route("/healthz", live), Route("/readyz", ready), Route("/metrics", tell)]
    return Starlette(routes=routes)


async def _check_database(database: Database) -> bool:
    await asyncio.to_thread(check, database)
    return True


async def _ask(name: str, act: Check) -> bool:
    try:
        return await asyncio.wait_for(act(), CHECK_SECONDS)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is not ready
        _log.warning("not_ready", check=name, error=type(error).__name__)
        return False
