"""How long Slack waits for an acknowledgement while jobs run: `uv run python -m benchmarks.acks`.

The whole way: a local Slack in another process sends commands over Socket Mode at random moments, the bot handles them
in Bolt and the edge, commits and acknowledges; the local Slack's clock counts from the payload sent to the answer come.
Meanwhile a job goes through all accounts, in a process of its own as `milepost run` has it (or, for comparison, in a
thread of the bot's process); in the last round 5,000 messages go out beside the scan, to 50 channels, each at its pace
of one a second. Half of the commands read (`/cs show`), the others write (`/cs log`, `/cs alerts take`). The floor is
the same without a job.
"""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select
from sqlmodel import col

from benchmarks.company import NOW, Company, mark_last_day
from benchmarks.kept import open_copy
from benchmarks.local_slack import CHANNELS
from benchmarks.report import Must, Report, Spread, read_arguments, spread
from bot.clocks import Clocks, read_wall
from bot.job_process import open_job_process
from bot.registry import JOBS, LONG_JOBS, Job
from bot.serving import Server, connect
from bot.settings import Settings
from bot.wiring import wire
from commands.kit import section
from commands.slice import Message, Slice
from rules.records import Enqueue
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow
from storage.db import Tx
from storage.delivery.backlog import read_backlog
from storage.delivery.outbox import enqueue
from words.reader import Reader

LIMIT_MS, MOST_MS = 250.0, 1000.0
USERS = ("ana", "ben", "chen")
LOADS = ("rollup", "score", "scan")
DRAIN = "scan and drain"
_KIND = "benchmark"
_PAGE = 500


def _render(reference: str, _tx: Tx, _reader: Reader) -> Message:
    return Message(f"Message {reference}", (section(f"Message *{reference}*"),))


_SLICE = Slice(_KIND, renders={_KIND: _render})


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
    wiring = wire(settings, clocks=Clocks(lambda: NOW, read_wall), more_slices=[_SLICE])
    server = await connect(wiring)
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


async def measure(company: Company, given: Namespace) -> Report:
    """Without a job, then with each, then with the scan and messages that go out."""
    mark_last_day(company)
    found: list[tuple[str, dict[str, Any]]] = []
    with open_job_process(Settings(database_url=company.database.url)) as process_of_jobs:
        jobs = dict(JOBS) if given.thread else process_of_jobs.wrap(JOBS, LONG_JOBS)
        async with open_slack() as (process, told), open_server(company, told) as server:
            lines = list_lines(company, given.seed)
            round_ = {"lines": lines, "users": USERS, "per_second": given.per_second, "seed": given.seed}
            await measure_round(process, round_, asyncio.sleep(1.0))
            idle = asyncio.sleep(given.idle_seconds)
            found.append(("nothing else", await measure_round(process, round_, idle)))
            for name in (*given.loads, DRAIN):
                turned = lines[len(lines) // 2 :] + lines[: len(lines) // 2]
                round_ = {**round_, "lines": turned, "seed": given.seed + len(found)}
                load = _drain(server, jobs, given.messages) if name == DRAIN else _run(server, jobs, name)
                found.append((name, await measure_round(process, round_, load)))
    return _report(len(company.names), found)


def _run(server: Server, jobs: Mapping[str, Job], name: str) -> Awaitable[Any]:
    return asyncio.to_thread(jobs[name], server.wiring.database, server.installation.workspace_id, NOW)


async def _drain(server: Server, jobs: Mapping[str, Job], messages: int) -> None:
    """A scan and so many messages to send, until the first of both is done."""
    await asyncio.to_thread(_enqueue, server, messages)
    scanning = asyncio.ensure_future(_run(server, jobs, "scan"))
    while not scanning.done() and await asyncio.to_thread(_has_waiting, server):
        await asyncio.wait({scanning}, timeout=1.0)
    server.delivery.nudge()


def _enqueue(server: Server, messages: int) -> None:
    wanted = [Enqueue(_KIND, str(number), CHANNELS[number % len(CHANNELS)]) for number in range(messages)]
    for at in range(0, messages, _PAGE):
        with server.wiring.database.writing(server.installation.workspace_id) as tx:
            enqueue(tx, wanted[at : at + _PAGE], NOW)
    server.delivery.nudge()


def _has_waiting(server: Server) -> bool:
    with server.wiring.database.reading(server.installation.workspace_id) as tx:
        return read_backlog(tx).waiting > 0


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
        if name in {"score", "scan", DRAIN}:
            report.musts.append(Must(f"p99 under {LIMIT_MS:g} ms during {name}", each.p99, LIMIT_MS))
        if name == DRAIN:
            report.musts.append(Must(f"none over {MOST_MS:g} ms during {name}", each.most, MOST_MS))
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
    parser.add_argument("--messages", type=int, default=5_000, help="sent beside the scan (default 5000)")
    parser.add_argument("--loads", nargs="*", default=LOADS, choices=LOADS, help="jobs to measure by themselves")
    parser.add_argument("--thread", action="store_true", help="run the jobs in a thread of the bot, to compare")
    given = parser.parse_args()
    with open_copy(given.accounts, given.seed) as company:
        report = asyncio.run(measure(company, given))
    report.show(is_json=given.json)


if __name__ == "__main__":
    main()
