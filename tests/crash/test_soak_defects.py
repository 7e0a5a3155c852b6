"""The soak tested: each planted defect does the damage it is known for, and the same run without it does none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.soak.plan import SCALED, Plan
from benchmarks.soak.run import WORKER, Result, Soak
from playground.faults import FaultKind
from storage.db import Database

SEED = 5
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


async def soak(database: Database, plan: Plan, worker: str = WORKER) -> Result:
    return await Soak(plan, SEED, database, worker=worker).run()


@pytest.mark.parametrize(
    ("defect", "plan", "damage"),
    [
        ("deliver_with_default_retries", DROPPED, "doubled"),
        ("deliver_marking_first", REFUSED, "lost"),
        ("deliver_resending_unsure", UNANSWERED, "doubled"),
        ("deliver_epoch_blind", PAUSED, "doubled"),
    ],
)
async def test_a_planted_defect_is_caught(sqlite_database: Database, defect: str, plan: Plan, damage: str):
    result = await soak(sqlite_database, plan, f"tests.crash.soak_defects:{defect}")
    found = result.verdict.damage
    counts = {"lost": found.lost, "doubled": found.doubled + result.verdict.removed}
    assert counts[damage] > 0, result
    assert not result.is_kept


@pytest.mark.parametrize("plan", [DROPPED, REFUSED, UNANSWERED, PAUSED])
async def test_the_same_run_without_a_defect_is_whole(sqlite_database: Database, plan: Plan):
    result = await soak(sqlite_database, plan)
    assert result.is_kept, result
