"""`milepost run`: serve a Slack workspace."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from bot.cli.doctor import show_findings
from bot.doctor.examine import examine
from bot.doctor.findings import Verdict
from bot.logs import configure_logs
from bot.roles import RunRole
from bot.serving import Server, serve
from bot.settings import Settings
from bot.wiring import wire


def run(
    *,
    role: Annotated[
        RunRole, typer.Option(help="web takes what Slack sends, worker delivers messages, scheduler runs the jobs.")
    ] = RunRole.ALL,
) -> None:
    """Connect to Slack and serve: commands, alerts, and the jobs on the clock. Stop with Ctrl-C."""
    settings = Settings()
    configure_logs(settings)
    asyncio.run(serve(wire(settings), _tell, role))


async def _tell(server: Server) -> None:
    """Say that it runs, then whatever `milepost doctor` would find wrong."""
    console = Console(stderr=True, soft_wrap=True)
    wiring = server.wiring
    how = "Socket Mode" if wiring.settings.is_socket_mode else "HTTP"
    name = server.installation.team_name
    ready = f"is ready in {name} over {how}" if server.role.is_web else f"is ready in {name} as a {server.role}"
    console.print(f"Milepost {ready}. In Slack, type /cs help. Stop with Ctrl-C.", highlight=False)
    found = await examine(wiring.settings, wiring.database, wiring.clocks)
    show_findings(console, [each for each in found if each.verdict is not Verdict.OK])
