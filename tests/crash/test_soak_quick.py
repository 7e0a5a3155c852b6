"""The kill soak at a size for every run: processes killed at random moments while a fifth of all calls goes wrong.
Nothing lost, nothing doubled, each channel in its order and pace. `python -m benchmarks.soak` is the same for longer.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.soak.plan import OVERDUE, QUICK
from benchmarks.soak.run import Soak
from storage.db import Database


async def test_deliveries_killed_while_slack_fails_lose_nothing_and_double_nothing(database: Database):
    result = await Soak(QUICK, 7, database).run()
    assert result.is_kept, result
    assert result.kills >= 30
    assert sum(result.verdict.faults.values()) >= 20
    assert result.messages == QUICK.messages
    assert result.verdict.calls["chat.update"] > 0


async def test_copies_that_land_after_the_settle_time_are_swept_away(sqlite_database: Database):
    plan = replace(OVERDUE, messages=60, channels=12, kills=3)
    result = await Soak(plan, 7, sqlite_database).run()
    assert result.is_kept, result
    assert result.verdict.removed > 0
