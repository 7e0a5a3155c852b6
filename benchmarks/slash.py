"""How many slash commands a second go through, over signed HTTP, from the signature to the reply:
`uv run python -m benchmarks.slash`.

The floor is a bare Bolt AsyncApp with an empty handler, behind the same server (uvicorn, starlette) and the same
client, in the same run: it checks the signature and answers an empty 200. Ours looks the person up, runs the handler in
a transaction, keeps the payload's key, commits, and answers with blocks. Servers run in a process of their own, in
turns; the client keeps a number of requests under way on connections that stay open. What writes has a second floor
that nobody is judged by: bare Bolt whose handler commits one row in a thread, which shows what the disk alone takes.

Each server has one core (`--cores` for more), for bare Bolt has one thread and cannot use two. A thread beside it gains
little from a second core, as Python lets one thread compute at a time, and what both use goes back and forth between
the cores: whether the system puts them on one or on two then decides over a third of the figure, run by run.

Judged twice, against the better of the bare rounds: by requests a second (where the client takes a part of the machine,
and a commit waits for the disk), and by CPU of the server's process alone, which neither flatters.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sys
import tempfile
import time
from argparse import Namespace
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import ClientSession, TCPConnector

from benchmarks.company import NOW, make_company
from benchmarks.report import Must, Report, read_arguments, spread
from storage.db import Database

SECRET = "benchmark"  # noqa: S105  # of nobody's app
LEAST_SHARE = 0.25
MOST_CPU = 1 / LEAST_SHARE
JUDGED = {"say", "word", "help"}
KINDS = {
    "bare": "bare Bolt, empty handler",
    "commit": "bare Bolt, a row committed in a thread",
    "say": "ours, a handler that says a word",
    "word": "ours, a handler that says a word and may write",
    "log": "/cs log NAME conversion VALUE (writes)",
    "take": "/cs alerts take NAME (writes, or is told who has it)",
    "help": "/cs help",
    "show": "/cs show NAME",
    "list": "/cs list",
    "alerts": "/cs alerts",
}
_USUAL = ("say", "help", "commit", "word", "take", "show", "log")
_FORM = "application/x-www-form-urlencoded"
_TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Round:
    """What came of one kind: requests answered, and how long each took (seconds)."""

    kind: str
    seconds: float
    took: Sequence[float]
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds

    @property
    def cpu_each(self) -> float:
        """CPU seconds; the machine counts them in ticks, and one at least was begun."""
        return max(self.cpu_seconds, _TICK) / len(self.took)


@asynccontextmanager
async def open_server(kind: str, url: str, cores: int) -> AsyncIterator[tuple[str, int]]:
    """A server in a process of its own: its address and process id."""
    command = (sys.executable, "-m", "benchmarks.slash_server", kind, url, SECRET, str(cores))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline()), process.pid
    finally:
        process.terminate()
        await process.communicate()


def make_text(kind: str, names: Sequence[str], number: int) -> str:
    """What the person typed after `/cs`."""
    name = names[number % len(names)]
    match kind:
        case "log":
            return f"log {name} conversion {4 + number % 400 / 100:.2f}%"
        case "take":
            return f"alerts take {name}"
        case "show":
            return f"show {name}"
        case _:
            return kind


def make_request(text: str, number: int) -> tuple[bytes, dict[str, str]]:
    """A slash command as Slack signs it."""
    form = {
        "command": "/cs",
        "text": text,
        "user_id": f"U00000{number % 17:05}",
        "team_id": "T0000BENCH",
        "channel_id": "C0000GENERAL",
        "trigger_id": f"{time.monotonic_ns()}.{number}",
        "response_url": "http://127.0.0.1:9/",
    }
    body = urlencode(form).encode()
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    signed = {"Content-Type": _FORM, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
    return body, signed


async def measure_kind(kind: str, database: Database, names: Sequence[str], given: Namespace) -> Round:
    """Requests for so many seconds, after a second to warm up."""
    opened = open_server(kind, database.url, given.cores)
    async with opened as (url, pid), ClientSession(connector=TCPConnector(limit=0)) as session:
        caller = _Caller(session, url, kind, names)
        await caller.call_for(1.0, given.at_once)
        cpu = _read_cpu(pid)
        took = await caller.call_for(given.seconds, given.at_once)
        return Round(kind, given.seconds, took, _read_cpu(pid) - cpu)


@dataclass
class _Caller:
    session: ClientSession
    url: str
    kind: str
    names: Sequence[str]
    number: int = 0

    async def call_for(self, seconds: float, at_once: int) -> list[float]:
        """Keep so many requests under way; what each answered one took."""
        until = time.monotonic() + seconds
        rows = await asyncio.gather(*(self._call_until(until) for _ in range(at_once)))
        return [each for row in rows for each in row]

    async def _call_until(self, until: float) -> list[float]:
        took = []
        while time.monotonic() < until:
            self.number += 1
            body, headers = make_request(make_text(self.kind, self.names, self.number), self.number)
            began = time.monotonic()
            async with self.session.post(self.url, data=body, headers=headers) as response:
                answer = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{response.status}: {answer.decode()}")
            took.append(time.monotonic() - began)
        return took


def _read_cpu(pid: int) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


async def measure(given: Namespace) -> Report:
    """The floor, then ours, and the floor once more."""
    with tempfile.TemporaryDirectory(prefix="milepost-benchmark-") as folder:
        database = Database(f"sqlite:///{folder}/company.db")
        names = make_company(database, given.accounts, seed=given.seed).names
        kinds = ("bare", *given.kinds, "bare")
        rounds = [await measure_kind(kind, database, names, given) for kind in kinds]
        database.close()
    return _report(rounds, given.accounts)


def _report(rounds: Sequence[Round], accounts: int) -> Report:
    columns = ("command", "requests", "per second", "share of bare", "CPU ms each", "times bare", "p50 ms", "p99 ms")
    report = Report(f"Slash commands over HTTP, {accounts} accounts, at {NOW:%d %B %Y} of the company", columns)
    bare = [each for each in rounds if each.kind == "bare"]
    most, least_cpu = max(each.per_second for each in bare), min(each.cpu_each for each in bare)
    for each in rounds:
        taken, share, times = spread(each.took), each.per_second / most, each.cpu_each / least_cpu
        rate = (len(each.took), round(each.per_second), round(share, 2))
        cpu = (round(each.cpu_each * 1000, 2), round(times, 1))
        report.rows.append((KINDS[each.kind], *rate, *cpu, taken.p50, taken.p99))
        if each.kind in JUDGED:
            said = f"{each.kind}: at least {LEAST_SHARE} of bare Bolt's requests a second (wanted by reached)"
            report.musts.append(Must(said, LEAST_SHARE / share, 1.0))
            report.musts.append(Must(f"{each.kind}: CPU under {MOST_CPU:g} times bare Bolt's", times, MOST_CPU))
    return report


def main() -> None:
    """Measure, print."""
    parser = read_arguments(__doc__, 500)
    parser.add_argument("--seconds", type=float, default=6.0, help="per kind of command (default 6)")
    parser.add_argument("--at-once", type=int, default=16, help="requests under way (default 16)")
    parser.add_argument("--cores", type=int, default=1, help="that a server may use (default 1)")
    parser.add_argument("--kinds", nargs="*", default=_USUAL, choices=[*KINDS][1:])
    given = parser.parse_args()
    asyncio.run(measure(given)).show(is_json=given.json)


if __name__ == "__main__":
    main()
