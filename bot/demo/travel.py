"""Moving the demo's business clock: from due time to due time, with each day's new usage imported first.

Owns the walk; only business time moves, and it goes through the scheduler as on any other day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.clocks import MovableClock
from bot.demo.history import Ledger
from bot.scheduler import Scheduler
from rules.people.working_time import shift_to_working_day

# After the morning of everybody in the sample team: in São Paulo digests come at 13:10 or 14:10 of Berlin.
ARRIVAL = time(14, 30)


@dataclass
class Traveller:
    """Walks the clock forward. `zone` and `country` are the workspace's; `is_moving` while under way."""

    clock: MovableClock
    scheduler: Scheduler
    ledger: Ledger
    zone: ZoneInfo
    country: str
    save_offset: Callable[[timedelta], None]
    is_moving: bool = False

    def find_day(self, days: int) -> datetime:
        """The arrival, `days` from now or on the first working day after that."""
        day = shift_to_working_day(self._local(self.clock()) + timedelta(days=days), self.country)
        return datetime.combine(day, ARRIVAL, self.zone).astimezone(UTC)

    async def go(self, arrival: datetime) -> None:
        """Step from due time to due time until `arrival`."""
        self.is_moving = True
        try:
            while (due := await asyncio.to_thread(self.scheduler.next_due)) is not None and due <= arrival:
                await self._step(due)
            self._move(arrival)
        finally:
            self.is_moving = False

    async def _step(self, due: datetime) -> None:
        for day in self._days_before(due):
            await asyncio.to_thread(self.ledger.import_day, day)
        self._move(due)
        await self.scheduler.tick()

    def _days_before(self, due: datetime) -> list[date]:
        """The days that end between now and `due`."""
        first, last = self._local(self.clock()), self._local(due)
        return [first + timedelta(days=number) for number in range((last - first).days)]

    def _local(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _move(self, moment: datetime) -> None:
        if moment > self.clock():
            self.save_offset(self.clock.move_to(moment))
