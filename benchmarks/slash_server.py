"""The servers that `benchmarks.slash` calls, each in a process of its own: a bare Bolt app, or ours, behind uvicorn.

Arguments: "bare" (an empty handler), "commit" (one that commits a row, in a thread) or another word for ours, the
database's URL, the signing secret, and how many of the machine's cores it may use. Standard output: one JSON line, the
address. It talks to no Slack: what would follow an acknowledgement fails on a closed port.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from sqlalchemy import select
from sqlmodel import col
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.company import NOW
from bot.clocks import Clocks, read_wall
from bot.logs import configure_logs
from bot.settings import Settings
from bot.slack.edge import EdgeSettings, build_edge
from bot.slack.http import build_site
from bot.slack.installation import Installation
from bot.slack.manifest import PATH
from bot.web.listening import SiteServer
from bot.wiring import wire
from commands.kit import message
from commands.slice import Call, Command, Reply, Slice, Whisper
from storage.db import Tx
from storage.people.members import MemberRow
from storage.people.workspaces import WorkspaceRow

NOWHERE = "http://127.0.0.1:9/"


def _say(_call: Call, _tx: Tx) -> Sequence[Reply]:
    return [Whisper(message("Yes?"))]


_SLICE = Slice(
    "benchmark",
    commands=(Command("say", "", "Say a word", _say, "reads"), Command("word", "", "Say a word", _say, "writes")),
)


async def do_nothing() -> None:
    """What an empty handler does."""


def build_commit(url: str) -> Callable[[], Awaitable[None]]:
    """The least that a handler does which writes: one row, committed as we commit, beside the event loop."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    for line in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
        connection.execute(f"PRAGMA {line}")
    connection.execute("CREATE TABLE IF NOT EXISTS bare (key TEXT PRIMARY KEY)")
    threads = ThreadPoolExecutor(1)

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO bare VALUES (?)", (str(time.monotonic_ns()),))
        connection.execute("COMMIT")

    async def commit_beside() -> None:
        await asyncio.get_running_loop().run_in_executor(threads, commit)

    return commit_beside


def build_bare(secret: str, act: Callable[[], Awaitable[None]]) -> Starlette:
    """Bolt as its documentation begins: an app, a command that acts, `ack()`."""

    told = AuthorizeResult(enterprise_id=None, team_id="T0000BENCH", bot_id="B0", bot_user_id="U0")

    async def authorize() -> AuthorizeResult:
        return told

    app = AsyncApp(signing_secret=secret, authorize=authorize, process_before_response=True)

    @app.command("/cs")
    async def handle(ack: object) -> None:
        await act()
        await ack()  # type: ignore[operator]  # Bolt gives it by name

    async def receive(request: Request) -> Response:
        body = (await request.body()).decode()
        answer = await app.async_dispatch(AsyncBoltRequest(body=body, headers=dict(request.headers.items())))
        return Response(answer.body, answer.status, answer.first_headers())

    return Starlette(routes=[Route(PATH, receive, methods=["POST"])])


def build_ours(url: str, secret: str) -> Starlette:
    """The edge as `milepost run --role web` has it, people known and seen lately."""
    settings = Settings(database_url=url, log_level="WARNING")
    configure_logs(settings)
    wiring = wire(settings, clocks=Clocks(lambda: NOW, read_wall), more_slices=[_SLICE])
    with wiring.database.write() as session:
        workspace_id = session.execute(select(col(WorkspaceRow.id))).scalar_one()
        for row in session.execute(select(MemberRow).where(col(MemberRow.workspace_id) == workspace_id)).scalars():
            row.refreshed_at = read_wall()
    installation = Installation(workspace_id, "T0000BENCH", "xoxb-none", team_name="Benchmark")
    edge_settings = EdgeSettings(installation, base_url=NOWHERE, signing_secrets=(secret,))
    return build_site(build_edge(wiring.database, wiring.slices, edge_settings, wiring.clocks))


def use_cores(count: int) -> None:
    """Of those this process may use, so many, where the system lets one say so."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def build(kind: str, url: str, secret: str) -> Starlette:
    """The site of that kind."""
    if kind in {"bare", "commit"}:
        return build_bare(secret, build_commit(url) if kind == "commit" else do_nothing)
    return build_ours(url, secret)


async def serve(site: Starlette) -> None:
    """Until it is told to end."""
    server = SiteServer(site, "127.0.0.1", 0)
    await server.start()
    print(json.dumps(f"http://127.0.0.1:{server.port}{PATH}"), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    kind, url, secret, cores = sys.argv[1:]
    use_cores(int(cores))
    asyncio.run(serve(build(kind, url, secret)))
