"""The rollup job: from usage events to sums per day, page by page until no day is left to do. Owns the size of the
pages; refuses the sums (`storage.health.usage_days`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from time import thread_time

from pipeline.report import JobReport
from storage.db import Database
from storage.health.usage_days import roll_up_dirty

LEAST_DAYS, MOST_DAYS = 5, 400
LONG_SECONDS, SHORT_SECONDS = 0.04, 0.02
"""A page that took this thread longer is followed by one half its size; a quick one by one twice as large. Time the
thread waited is not counted: smaller pages would not help against a busy machine.
"""


@dataclass
class PageSize:
    """How many (account, day) pairs the next page takes: accounts differ a thousandfold in events per day."""

    days: int = 50

    def learn(self, seconds: float) -> None:
        """Adapt to how much work the last page was."""
        if seconds > LONG_SECONDS:
            self.days = max(LEAST_DAYS, self.days // 2)
        elif seconds < SHORT_SECONDS:
            self.days = min(MOST_DAYS, self.days * 2)


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:  # noqa: ARG001  # the signature of all jobs
    """Roll up every day that changed; a second run does nothing. Each page commits by itself."""
    size, done, pages = PageSize(), 0, 0
    while True:
        with database.writing(workspace_id) as tx:
            began = thread_time()
            count = roll_up_dirty(tx, size.days)
            size.learn(thread_time() - began)
        if not count:
            return JobReport("rollup", {"days": done, "pages": pages})
        done, pages = done + count, pages + 1
