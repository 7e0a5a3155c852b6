"""The feeds' job: each day an admin is told of sources of usage that stopped, and that they are back. Owns whom to
tell; refuses to decide (`rules.health.feeds`) and to word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.report import JobReport
from rules.health.feeds import EndStop, OpenStop, Source, decide_stops
from rules.records import Actor
from storage.db import Database, Tx
from storage.health.feeds import apply_stops, list_relying, list_sources, list_stops
from storage.people.team import find_admin
from storage.people.workspaces import get_workspace

ACTOR = Actor.job("feeds")


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Compare what came with what is told, as of the day `now` falls on in the workspace. Safe to repeat."""
    with database.reading(workspace_id) as tx:  # who relies on a source takes long to find in a large company
        day = now.astimezone(ZoneInfo(get_workspace(tx).zone)).date()
        sources = list(_list_sources(tx, day))
    with database.writing(workspace_id) as tx:
        intents = decide_stops(sources, list_stops(tx), day)
        apply_stops(tx, intents, find_admin(tx), ACTOR, now)
    counts = {
        "stopped": sum(isinstance(each, OpenStop) for each in intents),
        "resumed": sum(isinstance(each, EndStop) for each in intents),
    }
    return JobReport("feeds", counts)


def _list_sources(tx: Tx, day: date) -> Iterator[Source]:
    """The sources, and of those that stopped how many accounts rely on them alone."""
    sources = [Source(name, last) for name, last in list_sources(tx, day - timedelta(days=1)).items()]
    running = [each.name for each in sources if not each.is_stopped(day)]
    for each in sources:
        yield replace(each, accounts=len(list_relying(tx, each, running))) if each.is_stopped(day) else each
