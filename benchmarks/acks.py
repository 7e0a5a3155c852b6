"""How long Slack waits for an acknowledgement while jobs run: `uv run python -m benchmarks.acks`.

The whole way: a local Slack in another process sends commands over Socket Mode at random moments, the bot handles them
in Bolt and the edge, commits and acknowledges; the local Slack's clock counts from the payload sent to the answer come.
Meanwhile, in the bot's process, a job goes through 20,000 accounts in a worker thread, as the scheduler runs it. Half
of the commands read (`/cs show`), the others write (`/cs log`, `/cs alerts take`). The floor is the same without a job.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select
from sqlmodel import col

from benchmarks.company import NOW, Company, mark_last_day, open_company
from benchmarks.report import Must, Report, Spread, read_arguments, spread
from bot.clocks import Clocks, read_wall
from bot.registry import JOBS
from bot.serving import Server, connect
from bot.settings import Settings
from bot.wiring import wire
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow

LIMIT_MS = 250.0
USERS = ("ana", "ben", "chen")
LOADS = ("rollup", "score", "scan")


@asynccontextmanager
async def open_slack() -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    """The local Slack in another process, and what it says at the start."""
    arguments = (sys.executable, "-m", "benchmarks.local_slack")
    process = await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE, limit=2**24)
    try:
        yield process, await _hear(process)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def open_server(company: Company, told: dict[str, Any]) -> AsyncIterator[Server]:
    """The bot as `milepost run` wires it, on a company that stands still at `NOW`; without its own clock's ticks."""
    settings = Settings(
        database_url=company.database.url,
        slack_api_url=told["api_url"],
        slack_bot_token=SecretStr(told["bot_token"]),
        slack_app_token=SecretStr(told["app_token"]),
    )
    server = await connect(wire(settings, clocks=Clocks(lambda: NOW, read_wall)))
    await server.transport.start()
    delivering = asyncio.create_task(server.delivery.run())
    try:
        yield server
    finally:
        await server.transport.stop()
        await server.delivery.drain(1.0)
        await delivering
        server.wiring.database.close()


def list_lines(company: Company, seed: int) -> list[str]:
    """What people type: half reads, half writes, in an order of its own."""
    random = Random(seed)
    open_alerts = select(col(AccountRow.name)).join(EpisodeRow, col(EpisodeRow.account_id) == col(AccountRow.id))
    with company.database.reading(company.workspace_id) as tx:
        wanted = (col(AccountRow.workspace_id) == tx.workspace_id, col(EpisodeRow.closed_at).is_(None))
        alerted = sorted(set(tx.session.execute(open_alerts.where(*wanted)).scalars()))
    shows = [f"/cs show {random.choice(company.names)}" for _ in range(600)]
    logs = [f"/cs log {random.choice(company.names)} conversion {random.uniform(5, 8):.2f}%" for _ in range(400)]
    takes = [f"/cs alerts take {name}" for name in random.sample(alerted, min(200, len(alerted)))]
    lines = shows + logs + takes
    random.shuffle(lines)
    return lines


async def measure_round(process: Process, round_: dict[str, Any], during: Awaitable[Any]) -> dict[str, Any]:
    """What the local Slack saw while `during` went on."""
    await _say(process, json.dumps(round_))
    await during
    await _say(process, "")
    return await _hear(process)


async def measure(company: Company, per_second: float, idle_seconds: float, seed: int) -> Report:
    """Without a job, then with each."""
    mark_last_day(company)
    found: list[tuple[str, dict[str, Any]]] = []
    async with open_slack() as (process, told), open_server(company, told) as server:
        lines = list_lines(company, seed)
        round_ = {"lines": lines, "users": USERS, "per_second": per_second, "seed": seed}
        await measure_round(process, round_, asyncio.sleep(1.0))
        found.append(("nothing else", await measure_round(process, round_, asyncio.sleep(idle_seconds))))
        for name in LOADS:
            round_ = {**round_, "lines": lines[len(lines) // 2 :] + lines[: len(lines) // 2], "seed": seed + len(found)}
            job = asyncio.to_thread(JOBS[name], server.wiring.database, company.workspace_id, NOW)
            found.append((name, await measure_round(process, round_, job)))
    return _report(len(company.names), found)


def _report(accounts: int, found: Sequence[tuple[str, dict[str, Any]]]) -> Report:
    columns = ("meanwhile", "commands", "p50 ms", "p99 ms", "most ms", "p99, times the floor", "busy", "failed")
    report = Report(f"Acknowledgements over Socket Mode while jobs go through {accounts} accounts", columns)
    floor: Spread | None = None
    for name, told in found:
        if not told["milliseconds"]:
            report.notes.append(f"{name} was over before anybody typed")
            continue
        each = spread([milliseconds / 1000 for milliseconds in told["milliseconds"]])
        floor = floor or each
        ratio = round(each.p99 / floor.p99, 1)
        report.rows.append((name, each.count, each.p50, each.p99, each.most, ratio, told["busy"], told["failed"]))
        if name in {"score", "scan"}:
            report.musts.append(Must(f"p99 under {LIMIT_MS:g} ms during {name}", each.p99, LIMIT_MS))
    return report


async def _say(process: Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
    await process.stdin.drain()


async def _hear(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the local Slack ended")
    told: dict[str, Any] = json.loads(line)
    return told


def main() -> None:
    """Make the company, measure, print."""
    parser = read_arguments(__doc__, 20_000)
    parser.add_argument("--per-second", type=float, default=5.0, help="commands per second (default 5)")
    parser.add_argument("--idle-seconds", type=float, default=20.0, help="how long without a job (default 20)")
    given = parser.parse_args()
    with open_company(given.accounts, seed=given.seed) as company:
        report = asyncio.run(measure(company, given.per_second, given.idle_seconds, given.seed))
    report.show(is_json=given.json)


if __name__ == "__main__":
    main()
