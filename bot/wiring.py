"""The composition root: settings, clocks, database, slices and jobs put together. Owns no behaviour."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.clocks import Clocks, real_clocks
from bot.registry import JOBS, SLICES, Job
from bot.settings import Settings
from commands.help import help_slice
from commands.slice import Render, Slice
from storage.db import Database
from storage.revision import upgrade

# With two busy threads and Python's default of 5 ms, a scoring job makes an acknowledgement wait ten times longer.
_SWITCH_SECONDS = 0.0005
# A full collection holds every thread up, and looks at all that was imported: 120 ms each, several a second in a scan.
_COLLECT_AFTER = (10_000, 20, 50)


@dataclass(frozen=True)
class Wiring:
    """Everything a command or the server works with."""

    settings: Settings
    clocks: Clocks
    database: Database
    slices: tuple[Slice, ...]
    jobs: Mapping[str, Job]

    @property
    def renders(self) -> dict[str, Render]:
        """How each kind of outbox row becomes a message."""
        return {kind: render for each in self.slices for kind, render in each.renders.items()}


def wire(
    settings: Settings | None = None, *, clocks: Clocks | None = None, more_slices: Sequence[Slice] = ()
) -> Wiring:
    """Put the parts together over a database that is brought up to date first.

    Raises `SchemaError` if the database belongs to a newer Milepost.
    """
    keep_answers_quick()
    settings = settings or Settings()
    database = Database(settings.database_url)
    upgrade(database)
    return Wiring(settings, clocks or real_clocks(), database, with_help((*SLICES, *more_slices)), JOBS)


def keep_answers_quick() -> None:
    """Let jobs in other threads hold up the answers to people as little as Python can."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()  # what is imported by now stays, and need not be looked at again
    gc.set_threshold(*_COLLECT_AFTER)


def with_help(slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """The slices, and the help that tells of all of them and of itself."""
    known: list[Slice] = list(slices)
    known.insert(0, help_slice(lambda: known))
    return tuple(known)
