"""The explicit lists of what Milepost can do: slices for people, jobs for the clock.

To add a subject, write `commands/x.py` with a `SLICE` and name it here; to add a job, write `pipeline/x.py` with
`run(database, workspace_id, now) -> JobReport` and name it here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from commands import home
from commands.accounts import accounts, contacts, notes, timeline
from commands.alerts import alerts
from commands.delivery import admin, digests
from commands.health import health
from commands.people import setup, team
from commands.renewals import renewals
from commands.slice import Slice
from commands.success import checkins, journeys, metrics, risks, targets, tasks
from pipeline import checkins as pipeline_checkins
from pipeline import cleanup, daily, digest, rollup, scan, score, wake
from pipeline import renewals as pipeline_renewals
from pipeline.report import JobReport
from storage.db import Database

Job = Callable[[Database, str, datetime], JobReport]

SLICES: tuple[Slice, ...] = (
    accounts.SLICE,
    contacts.SLICE,
    notes.SLICE,
    timeline.SLICE,
    targets.SLICE,
    metrics.SLICE,
    journeys.SLICE,
    checkins.SLICE,
    tasks.SLICE,
    risks.SLICE,
    renewals.SLICE,
    health.SLICE,
    alerts.SLICE,
    digests.SLICE,
    admin.SLICE,
    home.SLICE,
    setup.SLICE,
    team.SLICE,
)

JOBS: dict[str, Job] = {
    "rollup": rollup.run,
    "score": score.run,
    "scan": scan.run,
    "daily": daily.run,
    "checkins": pipeline_checkins.run,
    "renewals": pipeline_renewals.run,
    "wake": wake.run,
    "digest": digest.run,
    "cleanup": cleanup.run,
}

LANES = (frozenset({"daily", "rollup", "score", "scan"}), frozenset({"checkins", "renewals", "digest"}))
"""Jobs that go through every account or person: `milepost run` gives each of these lanes a process of its own, so that
what a workspace is told on its morning does not stand in line behind the daily run of another one. The other jobs look
for the little that is due, and must come while these go on.
"""
LONG_JOBS = LANES[0] | LANES[1]
