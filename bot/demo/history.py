"""What the team did before the demo begins, by the commands a user has: files written, imported, jobs run day by day.

Runs in a worker thread; what the commands print is kept from the screen.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bot.cli.imports import import_file
from bot.cli.jobs import job
from bot.demo.sample.company import SampleCompany
from bot.demo.sample.files import write_day, write_history

# Days back on which health was scored before the demo: weekly in the last quarter, daily in the last weeks.
SCORED_BACK = (*range(84, 20, -7), *range(20, 3, -1))
SCANNED_BACK = (3, 2, 1)


@dataclass(frozen=True)
class Ledger:
    """The sample company's files in `folder`, and what is imported of them."""

    company: SampleCompany
    folder: Path

    def import_history(self) -> None:
        """Import a year of everything."""
        with quiet():
            for kind, path in write_history(self.company, self.folder).items():
                import_file(kind, path, at=self.company.today.isoformat())

    def run_history(self) -> None:
        """Score the past, then do the last days' whole work, as the clock would have."""
        with quiet():
            job("rollup", at=self.company.today.isoformat())
            for back in SCORED_BACK:
                job("score", at=self._day(back))
            for back in SCANNED_BACK:
                job("daily", at=self._day(back))

    def import_day(self, day: date) -> None:
        """Write and import the usage of one day, as a nightly export would."""
        path = write_day(self.company, self.folder, day)
        with quiet():
            import_file("usage", path, at=(day + timedelta(days=1)).isoformat())

    def _day(self, back: int) -> str:
        return (self.company.today - timedelta(days=back)).isoformat()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what commands print from the screen."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
