"""The rollup job: from usage events to sums per day, page by page until no day is left to do. Owns the size of the
pages; refuses the sums (`storage.usage_days`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

from pipeline.report import JobReport
from storage.db import Database
from storage.usage_days import roll_up_dirty

MOST_DAYS = 400
LONG_SECONDS, SHORT_SECONDS = 0.03, 0.01
"""A page that held the writer longer is followed by one half its size; a quick one by one twice as large."""


@dataclass
class PageSize:
    """How many (account, day) pairs the next page takes: accounts differ a thousandfold in events per day."""

    days: int = 50

    def learn(self, seconds: float) -> None:
        """Adapt to how long the last page held the writer."""
        if seconds > LONG_SECONDS:
            self.days = max(1, self.days // 2)
        elif seconds < SHORT_SECONDS:
            self.days = min(MOST_DAYS, self.days * 2)


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:  # noqa: ARG001  # the signature of all jobs
    """Roll up every day that changed; a second run does nothing. Each page commits by itself."""
    size, done, pages = PageSize(), 0, 0
    while True:
        with database.writing(workspace_id) as tx:
            began = perf_counter()
            count = roll_up_dirty(tx, size.days)
            size.learn(perf_counter() - began)
        if not count:
            return JobReport("rollup", {"days": done, "pages": pages})
        done, pages = done + count, pages + 1
