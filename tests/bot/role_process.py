"""One process of `milepost run --role …`, forked by `tests.crash.forked`: says where it listens, then serves until
told to stop.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.clocks import Clocks, MovableClock, read_wall
from bot.logs import configure_logs
from bot.roles import RunRole
from bot.serving import Server, serve
from bot.settings import Settings
from bot.slack.http import HttpServer
from bot.wiring import wire


def serve_role(say: Callable[[str], None], *, role: str, environment: Mapping[str, str], moment: str) -> None:
    """Serve; the business clock goes on from `moment`."""
    os.environ.update(environment)

    async def tell(server: Server) -> None:
        port = server.transport.port if isinstance(server.transport, HttpServer) else 0
        say(json.dumps({"port": port}))

    settings = Settings()
    configure_logs(settings)
    clocks = Clocks(MovableClock(read_wall, datetime.fromisoformat(moment) - read_wall()), read_wall)
    asyncio.run(serve(wire(settings, clocks=clocks), tell, RunRole(role)))
