"""`milepost run`: serve a Slack workspace."""

from __future__ import annotations

import asyncio

from rich.console import Console

from bot.logs import configure_logs
from bot.serving import Server, serve
from bot.settings import Settings
from bot.wiring import wire


def run() -> None:
    """Connect to Slack and serve: commands, alerts, and the jobs on the clock. Stop with Ctrl-C."""
    settings = Settings()
    configure_logs(settings)
    asyncio.run(serve(wire(settings), _tell))


def _tell(server: Server) -> None:
    how = "Socket Mode" if server.wiring.settings.is_socket_mode else "HTTP"
    Console(stderr=True, soft_wrap=True).print(
        f"Milepost is ready in {server.installation.team_name} over {how}. In Slack, type /cs help. Stop with Ctrl-C.",
        highlight=False,
    )
