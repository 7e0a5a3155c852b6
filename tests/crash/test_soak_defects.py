"""The soak tested: each planted defect does the damage it is known for, and the same run without it does none."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.soak.plan import SCALED, Plan
from benchmarks.soak.run import WORKER, Result, Soak
from playground.faults import FaultKind
from storage.db import Database

SEED, TRIES = 5, 5
DROPPED = Plan(
    messages=30, channels=6, kills=2, gap=0.5, share=0.5, kinds=((FaultKind.DROP_AFTER_ACCEPT, 1),),
    pace=replace(SCALED, lease=3.5, timeout=2.5),
)  # fmt: skip
REFUSED = Plan(messages=60, channels=6, kills=8, gap=0.25, share=0.5, kinds=((FaultKind.DROP_BEFORE_ACCEPT, 1),))
UNANSWERED = Plan(messages=30, channels=6, kills=2, gap=0.5, share=0.5, kinds=((FaultKind.FAIL_AFTER_ACCEPT, 1),))
PAUSED = Plan(
    messages=45, channels=4, kills=0, gap=0.1, pauses=2, render_seconds=0.1, share=0.95,
    pace=replace(SCALED, lease=1.5), kinds=((FaultKind.ANSWER_LATE, 1),),
)  # fmt: skip


async def soak(database: Database, plan: Plan, worker: str = WORKER, seed: int = SEED) -> Result:
    return await Soak(plan, seed, database, worker=worker).run()


@pytest.mark.parametrize(
    ("defect", "plan", "damage"),
    [
        ("deliver_with_default_retries", DROPPED, "doubled"),
        ("deliver_marking_first", REFUSED, "lost"),
        ("deliver_resending_unsure", UNANSWERED, "doubled"),
        ("deliver_epoch_blind", PAUSED, "doubled"),
    ],
)
async def test_a_planted_defect_is_caught(sqlite_template: Path, tmp_path: Path, defect: str, plan: Plan, damage: str):
    """Whether a process is stopped in the one moment that matters is chance: so the next seed is tried, a few times."""
    results: list[Result] = []
    while len(results) < TRIES and not any(count(each, damage) for each in results):
        path = shutil.copy(sqlite_template, tmp_path / f"{len(results)}.db")
        with closing(Database(f"sqlite:///{path}")) as database:
            results.append(await soak(database, plan, f"tests.crash.soak_defects:{defect}", SEED + len(results)))
    assert count(results[-1], damage) > 0, results
    assert not results[-1].is_kept


def count(result: Result, damage: str) -> int:
    """Messages so damaged."""
    found = result.verdict.damage
    return {"lost": found.lost, "doubled": found.doubled + result.verdict.removed}[damage]


@pytest.mark.parametrize("plan", [DROPPED, REFUSED, UNANSWERED, PAUSED])
async def test_the_same_run_without_a_defect_is_whole(sqlite_database: Database, plan: Plan):
    result = await soak(sqlite_database, plan)
    assert result.is_kept, result
