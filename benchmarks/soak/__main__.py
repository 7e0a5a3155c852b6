"""Kills delivery over and over while Slack fails, and counts what that did:

    uv run python -m benchmarks.soak --seeds 15 --database both

Each seed is 2,000 messages in 40 channels, delivered by two processes of which 200 are killed, while a fifth of all
calls goes wrong. Every seed should say 0 lost, 0 doubled, 0 out of order. Then one labelled run on each database lets
requests land after the settle time, where doubles appear and the sweeper removes them. Results go to a JSON file after
each seed.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from benchmarks.report import Report, read_arguments
from benchmarks.soak import run as soak
from benchmarks.soak.databases import NAMES, fresh_database
from benchmarks.soak.plan import LONG, OVERDUE, Plan
from bot.clocks import read_wall

PROMISE, LATE = "lands in time", "lands too late"
COLUMNS = (
    "run", "database", "seed", "messages", "changes", "kills", "faults", "lost", "doubled", "unasked", "out of order",
    "too close", "old text", "late", "removed by sweeper", "slowest s", "drained s", "lag s", "kept",
)  # fmt: skip


def add_row(report: Report, label: str, result: soak.Result) -> None:
    """One seed's line."""
    damage, verdict = result.verdict.damage, result.verdict
    counts = (damage.lost, damage.doubled, damage.unasked + damage.misplaced, damage.disordered, damage.crowded)
    report.rows.append(
        (
            label, result.database, result.seed, result.messages, result.changes, result.kills,
            sum(verdict.faults.values()), *counts, damage.stale, damage.late, verdict.removed, verdict.waits[-1],
            "never" if result.drained is None else result.drained, result.lag, "yes" if result.is_kept else "NO",
        )
    )  # fmt: skip


def make_report(results: Sequence[tuple[str, soak.Result]]) -> Report:
    """The table a reader can check, with the faults by kind below it."""
    report = Report("Kill soak", COLUMNS)
    for label, result in results:
        add_row(report, label, result)
    for label, name in sorted({(label, result.database) for label, result in results}):
        faults: Counter[str] = Counter()
        for at, result in results:
            if (at, result.database) == (label, name):
                faults.update(result.verdict.faults)
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(faults.items()))
        report.notes.append(f"Faults, {label}, {name}: {told}.")
    return report


def save(path: Path, started: str, results: Sequence[tuple[str, soak.Result]]) -> None:
    """All results so far."""
    machine = f"{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    runs = [{"run": label, "is_kept": result.is_kept, **asdict(result)} for label, result in results]
    path.write_text(json.dumps({"started": started, "machine": machine, "runs": runs}, indent=1), encoding="utf-8")


class Shown:
    """The progress bar of one seed."""

    def __init__(self, bar: Progress, name: str, plan: Plan) -> None:
        self.bar = bar
        self.plan = plan
        self.task: TaskID = bar.add_task(name, total=plan.messages, said="")

    def tell(self, progress: soak.Progress) -> None:
        """How far it is."""
        said = f"{progress.kills}/{self.plan.kills} kills" + (", draining" if progress.is_draining else "")
        self.bar.update(self.task, completed=progress.posted, said=said)


async def run_one(name: str, plan: Plan, seed: int, label: str, bar: Progress) -> soak.Result:
    """One seed on a fresh database."""
    shown = Shown(bar, f"{name}, seed {seed}, {label}", plan)
    with fresh_database(name) as database:
        return await soak.Soak(plan, seed, database, tell=shown.tell).run()


def main() -> int:
    """Run, print, save; 1 if any promise was broken."""
    parser = read_arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=15, help="how many seeds on each database (default 15)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--database", choices=[*NAMES, "both"], default="both", help="where (default both)")
    parser.add_argument("--messages", type=int, default=LONG.messages, help=f"per seed (default {LONG.messages})")
    parser.add_argument("--kills", type=int, default=LONG.kills, help=f"per seed (default {LONG.kills})")
    parser.add_argument("--file", type=Path, default=Path("soak.json"), help="where results go (default soak.json)")
    given = parser.parse_args()
    plan = replace(LONG, messages=given.messages, kills=given.kills)
    late = replace(OVERDUE, messages=given.messages // 5, kills=given.kills // 10)
    todo = [
        (name, chosen, seed, label)
        for name in (NAMES if given.database == "both" else (given.database,))
        for chosen, label, seeds in ((plan, PROMISE, given.seeds), (late, LATE, 1))
        for seed in range(given.first, given.first + seeds)
    ]
    started, results = read_wall().isoformat(timespec="seconds"), []
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        for name, chosen, seed, label in todo:
            results.append((label, asyncio.run(run_one(name, chosen, seed, label, bar))))
            save(given.file, started, results)
    make_report(results).show(is_json=given.json)
    return 0 if all(result.is_kept for _, result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
